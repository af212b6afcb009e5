import CLinuxFormat
import Errno

/// The numbers of signal(7) that the library OS itself uses.
public enum Signal {
    public static var illegal: Int32 { 4 }
    public static var trap: Int32 { 5 }
    public static var abort: Int32 { 6 }
    public static var bus: Int32 { 7 }
    public static var arithmetic: Int32 { 8 }
    public static var kill: Int32 { 9 }
    public static var segment: Int32 { 11 }
    public static var pipe: Int32 { 13 }
    public static var alarm: Int32 { 14 }
    public static var child: Int32 { 17 }
    public static var resume: Int32 { 18 }
    public static var stop: Int32 { 19 }
    public static var count: Int32 { 64 }
    public static var firstRealTime: Int32 { 32 }

    public static func isValid(_ signal: Int32) -> Bool { signal >= 1 && signal <= count }
    public static func bit(_ signal: Int32) -> UInt64 { 1 << UInt64(signal - 1) }
    /// SIGKILL and SIGSTOP: never blocked, caught or ignored.
    public static var unblockable: UInt64 { bit(kill) | bit(stop) }

    enum DefaultAction { case end, ignore, stop, resume }
    static func defaultAction(_ signal: Int32) -> DefaultAction {
        switch signal {
        case 17, 23, 28: .ignore  // SIGCHLD, SIGURG, SIGWINCH
        case 18: .resume
        case 19, 20, 21, 22: .stop
        default: .end
        }
    }
}

/// What is pending, in the order of signal(7): standard signals once each, real-time signals queued.
public struct SignalQueue {
    public private(set) var set: UInt64 = 0
    private var waiting: [linux_signal_information] = []
    public var isEmpty: Bool { self.set == 0 }
    public var count: Int { waiting.count }

    /// False: a real-time signal that no longer fits.
    @discardableResult
    mutating func add(_ information: linux_signal_information, limit: Int) -> Bool {
        let signal = information.si_signo
        if signal < Signal.firstRealTime, set & Signal.bit(signal) != 0 { return true }
        if signal >= Signal.firstRealTime, waiting.count >= limit { return false }
        waiting.append(information)
        set |= Signal.bit(signal)
        return true
    }

    /// The first one of `wanted`, lowest number first; faults of the thread's own before all others.
    mutating func take(_ wanted: UInt64) -> linux_signal_information? {
        var candidates = set & wanted
        guard candidates != 0 else { return nil }
        let faults: UInt64 = 1 << 3 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 10
        if candidates & faults != 0 { candidates &= faults }
        let signal = Int32(candidates.trailingZeroBitCount) + 1
        guard let index = waiting.firstIndex(where: { $0.si_signo == signal }) else { return nil }
        let information = waiting.remove(at: index)
        if !waiting.contains(where: { $0.si_signo == signal }) { set &= ~Signal.bit(signal) }
        return information
    }

    /// SI_TIMER (-2): what a timer's signal that waits tells grows. False: none of it waits.
    mutating func setOverrun(_ count: UInt64, ofTimer identifier: Int32, _ signal: Int32) -> Bool {
        guard set & Signal.bit(signal) != 0 else { return false }
        for index in waiting.indices where waiting[index].si_signo == signal && waiting[index].si_code == -2 {
            guard UInt32(truncatingIfNeeded: waiting[index].words.0) == UInt32(bitPattern: identifier) else { continue }
            waiting[index].words.0 = UInt64(UInt32(bitPattern: identifier)) | UInt64(min(count, UInt64(Int32.max))) << 32
            return true
        }
        return false
    }

    mutating func remove(_ unwanted: UInt64) {
        guard set & unwanted != 0 else { return }
        waiting.removeAll { unwanted & Signal.bit($0.si_signo) != 0 }
        set &= ~unwanted
    }
}

public struct ProcessSignals {
    /// By number minus one.
    var actions = [linux_signal_action](repeating: linux_signal_action(), count: 64)
    public internal(set) var pending = SignalQueue()

    public func action(_ signal: Int32) -> linux_signal_action { actions[Int(signal - 1)] }
    func isIgnored(_ signal: Int32) -> Bool {
        let handler = action(signal).handler
        return handler == 1 || (handler == 0 && Signal.defaultAction(signal) == .ignore)
    }
    public func isCaught(_ signal: Int32) -> Bool { action(signal).handler > 1 }
    public var caughtSet: UInt64 { numbers { $0 > 1 } }
    public var ignoredSet: UInt64 { numbers { $0 == 1 } }
    private func numbers(_ matches: (UInt64) -> Bool) -> UInt64 {
        var set: UInt64 = 0
        for index in 0..<64 where matches(actions[index].handler) { set |= 1 << UInt64(index) }
        return set
    }
}

extension ProcessSignals {
    /// Handlers go with the code that they were; what is ignored stays so.
    mutating func resetForExec() {
        for index in 0..<64 where actions[index].handler > 1 { actions[index] = linux_signal_action() }
    }
}

extension ThreadSignals {
    mutating func resetForExec() {
        stack = linux_signal_stack(ss_sp: 0, ss_flags: 2, padding: 0, ss_size: 0)
        savedMask = nil
        awaited = 0
    }
}

public struct ThreadSignals {
    public internal(set) var mask: UInt64 = 0
    public internal(set) var pending = SignalQueue()
    /// sigaltstack(2); flags 2 (SS_DISABLE): none.
    var stack = linux_signal_stack(ss_sp: 0, ss_flags: 2, padding: 0, ss_size: 0)
    /// What the mask was before sigsuspend(2) and its like; the next handler returns to it.
    var savedMask: UInt64?
    /// Signals that sigtimedwait(2) waits for: they wake it although they are blocked.
    var awaited: UInt64 = 0
}

extension linux_signal_information {
    public init(signal: Int32, code: Int32) {
        self.init()
        si_signo = signal
        si_code = code
    }

    /// SI_USER, SI_TKILL or SI_QUEUE of a sender.
    static func sent(_ signal: Int32, code: Int32, by process: LinuxProcess) -> linux_signal_information {
        var information = linux_signal_information(signal: signal, code: code)
        information.words.0 = UInt64(UInt32(bitPattern: process.identifier)) | UInt64(process.credentials.user) << 32
        return information
    }
}

extension LinuxThread {
    /// Whether a signal waits that the thread would act on.
    public var hasSignal: Bool {
        (signals.pending.set | process.signals.pending.set) & (~signals.mask | signals.awaited) != 0
    }

    /// tgkill(2): to this thread.
    @discardableResult
    public func send(_ information: linux_signal_information) -> Bool {
        let signal = information.si_signo
        process.prepare(signal)
        if process.isDropped(signal, blockedBy: signals.mask | signals.awaited) { return true }
        guard signals.pending.add(information, limit: Int(clamping: process.limits.soft[11])) else { return false }
        if hasSignal { interrupt() }
        process.pendingChanged()
        return true
    }

    /// Another mask until the end of this call, or until the handler returns that ends it (ppoll(2), sigsuspend(2)).
    public func setMaskDuringCall(_ mask: UInt64) {
        signals.savedMask = signals.mask
        setMask(mask)
    }

    /// pthread_sigmask(3).
    public func setMask(_ mask: UInt64) { signals.mask = mask & ~Signal.unblockable }
}

extension LinuxProcess {
    /// kill(2): to whichever thread takes it. False: the queue is full.
    @discardableResult
    public func send(_ information: linux_signal_information) -> Bool {
        let signal = information.si_signo
        prepare(signal)
        var blocked = UInt64.max
        for thread in threads { blocked &= thread.signals.mask | thread.signals.awaited }
        if isDropped(signal, blockedBy: blocked) { return true }
        guard signals.pending.add(information, limit: Int(clamping: limits.soft[11])) else { return false }
        wakeTaker(of: Signal.bit(signal))
        pendingChanged()
        return true
    }

    /// A thread that runs looks on its way out; else one that waits is woken.
    func wakeTaker(of set: UInt64) {
        for thread in threads where (~thread.signals.mask | thread.signals.awaited) & set != 0 {
            if thread.isBlocked { thread.interrupt() }
            return
        }
    }

    /// A timer expired again: the signal that waits for it, of a thread's or of the process's, tells so. False: none waits.
    public func setOverrun(_ count: UInt64, ofTimer identifier: Int32, _ signal: Int32, for thread: LinuxThread?) -> Bool {
        if let thread { return thread.signals.pending.setOverrun(count, ofTimer: identifier, signal) }
        return signals.pending.setOverrun(count, ofTimer: identifier, signal)
    }

    /// A plain kill of one's own.
    public func send(_ signal: Int32, code: Int32 = 0x80) { send(linux_signal_information(signal: signal, code: code)) }

    /// SIGCONT and the stop signals cancel each other.
    func prepare(_ signal: Int32) {
        let stops: UInt64 = 0xf << 18 & ~Signal.bit(Signal.resume)
        if signal == Signal.resume {
            signals.pending.remove(stops)
            for thread in threads { thread.signals.pending.remove(stops) }
        } else if stops & Signal.bit(signal) != 0 {
            signals.pending.remove(Signal.bit(Signal.resume))
            for thread in threads { thread.signals.pending.remove(Signal.bit(Signal.resume)) }
        }
    }

    /// An ignored signal is dropped when it is sent, unless it is blocked.
    func isDropped(_ signal: Int32, blockedBy mask: UInt64) -> Bool { mask & Signal.bit(signal) == 0 && signals.isIgnored(signal) }

    /// signalfd(2) looks.
    func pendingChanged() {
        for watcher in signalWatchers { watcher() }
    }

    /// A signal of `set` that is pending for `thread`, taken away: sigtimedwait(2), signalfd(2).
    public func takeSignal(_ set: UInt64, for thread: LinuxThread) -> linux_signal_information? {
        thread.signals.pending.take(set) ?? signals.pending.take(set)
    }
}
