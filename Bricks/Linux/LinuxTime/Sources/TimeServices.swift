import CLinuxFormat
import Errno
import LinuxProcess
import Time

/// The timers of a process: it hangs on the process.
public final class TimeServices {
    public static var timerLimit: Int { 4096 }

    public let source: TimeSource
    /// ITIMER_REAL, _VIRTUAL, _PROF
    var intervalTimers: [SignalTimer?] = [nil, nil, nil]
    private var timers: [SignalTimer?] = []

    public init(_ source: TimeSource) { self.source = source }

    func add(_ timer: SignalTimer) throws(Errno) {
        if let free = timers.firstIndex(where: { $0 == nil }) {
            timer.identifier = Int32(free)
            timers[free] = timer
            return
        }
        guard timers.count < Self.timerLimit else { throw .eagain }
        timer.identifier = Int32(timers.count)
        timers.append(timer)
    }

    func timer(_ identifier: Int32) throws(Errno) -> SignalTimer {
        guard identifier >= 0, Int(identifier) < timers.count, let timer = timers[Int(identifier)] else { throw .einval }
        return timer
    }

    func remove(_ identifier: Int32) throws(Errno) {
        try timer(identifier).disarm()
        timers[Int(identifier)] = nil
    }
}

extension LinuxProcess {
    var timeServices: TimeServices {
        for attachment in attachments { if let services = attachment as? TimeServices { return services } }
        let services = TimeServices(TimeSource())
        attachments.append(services)
        return services
    }
}

/// A timer that sends a signal: setitimer(2), timer_create(2).
final class SignalTimer: IntervalTimer, @unchecked Sendable {
    private let process: LinuxProcess
    /// 0: none is sent.
    private let signal: Int32
    /// SIGEV_THREAD_ID; 0: to the process.
    private let thread: Int32
    /// SI_TIMER tells of it; setitimer's signals are plain ones of the kernel.
    private let isQueued: Bool
    var value: UInt64
    var identifier: Int32 = 0
    private var overrun: UInt64 = 0

    init(_ process: LinuxProcess, _ clock: ClockKind, signal: Int32, thread: Int32 = 0, isQueued: Bool, value: UInt64 = 0) {
        self.process = process
        self.signal = signal
        self.thread = thread
        self.isQueued = isQueued
        self.value = value
        super.init(process.timeServices.source, clock)
    }

    /// Expirations beyond the one that the last signal told of.
    var overrunCount: Int32 { Int32(clamping: overrun) }
    func forgetOverrun() { overrun = 0 }

    override func expired(_ count: UInt64) {
        guard signal > 0 else { return }
        let target = thread == 0 ? nil : process.thread(thread)
        if thread != 0, target == nil { return }
        if isQueued, process.setOverrun(overrun &+ count, ofTimer: identifier, signal, for: target) {
            overrun &+= count
            return
        }
        overrun = count - 1
        // SI_TIMER, SI_KERNEL
        var information = linux_signal_information(signal: signal, code: isQueued ? -2 : 0x80)
        if isQueued {
            information.words.0 = UInt64(UInt32(bitPattern: identifier)) | overrun << 32
            information.words.1 = value
        }
        if let target { target.send(information) } else { process.send(information) }
    }
}
