import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import Time

extension linux_timespec {
    init(nanoseconds: UInt64) {
        self.init(tv_sec: Int64(nanoseconds / 1_000_000_000), tv_nsec: Int64(nanoseconds % 1_000_000_000))
    }

    /// `.einval`: not a time. One beyond all clocks is the latest there is.
    func nanoseconds() throws(Errno) -> UInt64 {
        guard tv_sec >= 0, tv_nsec >= 0, tv_nsec < 1_000_000_000 else { throw .einval }
        return tv_sec > 1 << 33 ? .max >> 1 : UInt64(tv_sec) * 1_000_000_000 + UInt64(tv_nsec)
    }
}

extension linux_timeval {
    init(nanoseconds: UInt64) {
        self.init(tv_sec: Int64(nanoseconds / 1_000_000_000), tv_usec: Int64(nanoseconds % 1_000_000_000 / 1000))
    }

    func nanoseconds() throws(Errno) -> UInt64 {
        guard tv_usec >= 0, tv_usec < 1_000_000 else { throw .einval }
        return try linux_timespec(tv_sec: tv_sec, tv_nsec: tv_usec * 1000).nanoseconds()
    }
}

extension LinuxThread {
    /// A clock by its number; a negative one is that of a process or a thread (clock_getcpuclockid(3)).
    private func clock(_ number: Int32) throws(Errno) -> ClockKind {
        if number >= 0 {
            guard let clock = ClockKind(rawValue: number) else { throw .einval }
            return clock
        }
        guard number & 7 != 3, number & 3 != 3 else { throw .einval }
        let identifier = ~(number >> 3)
        guard identifier == 0 || identifier == process.identifier || process.thread(identifier) != nil else { throw .einval }
        return number & 4 != 0 ? .threadTime : .processTime
    }

    private func nanoseconds(of clock: ClockKind) -> UInt64 {
        if clock.isWallTime { return process.system.wallTime.nanosecondsSince1970 }
        switch clock {
        case .processTime, .threadTime: return process.processorTime
        default: return process.system.now.nanoseconds
        }
    }

    static func sysClockGettime(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let clock = try thread.clock(arguments.int32(0))
        try thread.memory.write(linux_timespec(nanoseconds: thread.nanoseconds(of: clock)), at: arguments[1])
        return 0
    }

    static func sysClockGetres(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let clock = try thread.clock(arguments.int32(0))
        guard arguments[1] != 0 else { return 0 }
        let isCoarse = clock == .realTimeCoarse || clock == .monotonicCoarse
        try thread.memory.write(linux_timespec(tv_sec: 0, tv_nsec: isCoarse ? 4_000_000 : 1), at: arguments[1])
        return 0
    }

    /// Only the real-time clock could be set, and only by whoever keeps it.
    static func sysClockSettime(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard try thread.clock(arguments.int32(0)) == .realTime else { throw .einval }
        _ = try thread.memory.read(linux_timespec.self, at: arguments[1]).nanoseconds()
        throw .eperm
    }

    static func sysGettimeofday(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        if arguments[0] != 0 { try thread.memory.write(linux_timeval(nanoseconds: thread.nanoseconds(of: .realTime)), at: arguments[0]) }
        if arguments[1] != 0 { try thread.memory.write(linux_timezone(), at: arguments[1]) }
        return 0
    }

    static func sysTime(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let seconds = thread.nanoseconds(of: .realTime) / 1_000_000_000
        if arguments[0] != 0 { try thread.memory.write(seconds, at: arguments[0]) }
        return Int(seconds)
    }

    /// In ticks of a hundredth of a second.
    static func sysTimes(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        if arguments[0] != 0 {
            var times = linux_tms()
            times.tms_utime = Int64(thread.nanoseconds(of: .processTime) / 10_000_000)
            try thread.memory.write(times, at: arguments[0])
        }
        return Int(thread.process.system.now.nanoseconds / 10_000_000)
    }

    // MARK: Sleeping

    /// Until the deadline; a signal ends it with EINTR, and `remaining` is told how much is left.
    private func sleep(until deadline: Instant, remaining: UInt64) throws(Errno) {
        do throws(Errno) {
            while true { try wait(until: deadline) }
        } catch {
            if error == .etimedout { return }
            guard error == .restart else { throw error }
            if remaining != 0 {
                let now = process.system.now
                let left = deadline > now ? deadline.nanoseconds - now.nanoseconds : 0
                try memory.write(linux_timespec(nanoseconds: left), at: remaining)
            }
            throw .eintr
        }
    }

    static func sysNanosleep(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let time = try thread.memory.read(linux_timespec.self, at: arguments[0]).nanoseconds()
        let (end, overflow) = thread.process.system.now.nanoseconds.addingReportingOverflow(time)
        try thread.sleep(until: overflow ? .distantFuture : Instant(nanoseconds: end), remaining: arguments[1])
        return 0
    }

    static func sysClockNanosleep(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let clock = try thread.clock(arguments.int32(0))
        switch clock {
        case .threadTime: throw .einval
        case .monotonicRaw, .realTimeCoarse, .monotonicCoarse: throw .eopnotsupp
        case .realTime, .monotonic, .processTime, .bootTime, .realTimeAlarm, .bootTimeAlarm, .internationalAtomic: break
        }
        let time = try thread.memory.read(linux_timespec.self, at: arguments[2]).nanoseconds()
        let isAbsolute = arguments.int32(1) & 1 != 0
        let now = thread.process.system.now
        let shown = isAbsolute ? thread.nanoseconds(of: clock) : 0
        if isAbsolute, time <= shown { return 0 }
        let (end, overflow) = now.nanoseconds.addingReportingOverflow(time - shown)
        try thread.sleep(until: overflow ? .distantFuture : Instant(nanoseconds: end), remaining: isAbsolute ? 0 : arguments[3])
        return 0
    }
}
