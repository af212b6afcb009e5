import CHypercalls
import CLinuxFormat
import Errno
import LinuxMemory

extension LinuxThread {
    /// The size of a signal set, which each call is told.
    static func checkSetSize(_ byteCount: UInt64) throws(Errno) {
        guard byteCount == 8 else { throw .einval }
    }

    /// SA_… that sigaction(2) keeps.
    private static var knownActionFlags: UInt64 { 0xdc00_0807 }

    static func sysRtSigaction(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let signal = arguments.int32(0)
        try checkSetSize(arguments[3])
        var action: linux_signal_action?
        if arguments[1] != 0 { action = try thread.memory.read(linux_signal_action.self, at: arguments[1]) }
        guard Signal.isValid(signal) else { throw .einval }
        let old = thread.process.signals.action(signal)
        if var action {
            guard Signal.bit(signal) & Signal.unblockable == 0 else { throw .einval }
            action.flags &= knownActionFlags
            action.mask &= ~Signal.unblockable
            thread.process.setAction(signal, action)
        }
        if arguments[2] != 0 { try thread.memory.write(old, at: arguments[2]) }
        return 0
    }

    static func sysRtSigprocmask(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try checkSetSize(arguments[3])
        let old = thread.signals.mask
        if arguments[1] != 0 {
            let set = try thread.memory.read(UInt64.self, at: arguments[1])
            switch arguments.int32(0) {
            case 0: thread.changeMask(old | set)
            case 1: thread.changeMask(old & ~set)
            case 2: thread.changeMask(set)
            default: throw .einval
            }
        }
        if arguments[2] != 0 { try thread.memory.write(old, at: arguments[2]) }
        return 0
    }

    /// What is blocked now and pending for the process may be another thread's to take.
    func changeMask(_ mask: UInt64) {
        let blocked = mask & ~signals.mask & process.signals.pending.set
        setMask(mask)
        if blocked != 0 { process.wakeTaker(of: blocked) }
    }

    static func sysRtSigreturn(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        thread.returnFromHandler()
        return Int(Int64(bitPattern: thread.context.registers.rax))
    }
}

extension LinuxProcess {
    /// A signal that becomes ignored is no longer pending.
    func setAction(_ signal: Int32, _ action: linux_signal_action) {
        signals.actions[Int(signal - 1)] = action
        guard signals.isIgnored(signal) else { return }
        signals.pending.remove(Signal.bit(signal))
        for thread in threads { thread.signals.pending.remove(Signal.bit(signal)) }
    }
}
