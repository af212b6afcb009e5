import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import Time

/// How long a call may wait.
struct Timeout {
    /// nil: for ever.
    var deadline: Instant?
    /// It looks and does not wait.
    var isZero: Bool

    static var forever: Timeout { Timeout(deadline: nil, isZero: false) }

    init(deadline: Instant?, isZero: Bool) {
        self.deadline = deadline
        self.isZero = isZero
    }

    /// Milliseconds; below zero: for ever.
    init(milliseconds: Int32, _ thread: LinuxThread) {
        guard milliseconds >= 0 else {
            self = .forever
            return
        }
        isZero = milliseconds == 0
        deadline = isZero ? nil : thread.process.system.now.advanced(by: .milliseconds(milliseconds))
    }

    /// `.einval`: not a time.
    init(seconds: Int64, nanoseconds: Int64, _ thread: LinuxThread) throws(Errno) {
        guard seconds >= 0, nanoseconds >= 0, nanoseconds < 1_000_000_000 else { throw .einval }
        isZero = seconds == 0 && nanoseconds == 0
        let limit: Int64 = 1 << 33
        deadline =
            isZero ? nil : thread.process.system.now.advanced(by: .seconds(min(seconds, limit)) + .nanoseconds(nanoseconds))
    }

    /// A timespec at `address`; none: for ever.
    init(at address: UInt64, _ thread: LinuxThread) throws(Errno) {
        guard address != 0 else {
            self = .forever
            return
        }
        let time = try thread.memory.read(linux_timespec.self, at: address)
        try self.init(seconds: time.tv_sec, nanoseconds: time.tv_nsec, thread)
    }

    /// Nanoseconds that are left.
    func remaining(_ thread: LinuxThread) -> UInt64 {
        guard let deadline else { return 0 }
        let now = thread.process.system.now
        return deadline > now ? deadline.nanoseconds - now.nanoseconds : 0
    }
}

extension LinuxThread {
    /// A signal mask that holds during the call; no address: none. `.einval`: not the size of one.
    func useMask(at address: UInt64, _ byteCount: UInt64) throws(Errno) {
        guard address != 0 else { return }
        guard byteCount == 8 else { throw .einval }
        setMaskDuringCall(try memory.read(UInt64.self, at: address))
    }
}
