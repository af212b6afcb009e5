import CHypercalls
import CLinuxFormat
import Errno
import LinuxMemory
import Time

// Waiting for signals, looking at them, and the stack that handlers run on.
extension LinuxThread {
    static func sysRtSigpending(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments[1] <= 8 else { throw .einval }
        let set = (thread.signals.pending.set | thread.process.signals.pending.set) & thread.signals.mask
        for index in 0..<arguments[1] { try thread.memory.write(UInt8(truncatingIfNeeded: set >> (index * 8)), at: arguments[0] &+ index) }
        return 0
    }

    static func sysRtSigsuspend(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try checkSetSize(arguments[1])
        let set = try thread.memory.read(UInt64.self, at: arguments[0])
        thread.signals.savedMask = thread.signals.mask
        thread.changeMask(set)
        return try thread.waitForHandler()
    }

    static func sysPause(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { try thread.waitForHandler() }

    /// Ends with EINTR once a handler ran; a signal without one does not end it.
    private func waitForHandler() throws(Errno) -> Int {
        while true {
            do throws(Errno) {
                try wait()
            } catch {
                throw .restartWithoutHandler
            }
        }
    }

    static func sysRtSigtimedwait(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try checkSetSize(arguments[3])
        let set = try thread.memory.read(UInt64.self, at: arguments[0]) & ~Signal.unblockable
        let deadline = try thread.deadline(at: arguments[2], isAbsolute: false, isRealTime: false)
        let information = try thread.awaitSignal(set, until: deadline)
        if arguments[1] != 0 { try thread.memory.write(information, at: arguments[1]) }
        return Int(information.si_signo)
    }

    /// `.eagain`: none came in time; `.eintr`: another one did.
    private func awaitSignal(_ set: UInt64, until deadline: Instant?) throws(Errno) -> linux_signal_information {
        if let information = process.takeSignal(set, for: self) { return information }
        if let deadline, deadline <= process.system.now { throw .eagain }
        signals.awaited = set
        defer { signals.awaited = 0 }
        do throws(Errno) {
            try wait(until: deadline)
        } catch {
            if let information = process.takeSignal(set, for: self) { return information }
            throw error == .etimedout ? .eagain : .eintr
        }
        guard let information = process.takeSignal(set, for: self) else { throw .eintr }
        return information
    }

    // MARK: sigaltstack(2)

    static var stackDisabled: Int32 { 2 }
    /// SS_AUTODISARM: while a handler runs there is no other stack.
    static var stackDisarms: Int32 { .min }
    /// MINSIGSTKSZ
    private static var leastStackByteCount: UInt64 { 2048 }

    static func sysSigaltstack(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var new: linux_signal_stack?
        if arguments[0] != 0 { new = try thread.memory.read(linux_signal_stack.self, at: arguments[0]) }
        var old = thread.signals.stack
        if thread.isOnSignalStack { old.ss_flags |= 1 }
        if var new {
            guard !thread.isOnSignalStack else { throw .eperm }
            let mode = new.ss_flags & ~stackDisarms
            guard mode == 0 || mode == 1 || mode == stackDisabled else { throw .einval }
            if mode == stackDisabled {
                new.ss_sp = 0
                new.ss_size = 0
            } else {
                guard new.ss_size >= leastStackByteCount else { throw .enomem }
                new.ss_flags &= ~1
            }
            new.padding = 0
            thread.signals.stack = new
        }
        if arguments[1] != 0 { try thread.memory.write(old, at: arguments[1]) }
        return 0
    }

    var isOnSignalStack: Bool {
        let stack = signals.stack
        guard stack.ss_flags & (Self.stackDisabled | Self.stackDisarms) == 0 else { return false }
        let pointer = context.registers.rsp
        return pointer > stack.ss_sp && pointer &- stack.ss_sp <= stack.ss_size
    }
}

extension Errno {
    /// As `.restart`, but with EINTR if a handler ran, whatever its action says.
    static var restartWithoutHandler: Errno { Errno(rawValue: 514) }
}
