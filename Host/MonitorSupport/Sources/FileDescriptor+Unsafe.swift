import LinuxCalls

/// An open file. Whoever opens it closes it.
public struct FileDescriptor: Equatable, Sendable {
    public let number: Int32
    public init(_ number: Int32) { self.number = number }

    public static let standardInput = FileDescriptor(0)
    public static let standardOutput = FileDescriptor(1)
    public static let standardError = FileDescriptor(2)

    var word: UInt64 { UInt64(UInt32(bitPattern: number)) }

    /// The descriptor that a system call answered, or the refusal to report.
    public init(_ result: Int64, otherwise status: RefusalStatus, _ text: StaticString) throws(Refusal) {
        guard result >= 0 else { throw Refusal(status, text, errno: result) }
        self.init(Int32(truncatingIfNeeded: result))
    }

    public func close() { _ = Linux.call(__NR_close, word) }

    /// Closes what the parent left open, but for 0, 1, 2 and what the arguments name (close_range(2)).
    public static func closeAll(except arguments: MonitorArguments) {
        var first: UInt64 = 3
        while true {
            var kept = UInt64(UInt32.max)
            if let control = arguments.control, control.word >= first { kept = control.word }
            if let layer = arguments.layer, layer.word >= first { kept = min(kept, layer.word) }
            for index in 0..<arguments.links.count {
                let word = arguments.links[index].descriptor.word
                if word >= first { kept = min(kept, word) }
            }
            guard kept < UInt64(UInt32.max) else { break }
            if kept > first { _ = Linux.call(__NR_close_range, first, kept - 1) }
            first = kept + 1
        }
        _ = Linux.call(__NR_close_range, first, UInt64(UInt32.max))
    }

    /// fcntl(2), O_NONBLOCK. It holds for every copy of the descriptor.
    public func setNonBlocking() {
        let flags = Linux.call(__NR_fcntl, word, 3)
        if flags >= 0 { _ = Linux.call(__NR_fcntl, word, 4, UInt64(flags) | 0o4000) }
    }

    /// fcntl(2), F_GETFL: O_ACCMODE is O_RDONLY.
    var isReadOnly: Bool { Linux.call(__NR_fcntl, word, 3) & 3 == 0 }

    /// write(2)
    public func write(_ bytes: RawSpan) -> Int64 {
        // SAFETY: the kernel reads byteCount bytes at the span's start, which the span keeps valid for the call.
        unsafe bytes.withUnsafeBytes { Linux.call(__NR_write, word, UInt64(UInt(bitPattern: $0.baseAddress)), UInt64($0.count)) }
    }

    /// writev(2) of pieces of guest memory, as `view` maps it.
    public func write(_ frame: FrameBuffers, in view: GuestMemory) -> Int64 {
        // struct iovec: an address and a byte count.
        var vectors = InlineArray<16, UInt64>(repeating: 0)
        for index in 0..<frame.count {
            vectors[2 * index] = view.address + UInt64(frame[index].offset)
            vectors[2 * index + 1] = UInt64(frame[index].byteCount)
        }
        // SAFETY: the kernel reads frame.count of the vectors, which outlive the call, and the memory that they name, which the view
        // keeps mapped; where the guest protected it, the kernel answers EFAULT.
        return unsafe withUnsafeMutablePointer(to: &vectors) {
            Linux.call(__NR_writev, word, UInt64(UInt(bitPattern: $0)), UInt64(frame.count))
        }
    }

    /// read(2)
    public func read(into bytes: inout MutableRawSpan) -> Int64 {
        // SAFETY: the kernel writes at most byteCount bytes at the span's start, which the span keeps exclusive for the call.
        unsafe bytes.withUnsafeMutableBytes {
            Linux.call(__NR_read, word, UInt64(UInt(bitPattern: $0.baseAddress)), UInt64($0.count))
        }
    }

    /// pread(2), as often as it takes to fill `bytes`: the bytes read, less only at the end of the file, or minus an errno.
    public func read(at offset: Int, into bytes: inout MutableRawSpan) -> Int64 {
        // SAFETY: as in read(into:); done never exceeds the count.
        unsafe bytes.withUnsafeMutableBytes { buffer in
            var done = 0
            while done < buffer.count {
                let address = UInt64(UInt(bitPattern: buffer.baseAddress)) + UInt64(done)
                let result = Linux.call(__NR_pread64, word, address, UInt64(buffer.count - done), UInt64(offset + done))
                if result == ErrorNumber.interrupted { continue }
                guard result > 0 else { return result < 0 ? result : Int64(done) }
                done += min(Int(result), buffer.count - done)
            }
            return Int64(done)
        }
    }

    /// lseek(2) to the end: the size of a regular file.
    public var byteCount: Int64 { Linux.call(__NR_lseek, word, 0, 2) }

    /// Writes a whole line with as few calls as the other side allows; gives up when it is gone.
    public func writeAll(_ text: borrowing TextBuffer) {
        // SAFETY: bytes are bytes: their raw view shows nothing uninitialized.
        var rest = unsafe text.bytes.bytes
        while rest.byteCount > 0 {
            let result = write(rest)
            if result == ErrorNumber.interrupted { continue }
            guard result > 0, result <= Int64(rest.byteCount) else { return }
            rest = rest.extracting(droppingFirst: Int(result))
        }
    }
}

extension FileDescriptor {
    /// open(2) of a constant path, O_RDWR|O_CLOEXEC: a descriptor, or minus an errno.
    public static func open(_ path: StaticString) -> Int64 {
        // SAFETY: a string literal ends with a zero.
        Linux.call(__NR_openat, UInt64(bitPattern: -100), unsafe UInt64(UInt(bitPattern: path.utf8Start)), 0o2000002)
    }

    /// ioctl(2). `argument` is a number, or the address of the structure that `request` wants.
    public func control(_ request: UInt64, _ argument: UInt64) -> Int64 { Linux.call(__NR_ioctl, word, request, argument) }

    /// mmap(2), shared, readable, writable and present, from the start of the file: its address.
    public static func mapShared(_ file: FileDescriptor, byteCount: UInt64) -> UInt? {
        let result = Linux.call(__NR_mmap, 0, byteCount, 3, 1 | 0x8000, file.word, 0)
        return result > 0 ? UInt(result) : nil
    }
}
