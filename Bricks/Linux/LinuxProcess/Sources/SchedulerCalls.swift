import CLinuxFormat
import Errno
import LinuxMemory

// One processor, on which all threads take turns: policies and masks are kept and told, and change nothing.
extension LinuxThread {
    private enum Policy {
        static var other: Int32 { 0 }
        static var fifo: Int32 { 1 }
        static var roundRobin: Int32 { 2 }
        static var batch: Int32 { 3 }
        static var idle: Int32 { 5 }
        static var deadline: Int32 { 6 }
        static var resetOnFork: Int32 { 0x4000_0000 }
    }

    static func sysSchedYield(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        thread.yieldToAll()
        return 0
    }

    /// The thread that a call names; 0 is the caller. `.esrch`.
    func named(_ identifier: Int32) throws(Errno) -> LinuxThread {
        guard identifier != 0 else { return self }
        guard let thread = process.thread(identifier) else { throw .esrch }
        return thread
    }

    // MARK: Affinity

    static func sysSchedGetaffinity(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let byteCount = arguments.uint32(1)
        guard byteCount > 0, byteCount % 8 == 0 else { throw .einval }
        _ = try thread.named(arguments.int32(0))
        try thread.memory.write(UInt64(1), at: arguments[2])
        return 8
    }

    static func sysSchedSetaffinity(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var set: UInt8 = 0
        if arguments.uint32(1) > 0 {
            try thread.memory.prepare(arguments[2], Int(min(arguments.uint32(1), 128)), isWrite: false)
            set = try thread.memory.read(UInt8.self, at: arguments[2])
        }
        _ = try thread.named(arguments.int32(0))
        guard set & 1 != 0 else { throw .einval }
        return 0
    }

    static func sysGetcpu(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        for index in 0..<2 where arguments[index] != 0 { try thread.memory.write(UInt32(0), at: arguments[index]) }
        return 0
    }

    // MARK: Policies

    private static func priorities(_ policy: Int32) -> ClosedRange<Int32>? {
        switch policy {
        case Policy.fifo, Policy.roundRobin: 1...99
        case Policy.other, Policy.batch, Policy.idle, Policy.deadline: 0...0
        default: nil
        }
    }

    static func sysSchedGetPriorityMax(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard let range = priorities(arguments.int32(0)) else { throw .einval }
        return Int(range.upperBound)
    }

    static func sysSchedGetPriorityMin(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard let range = priorities(arguments.int32(0)) else { throw .einval }
        return Int(range.lowerBound)
    }

    static func sysSchedGetscheduler(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int32(0) >= 0 else { throw .einval }
        return Int(try thread.named(arguments.int32(0)).policy)
    }

    static func sysSchedGetparam(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int32(0) >= 0, arguments[1] != 0 else { throw .einval }
        let other = try thread.named(arguments.int32(0))
        try thread.memory.write(other.priority, at: arguments[1])
        return 0
    }

    static func sysSchedSetscheduler(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int32(1) >= 0 else { throw .einval }
        return try thread.setPolicy(of: arguments.int32(0), arguments.int32(1), at: arguments[2])
    }

    static func sysSchedSetparam(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.setPolicy(of: arguments.int32(0), nil, at: arguments[1])
    }

    private func setPolicy(of identifier: Int32, _ policy: Int32?, at address: UInt64) throws(Errno) -> Int {
        guard identifier >= 0, address != 0 else { throw .einval }
        let priority = try memory.read(Int32.self, at: address)
        let other = try named(identifier)
        try other.setPolicy(policy ?? other.policy, priority)
        return 0
    }

    private func setPolicy(_ wanted: Int32, _ priority: Int32) throws(Errno) {
        let policy = wanted & ~Policy.resetOnFork
        guard policy != Policy.deadline, let range = Self.priorities(policy), range.contains(priority) else { throw .einval }
        // Real-time policies would starve the library OS: refused as where RLIMIT_RTPRIO is 0.
        guard policy != Policy.fifo, policy != Policy.roundRobin else { throw .eperm }
        self.policy = wanted
        self.priority = priority
    }

    static func sysSchedRRGetInterval(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int32(0) >= 0 else { throw .einval }
        _ = try thread.named(arguments.int32(0))
        try thread.memory.write(linux_timespec(tv_sec: 0, tv_nsec: 4_000_000), at: arguments[1])
        return 0
    }

    // MARK: sched_setattr(2), sched_getattr(2)

    /// SCHED_ATTR_SIZE_VER0
    private static var attributeByteCount: UInt32 { 48 }

    static func sysSchedGetattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let byteCount = arguments.uint32(2), address = arguments[1]
        guard address != 0, arguments.int32(0) >= 0, byteCount >= attributeByteCount, byteCount <= 4096, arguments.uint32(3) == 0 else {
            throw .einval
        }
        let other = try thread.named(arguments.int32(0))
        try thread.memory.write(attributeByteCount, at: address)
        try thread.memory.write(UInt32(bitPattern: other.policy & ~Policy.resetOnFork), at: address + 4)
        try thread.memory.write(UInt64(other.policy & Policy.resetOnFork != 0 ? 1 : 0), at: address + 8)
        try thread.memory.write(other.niceness, at: address + 16)
        try thread.memory.write(other.priority, at: address + 20)
        for offset in [24, 32, 40] as [UInt64] { try thread.memory.write(UInt64(0), at: address + offset) }
        return 0
    }

    static func sysSchedSetattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let address = arguments[1]
        guard address != 0, arguments.int32(0) >= 0, arguments.uint32(2) == 0 else { throw .einval }
        var byteCount = try thread.memory.read(UInt32.self, at: address)
        if byteCount == 0 { byteCount = attributeByteCount }
        guard byteCount >= attributeByteCount, byteCount <= 4096 else {
            try thread.memory.write(UInt32(56), at: address)
            throw .e2big
        }
        let policy = try thread.memory.read(Int32.self, at: address + 4)
        let flags = try thread.memory.read(UInt64.self, at: address + 8)
        let niceness = try thread.memory.read(Int32.self, at: address + 16)
        let priority = try thread.memory.read(Int32.self, at: address + 20)
        guard policy >= 0, flags & ~0x7f == 0 else { throw .einval }
        let other = try thread.named(arguments.int32(0))
        try other.setPolicy(policy | (flags & 1 != 0 ? Policy.resetOnFork : 0), priority)
        if policy == Policy.other || policy == Policy.batch { try other.setNiceness(niceness, by: thread) }
        return 0
    }

    // MARK: Niceness

    private func setNiceness(_ niceness: Int32, by thread: LinuxThread) throws(Errno) {
        let new = max(-20, min(19, niceness))
        guard new >= self.niceness || process.credentials.has(.niceness) else { throw .eacces }
        self.niceness = new
    }

    static func sysGetpriority(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var least: Int32 = 20
        for other in try thread.chosen(arguments.int32(0), arguments.int32(1)) { least = min(least, other.niceness) }
        return Int(20 - least)
    }

    static func sysSetpriority(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        for other in try thread.chosen(arguments.int32(0), arguments.int32(1)) { try other.setNiceness(arguments.int32(2), by: thread) }
        return 0
    }

    /// PRIO_PROCESS, PRIO_PGRP and PRIO_USER of getpriority(2); ioprio_get(2) counts them from 1.
    func chosen(_ kind: Int32, _ who: Int32) throws(Errno) -> [LinuxThread] {
        switch kind {
        case 0: return [try named(who)]
        case 1:
            guard who == 0 || who == process.group else { throw .esrch }
        case 2:
            guard who == 0 || UInt32(bitPattern: who) == process.credentials.user else { throw .esrch }
        default: throw .einval
        }
        return process.threads
    }

    static func sysIoprioGet(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        _ = try thread.chosen(arguments.int32(0) &- 1, arguments.int32(1))
        return 0
    }

    static func sysIoprioSet(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let priority = arguments.int32(2)
        // The class: none, real time, best effort, idle.
        guard priority >= 0, priority >> 13 <= 3 else { throw .einval }
        if priority >> 13 == 1 { throw .eperm }
        _ = try thread.chosen(arguments.int32(0) &- 1, arguments.int32(1))
        return 0
    }
}
