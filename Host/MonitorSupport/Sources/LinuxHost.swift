import LinuxCalls

/// The host as system calls: the console is descriptors 0 and 1.
public struct LinuxHost: HypercallHost {
    /// Whether PROTECT is mprotect(2) of this process's own view of guest memory; otherwise the image's ring-0 core does it.
    private let protectedView: UInt64?

    public init(protectedView: GuestMemory?) {
        self.protectedView = protectedView?.address
    }

    public mutating func writeConsole(_ bytes: RawSpan) -> Int64 {
        while true {
            let result = FileDescriptor.standardOutput.write(bytes)
            if result == ErrorNumber.again { _ = Poll.wait(.standardOutput, for: Poll.output) }
            guard result == ErrorNumber.again || result == ErrorNumber.interrupted else { return result }
        }
    }

    public mutating func readConsole(_ bytes: inout MutableRawSpan) -> Int64 {
        while true {
            let result = FileDescriptor.standardInput.read(into: &bytes)
            if result == ErrorNumber.again { _ = Poll.wait(.standardInput, for: Poll.input) }
            guard result == ErrorNumber.again || result == ErrorNumber.interrupted else { return result }
        }
    }

    public mutating func wait(nanoseconds: UInt64, console: Bool) -> Int64 {
        // A signal that arrives now finds nothing to report.
        brique_idle_set(1)
        defer { brique_idle_set(0) }
        return Poll.wait(console ? .standardInput : nil, for: Poll.input, nanoseconds: nanoseconds)
    }

    public mutating func monotonicTime() -> Int64 { Clock.nanoseconds(Clock.monotonic) }
    public mutating func wallTime() -> Int64 { Clock.nanoseconds(Clock.real) }

    public mutating func fillRandom(_ bytes: inout MutableRawSpan) -> Int64 { Random.fill(&bytes) }

    public mutating func protect(_ range: GuestRange, _ access: HeapAccess) -> Int64 {
        guard let protectedView else { return ErrorNumber.noCall }
        // PROT_READ is 1, PROT_WRITE 2.
        let protection: UInt64 =
            switch access {
            case .none: 0
            case .read: 1
            case .readWrite: 3
            }
        return Linux.call(__NR_mprotect, protectedView + UInt64(range.offset), UInt64(range.byteCount), protection)
    }
}
