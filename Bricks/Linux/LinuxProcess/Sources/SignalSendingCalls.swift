import CLinuxFormat
import Errno
import LinuxMemory

// Signals that a program sends; all of them go to itself.
extension LinuxThread {
    /// SI_TKILL
    private static var toThread: Int32 { -6 }

    static func sysKill(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let process = thread.process
        let target = arguments.int32(0), signal = arguments.int32(1)
        // The own group is the process's; all others but itself are none.
        guard target == 0 || target == process.identifier || process.thread(target) != nil || target == -process.group, target != -1 else {
            throw .esrch
        }
        guard signal == 0 || Signal.isValid(signal) else { throw .einval }
        if signal != 0 { process.send(.sent(signal, code: 0, by: process)) }
        return 0
    }

    static func sysTkill(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int32(0) > 0 else { throw .einval }
        return try thread.send(arguments.int32(1), to: arguments.int32(0))
    }

    static func sysTgkill(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int32(0) > 0, arguments.int32(1) > 0 else { throw .einval }
        guard arguments.int32(0) == thread.process.identifier else { throw .esrch }
        return try thread.send(arguments.int32(2), to: arguments.int32(1))
    }

    private func send(_ signal: Int32, to identifier: Int32) throws(Errno) -> Int {
        guard let target = process.thread(identifier) else { throw .esrch }
        guard signal == 0 || Signal.isValid(signal) else { throw .einval }
        guard signal == 0 || target.send(.sent(signal, code: Self.toThread, by: process)) else { throw .eagain }
        return 0
    }

    /// Only to oneself may a signal look as if the kernel had sent it.
    private func check(_ information: linux_signal_information, for target: Int32) throws(Errno) {
        if information.si_code >= 0 || information.si_code == Self.toThread, target != identifier { throw .eperm }
    }

    static func sysRtSigqueueinfo(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let signal = arguments.int32(1)
        var information = try thread.memory.read(linux_signal_information.self, at: arguments[2])
        information.si_signo = signal
        let target = arguments.int32(0)
        try thread.check(information, for: target)
        guard target == thread.process.identifier || thread.process.thread(target) != nil else { throw .esrch }
        guard signal == 0 || Signal.isValid(signal) else { throw .einval }
        guard signal == 0 || thread.process.send(information) else { throw .eagain }
        return 0
    }

    static func sysRtTgsigqueueinfo(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let signal = arguments.int32(2)
        var information = try thread.memory.read(linux_signal_information.self, at: arguments[3])
        information.si_signo = signal
        guard arguments.int32(0) > 0, arguments.int32(1) > 0 else { throw .einval }
        try thread.check(information, for: arguments.int32(1))
        guard arguments.int32(0) == thread.process.identifier, let target = thread.process.thread(arguments.int32(1)) else { throw .esrch }
        guard signal == 0 || Signal.isValid(signal) else { throw .einval }
        guard signal == 0 || target.send(information) else { throw .eagain }
        return 0
    }
}
