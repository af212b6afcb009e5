import LinuxCalls

/// poll(2) of one descriptor, or of none.
enum Poll {
    /// POLLIN and POLLOUT.
    static let input: Int16 = 1, output: Int16 = 4

    /// 1 if the descriptor is ready (or will never be: that is for the next call to find), 0 when the time is over.
    static func wait(_ descriptor: FileDescriptor?, for events: Int16, nanoseconds: UInt64 = .max) -> Int64 {
        var entry = InlineArray<1, UInt64>(repeating: 0)
        if let descriptor {
            // struct pollfd: the descriptor, then events and revents of 16 bits each.
            entry[0] = descriptor.word & 0xffff_ffff | UInt64(UInt16(bitPattern: events)) << 32
        }
        var time = InlineArray<2, UInt64>(repeating: 0)
        time[0] = nanoseconds / 1_000_000_000
        time[1] = nanoseconds % 1_000_000_000
        // SAFETY: the kernel reads one pollfd and one timespec and writes them back; both arrays are exactly that and outlive the calls.
        return unsafe withUnsafeMutablePointer(to: &entry) { entry in
            unsafe withUnsafeMutablePointer(to: &time) { time in
                let entryAddress = UInt64(UInt(bitPattern: entry))
                let timeAddress = nanoseconds == .max ? 0 : UInt64(UInt(bitPattern: time))
                while true {
                    // The kernel leaves the rest of the time in the timespec, so an interrupted call is simply repeated.
                    let result = Linux.call(__NR_ppoll, entryAddress, descriptor == nil ? 0 : 1, timeAddress, 0, 8)
                    if result != ErrorNumber.interrupted { return result }
                }
            }
        }
    }
}

/// clock_gettime(2)
enum Clock {
    /// CLOCK_REALTIME and CLOCK_MONOTONIC.
    static let real: UInt64 = 0, monotonic: UInt64 = 1

    static func nanoseconds(_ clock: UInt64) -> Int64 {
        var time = InlineArray<2, Int64>(repeating: 0)
        // SAFETY: the kernel writes one timespec: two 64-bit words.
        let result = unsafe withUnsafeMutablePointer(to: &time) {
            Linux.call(__NR_clock_gettime, clock, UInt64(UInt(bitPattern: $0)))
        }
        return result < 0 ? result : time[0] &* 1_000_000_000 &+ time[1]
    }
}

/// getrandom(2)
enum Random {
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
