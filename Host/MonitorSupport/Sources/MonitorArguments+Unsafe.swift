import LinuxCalls

/// The command line: IMAGE MEMORY_BYTES CONTROL_FD[,LINK…][,layer:FD] [ARGUMENT…], a link being FD:MAC:MTU:OFFLOADS.
/// The environment is the instance's.
@safe
public struct MonitorArguments {
    private let program: brique_host_program
    public let memoryByteCount: UInt64
    /// Where records go; nil: there is no tool, they go to standard error.
    public let control: FileDescriptor?
    public let links: HostLinks
    /// A file system over the image's root, open for reading.
    public let layer: FileDescriptor?
    /// Of the instance's own strings.
    public let argumentCount: UInt32
    public let environmentCount: UInt32
    public let stringsByteCount: UInt64

    public static var usage: StaticString { "usage: brique-monitor-… IMAGE MEMORY_BYTES CONTROL_FD|-[,LINK…][,layer:FD] [ARGUMENT…]" }
    private static let firstArgument = 4

    /// What this process was started with.
    public static func ofThisProcess() throws(Refusal) -> MonitorArguments {
        // SAFETY: the start of the program noted what the kernel passed.
        try unsafe MonitorArguments(brique_host_program())
    }

    /// `program` holds what execve(2) was given.
    @unsafe public init(_ program: brique_host_program) throws(Refusal) {
        guard unsafe program.argument_count >= UInt64(Self.firstArgument) && program.argument_count < 1 << 20 else {
            throw Refusal(.usage, Self.usage)
        }
        unsafe self.program = program
        // SAFETY: the kernel passes argument_count strings, each with its terminating zero (execve(2)).
        guard let memory = unsafe Self.decimal(program.arguments[2]) else { throw Refusal(.usage, "MEMORY_BYTES is not a number") }
        memoryByteCount = memory
        let descriptors = try unsafe Self.descriptors(program.arguments[3]!)
        control = descriptors.control
        links = descriptors.links
        layer = descriptors.layer
        argumentCount = unsafe UInt32(program.argument_count) - UInt32(Self.firstArgument)
        var byteCount: UInt64 = 0
        for index in Self.firstArgument..<(unsafe Int(program.argument_count)) {
            byteCount += unsafe UInt64(Self.byteCount(program.arguments[index]!))
        }
        var count: UInt32 = 0
        while let string = unsafe program.environment[Int(count)] {
            byteCount += unsafe UInt64(Self.byteCount(string))
            count += 1
        }
        environmentCount = count
        stringsByteCount = byteCount
    }

    /// Opens the image: a regular file.
    public func openImage() throws(Refusal) -> FileDescriptor {
        // O_RDONLY|O_CLOEXEC|O_NOCTTY|O_NONBLOCK: a FIFO must not block, and is then refused for having no size.
        let flags: UInt64 = 0o2000000 | 0o400 | 0o4000
        // SAFETY: as in init.
        let path = unsafe UInt64(UInt(bitPattern: program.arguments[1]))
        let atWorkingDirectory = UInt64(bitPattern: -100)
        let result = Linux.call(__NR_openat, atWorkingDirectory, path, flags)
        return try FileDescriptor(result, otherwise: .imageUnreadable, "cannot open the image")
    }

    /// Writes arguments and environment, each with its terminating zero, one after the other: exactly `stringsByteCount` bytes.
    func writeStrings(into bytes: inout MutableRawSpan) {
        precondition(UInt64(bytes.byteCount) == stringsByteCount)
        var offset = 0
        func copy(_ string: UnsafePointer<CChar>, _ bytes: inout MutableRawSpan) {
            // SAFETY: the string has a terminating zero; the store checks its own offset.
            var index = 0
            repeat {
                let byte = unsafe string[index]
                bytes.storeBytes(of: byte, toByteOffset: offset, as: CChar.self)
                offset += 1
                index += 1
                if byte == 0 { return }
            } while true
        }
        // SAFETY: as in init; both arrays were counted there.
        for index in Self.firstArgument..<(unsafe Int(program.argument_count)) { unsafe copy(program.arguments[index]!, &bytes) }
        for index in 0..<Int(environmentCount) { unsafe copy(program.environment[index]!, &bytes) }
    }

    private static func byteCount(_ string: UnsafePointer<CChar>) -> Int {
        var count = 0
        // SAFETY: the string has a terminating zero.
        while unsafe string[count] != 0 { count += 1 }
        return count + 1
    }

    private static func decimal(_ string: UnsafePointer<CChar>?) -> UInt64? {
        // SAFETY: the string has a terminating zero, where this stops.
        guard let string = unsafe string, unsafe string[0] != 0 else { return nil }
        var value: UInt64 = 0
        var index = 0
        while unsafe string[index] != 0 {
            let digit = unsafe UInt64(UInt8(bitPattern: string[index]) &- 0x30)
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard digit < 10, !overflow, product <= UInt64.max - digit else { return nil }
            value = product + digit
            index += 1
        }
        return value
    }
}
