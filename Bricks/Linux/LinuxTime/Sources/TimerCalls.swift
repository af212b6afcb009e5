import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import Time
import VFS

extension IntervalTimer {
    var specification: linux_itimerspec {
        linux_itimerspec(it_interval: linux_timespec(nanoseconds: interval), it_value: linux_timespec(nanoseconds: remaining))
    }
}

extension LinuxThread {
    // MARK: setitimer(2)

    private func intervalTimer(_ which: Int32) throws(Errno) -> SignalTimer {
        guard which >= 0, which < 3 else { throw .einval }
        let services = process.timeServices
        if let timer = services.intervalTimers[Int(which)] { return timer }
        // SIGALRM, SIGVTALRM, SIGPROF
        let signal: Int32 = which == 0 ? 14 : which == 1 ? 26 : 27
        let timer = SignalTimer(process, .monotonic, signal: signal, isQueued: false)
        services.intervalTimers[Int(which)] = timer
        return timer
    }

    private func intervals(_ timer: SignalTimer) -> linux_itimerval {
        // What is less than a microsecond is still not zero, which would mean "not armed".
        let left = timer.isArmed ? max(timer.remaining, 1000) : 0
        return linux_itimerval(it_interval: linux_timeval(nanoseconds: timer.interval), it_value: linux_timeval(nanoseconds: left))
    }

    static func sysGetitimer(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.memory.write(thread.intervals(try thread.intervalTimer(arguments.int32(0))), at: arguments[1])
        return 0
    }

    static func sysSetitimer(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var value: UInt64 = 0, interval: UInt64 = 0
        if arguments[1] != 0 {
            let wanted = try thread.memory.read(linux_itimerval.self, at: arguments[1])
            value = try wanted.it_value.nanoseconds()
            interval = try wanted.it_interval.nanoseconds()
        }
        let timer = try thread.intervalTimer(arguments.int32(0))
        let old = thread.intervals(timer)
        timer.set(value, interval: interval, isAbsolute: false)
        if arguments[2] != 0 { try thread.memory.write(old, at: arguments[2]) }
        return 0
    }

    /// Seconds that were left, rounded as Linux does.
    static func sysAlarm(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let timer = try thread.intervalTimer(0)
        let left = timer.remaining
        timer.set(UInt64(arguments.uint32(0)) * 1_000_000_000, interval: 0, isAbsolute: false)
        let seconds = Int(left / 1_000_000_000)
        return seconds + (left % 1_000_000_000 >= 500_000_000 || (seconds == 0 && left > 0) ? 1 : 0)
    }

    // MARK: timer_create(2)

    private static func timerClock(_ number: Int32) throws(Errno) -> ClockKind {
        // Processor time, one's own or another's, is the time that passes.
        if number < 0 { return .monotonic }
        guard let clock = ClockKind(rawValue: number) else { throw .einval }
        switch clock {
        case .monotonicRaw, .realTimeCoarse, .monotonicCoarse: throw .eopnotsupp
        case .processTime, .threadTime: return .monotonic
        case .realTime, .monotonic, .bootTime, .realTimeAlarm, .bootTimeAlarm, .internationalAtomic: return clock
        }
    }

    static func sysTimerCreate(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let clock = try timerClock(arguments.int32(0))
        var signal = Signal.alarm, target: Int32 = 0
        var value: UInt64?
        if arguments[1] != 0 {
            let event = try thread.memory.read(linux_signal_event.self, at: arguments[1])
            signal = event.sigev_signo
            value = event.sigev_value
            switch event.sigev_notify {
            case 0, 2: break
            case 1: signal = 0
            case 4:
                target = event.sigev_notify_thread_id
                guard thread.process.thread(target) != nil else { throw .einval }
            default: throw .einval
            }
            guard event.sigev_notify == 1 || Signal.isValid(signal) else { throw .einval }
        }
        let services = thread.process.timeServices
        let timer = SignalTimer(thread.process, clock, signal: signal, thread: target, isQueued: true)
        try services.add(timer)
        timer.value = value ?? UInt64(UInt32(bitPattern: timer.identifier))
        do throws(Errno) {
            try thread.memory.write(timer.identifier, at: arguments[2])
        } catch {
            try services.remove(timer.identifier)
            throw error
        }
        return 0
    }

    static func sysTimerSettime(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments[2] != 0 else { throw .einval }
        let wanted = try thread.memory.read(linux_itimerspec.self, at: arguments[2])
        let value = try wanted.it_value.nanoseconds(), interval = try wanted.it_interval.nanoseconds()
        let timer = try thread.process.timeServices.timer(arguments.int32(0))
        let old = timer.specification
        timer.forgetOverrun()
        timer.set(value, interval: interval, isAbsolute: arguments.int32(1) & 1 != 0)
        if arguments[3] != 0 { try thread.memory.write(old, at: arguments[3]) }
        return 0
    }

    static func sysTimerGettime(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.memory.write(try thread.process.timeServices.timer(arguments.int32(0)).specification, at: arguments[1])
        return 0
    }

    static func sysTimerGetoverrun(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        Int(try thread.process.timeServices.timer(arguments.int32(0)).overrunCount)
    }

    static func sysTimerDelete(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.process.timeServices.remove(arguments.int32(0))
        return 0
    }

    // MARK: timerfd_create(2)

    static func sysTimerfdCreate(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = OpenFlags(rawValue: arguments.uint32(1))
        guard flags.isSubset(of: [.nonBlock, .closeOnExec]), let clock = ClockKind(rawValue: arguments.int32(0)), clock.canTime else {
            throw .einval
        }
        let file = TimerFile(thread.process.timeServices.source, clock, flags)
        file.retain()
        defer { file.release() }
        return Int(try thread.process.descriptors.insert(file, closesOnExec: flags.contains(.closeOnExec)))
    }

    private func timerFile(_ descriptor: Int32) throws(Errno) -> TimerFile {
        guard let file = try process.descriptors[descriptor] as? TimerFile else { throw .einval }
        return file
    }

    static func sysTimerfdSettime(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.uint32(1) & ~3 == 0 else { throw .einval }
        let wanted = try thread.memory.read(linux_itimerspec.self, at: arguments[2])
        let value = try wanted.it_value.nanoseconds(), interval = try wanted.it_interval.nanoseconds()
        let file = try thread.timerFile(arguments.descriptor(0))
        let old = file.timer.specification
        file.set(value, interval: interval, isAbsolute: arguments.int32(1) & 1 != 0)
        if arguments[3] != 0 { try thread.memory.write(old, at: arguments[3]) }
        return 0
    }

    static func sysTimerfdGettime(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.memory.write(try thread.timerFile(arguments.descriptor(0)).timer.specification, at: arguments[1])
        return 0
    }
}
