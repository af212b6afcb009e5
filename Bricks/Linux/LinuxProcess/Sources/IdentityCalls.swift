import CLinuxFormat
import Errno
import LinuxMemory

// Numbers of the process: one process, leader of its group and its session.
extension LinuxThread {
    static func sysGettid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { Int(thread.identifier) }

    static func sysGetpid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { Int(thread.process.identifier) }

    static func sysGetppid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { 0 }

    static func sysGetpgrp(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { Int(thread.process.group) }

    /// getpgid(2), getsid(2)
    static func sysGetpgid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.process.check(arguments.int32(0))
        return Int(thread.process.group)
    }

    static func sysSetsid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { throw .eperm }

    static func sysSetpgid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int32(1) >= 0 else { throw .einval }
        try thread.process.check(arguments.int32(0))
        throw .eperm
    }

    // MARK: Children, of which there are none

    static func sysWait4(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        // WNOHANG, WUNTRACED, WCONTINUED, __WNOTHREAD, __WALL, __WCLONE
        guard arguments.uint32(2) & ~0xe000_000b == 0 else { throw .einval }
        throw arguments.int32(0) == .min ? .esrch : .echild
    }

    static func sysWaitid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let kind = arguments.int32(0), identifier = arguments.int32(1), options = arguments.uint32(3)
        guard options & ~0xe100_000f == 0, options & 0xe != 0 else { throw .einval }
        switch kind {
        case 0: throw .echild
        case 1: throw identifier <= 0 ? .einval : .echild
        case 2: throw identifier < 0 ? .einval : .echild
        case 3: throw identifier < 0 ? .einval : .ebadf
        default: throw .einval
        }
    }

    static func sysFork(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { try thread.refuseFork() }

    static func sysGetRobustList(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let identifier = arguments.int32(0)
        guard let other = identifier == 0 ? thread : thread.process.thread(identifier) else { throw .esrch }
        try thread.memory.write(UInt64(MemoryLayout<linux_robust_list_head>.size), at: arguments[2])
        try thread.memory.write(other.robustList, at: arguments[1])
        return 0
    }
}

extension LinuxProcess {
    /// getpgrp(2), getsid(2)
    public var group: Int32 { identifier }
}
