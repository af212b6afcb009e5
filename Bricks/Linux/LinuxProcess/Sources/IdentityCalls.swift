import CLinuxFormat
import Errno

extension LinuxThread {
    static func sysGettid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { Int(thread.identifier) }

    static func sysGetpid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { Int(thread.process.identifier) }
}
