import LinuxCalls

/// ppoll(2) of the console and the links: five descriptors at most, or none.
struct Poll {
    /// POLLIN and POLLOUT.
    static let input: Int16 = 1, output: Int16 = 4

    /// struct pollfd: the descriptor, then events and revents of 16 bits each.
    private var entries = InlineArray<5, UInt64>(repeating: 0)
    private(set) var count = 0

    mutating func add(_ descriptor: FileDescriptor, for events: Int16) {
        entries[count] = descriptor.word & 0xffff_ffff | UInt64(UInt16(bitPattern: events)) << 32
        count += 1
    }

    /// Whether one of `events` was found; errors count as any of them, for that is for the next call to find.
    func isReady(_ index: Int, for events: Int16) -> Bool {
        let errors: UInt64 = 0x38  // POLLERR|POLLHUP|POLLNVAL
        return entries[index] >> 48 & (UInt64(UInt16(bitPattern: events)) | errors) != 0
    }

    /// How many are ready, 0 when the time is over.
    mutating func wait(nanoseconds: UInt64) -> Int64 {
        var time = InlineArray<2, UInt64>(repeating: 0)
        time[0] = nanoseconds / 1_000_000_000
        time[1] = nanoseconds % 1_000_000_000
        let count = UInt64(count)
        // SAFETY: the kernel reads `count` pollfds, no more than there are, and one timespec, and writes them back; both arrays outlive
        // the calls.
        return unsafe withUnsafeMutablePointer(to: &entries) { entries in
            unsafe withUnsafeMutablePointer(to: &time) { time in
                let entryAddress = UInt64(UInt(bitPattern: entries))
                let timeAddress = nanoseconds == .max ? 0 : UInt64(UInt(bitPattern: time))
                while true {
                    // The kernel leaves the rest of the time in the timespec, so an interrupted call is simply repeated.
                    let result = Linux.call(__NR_ppoll, entryAddress, count, timeAddress, 0, 8)
                    if result != ErrorNumber.interrupted { return result }
                }
            }
        }
    }

    static func wait(_ descriptor: FileDescriptor, for events: Int16, nanoseconds: UInt64 = .max) -> Int64 {
        var poll = Poll()
        poll.add(descriptor, for: events)
        return poll.wait(nanoseconds: nanoseconds)
    }
}

/// getrandom(2)
enum Random {
    /// Whether the kernel could write to every page of a range in this process: it tries one byte of each.
    static func canFill(_ address: UInt64, byteCount: UInt64) -> Bool {
        let page = InstanceMap.pageByteCount
        var next = address
        while next < address + byteCount {
            // SAFETY: the kernel checks the address, which is inside guest memory: a refusal is an answer.
            guard Linux.call(__NR_getrandom, next, 1, 0) == 1 else { return false }
            next = (next / page + 1) * page
        }
        return true
    }

    static func fill(_ bytes: inout MutableRawSpan) -> Int64 {
        // SAFETY: the kernel writes at most byteCount bytes at the span's start.
        unsafe bytes.withUnsafeMutableBytes { buffer in
            while true {
                let result = Linux.call(__NR_getrandom, UInt64(UInt(bitPattern: buffer.baseAddress)), UInt64(buffer.count), 0)
                if result != ErrorNumber.interrupted { return result }
            }
        }
    }
}
