import BootFormat
import LinuxCalls

/// The host as system calls: the console is descriptors 0 and 1, links are descriptors of their own.
public struct LinuxHost: HypercallHost {
    /// Whether PROTECT is mprotect(2) of this process's own view of guest memory; otherwise the image's ring-0 core does it.
    private let protectedView: UInt64?
    public let links: HostLinks
    /// Links whose other end is gone, as their events: they are never ready again.
    var closedLinks: UInt64 = 0
    public let timer: TickTimer?
    /// What programs' pages are mapped from in this process.
    public let files: ProgramFiles?
    private let clock = Clock()

    /// The links' descriptors no longer block from now on. `timer` nil: there are no ticks. `files` nil: programs have no pages, or the
    /// image maps them itself.
    public init(protectedView: GuestMemory?, links: HostLinks, timer: TickTimer? = nil, files: ProgramFiles? = nil) {
        self.timer = timer
        self.files = files
        self.protectedView = protectedView?.address
        self.links = links
        for index in 0..<links.count { links[index].descriptor.setNonBlocking() }
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

    public mutating func wait(nanoseconds: UInt64, events: UInt64) -> Int64 {
        var poll = Poll()
        var names = InlineArray<5, UInt64>(repeating: 0)
        if events & UInt64(BRIQUE_EVENT_CONSOLE_INPUT) != 0 {
            names[poll.count] = UInt64(BRIQUE_EVENT_CONSOLE_INPUT)
            poll.add(.standardInput, for: Poll.input)
        }
        for index in 0..<links.count where events & ~closedLinks & HostLinks.event(index) != 0 {
            names[poll.count] = HostLinks.event(index)
            poll.add(links[index].descriptor, for: Poll.input)
        }
        // A signal that arrives now finds nothing to report.
        brique_idle_set(1)
        defer { brique_idle_set(0) }
        let result = poll.wait(nanoseconds: nanoseconds)
        guard result > 0 else { return result }
        var ready: UInt64 = 0
        for index in 0..<poll.count where poll.isReady(index, for: -1) { ready |= names[index] }
        return Int64(ready)
    }

    public mutating func monotonicTime() -> Int64 { clock.nanoseconds(Clock.monotonic) }
    public mutating func wallTime() -> Int64 { clock.nanoseconds(Clock.real) }

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

    public mutating func canWrite(_ range: GuestRange) -> Bool {
        // Only a process shares its protection with the guest.
        guard let protectedView else { return true }
        return Random.canFill(protectedView + UInt64(range.offset), byteCount: UInt64(range.byteCount))
    }

    public mutating func mapProgram(_ address: UInt64, _ byteCount: UInt64, _ pages: ProgramPages, _ access: ProgramAccess) -> Int64 {
        files?.map(address, byteCount, pages, access) ?? ErrorNumber.noCall
    }

    public mutating func unmapProgram(_ address: UInt64, _ byteCount: UInt64) -> Int64 {
        files?.unmap(address, byteCount) ?? ErrorNumber.noCall
    }

    public mutating func tick(nanoseconds: UInt64) -> Int64 { timer?.set(nanoseconds: nanoseconds) ?? ErrorNumber.noCall }

    // MARK: Links

    /// How long a full link may take to make room.
    private static let roomNanoseconds: UInt64 = 10_000_000

    public mutating func waitForRoom(on link: Int) -> Bool {
        var poll = Poll()
        poll.add(links[link].descriptor, for: Poll.input | Poll.output)
        return poll.wait(nanoseconds: Self.roomNanoseconds) > 0 && poll.isReady(0, for: Poll.output)
    }

    public mutating func transmit(_ frame: FrameBuffers, in view: GuestMemory, on link: Int) -> Int64 {
        while true {
            let result = links[link].descriptor.write(frame, in: view)
            if result != ErrorNumber.interrupted { return result }
        }
    }

    public mutating func receive(into bytes: inout MutableRawSpan, on link: Int) -> Int64 {
        while true {
            let result = links[link].descriptor.read(into: &bytes)
            switch result {
            case ErrorNumber.interrupted: continue
            case ErrorNumber.again, ErrorNumber.fault: return result
            default:
                if result <= 0 { closedLinks |= HostLinks.event(link) }
                return result
            }
        }
    }
}
