import Bytes
import CLinuxFormat
import Errno
import LinuxMemory
import VFS

/// One of the three ids that calls set, or -1: it stays.
private let unchanged = UInt32.max

extension LinuxThread {
    static func sysGetuid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        Int(thread.process.credentials.user)
    }
    static func sysGeteuid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        Int(thread.process.credentials.effectiveUser)
    }
    static func sysGetgid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        Int(thread.process.credentials.group)
    }
    static func sysGetegid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        Int(thread.process.credentials.effectiveGroup)
    }

    static func sysGetresuid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let credentials = thread.process.credentials
        try thread.memory.write(credentials.user, at: arguments[0])
        try thread.memory.write(credentials.effectiveUser, at: arguments[1])
        try thread.memory.write(credentials.savedUser, at: arguments[2])
        return 0
    }

    static func sysGetresgid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let credentials = thread.process.credentials
        try thread.memory.write(credentials.group, at: arguments[0])
        try thread.memory.write(credentials.effectiveGroup, at: arguments[1])
        try thread.memory.write(credentials.savedGroup, at: arguments[2])
        return 0
    }

    // MARK: setuid(2), setgid(2)

    static func sysSetuid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var new = thread.process.credentials
        let user = arguments.uint32(0)
        guard user != unchanged else { throw .einval }
        if new.has(.setUser) {
            new.user = user
            new.savedUser = user
        } else {
            guard user == new.user || user == new.savedUser else { throw .eperm }
        }
        new.effectiveUser = user
        thread.process.change(to: new)
        return 0
    }

    static func sysSetgid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var new = thread.process.credentials
        let group = arguments.uint32(0)
        guard group != unchanged else { throw .einval }
        if new.has(.setGroup) {
            new.group = group
            new.savedGroup = group
        } else {
            guard group == new.group || group == new.savedGroup else { throw .eperm }
        }
        new.effectiveGroup = group
        thread.process.change(to: new)
        return 0
    }

    // MARK: setreuid(2), setregid(2)

    static func sysSetreuid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let old = thread.process.credentials, real = arguments.uint32(0), effective = arguments.uint32(1)
        var new = old
        if real != unchanged {
            guard real == old.user || real == old.effectiveUser || old.has(.setUser) else { throw .eperm }
            new.user = real
        }
        if effective != unchanged {
            guard effective == old.user || effective == old.effectiveUser || effective == old.savedUser || old.has(.setUser) else {
                throw .eperm
            }
            new.effectiveUser = effective
        }
        if real != unchanged || (effective != unchanged && effective != old.user) { new.savedUser = new.effectiveUser }
        thread.process.change(to: new)
        return 0
    }

    static func sysSetregid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let old = thread.process.credentials, real = arguments.uint32(0), effective = arguments.uint32(1)
        var new = old
        if real != unchanged {
            guard real == old.group || real == old.effectiveGroup || old.has(.setGroup) else { throw .eperm }
            new.group = real
        }
        if effective != unchanged {
            guard effective == old.group || effective == old.effectiveGroup || effective == old.savedGroup || old.has(.setGroup) else {
                throw .eperm
            }
            new.effectiveGroup = effective
        }
        if real != unchanged || (effective != unchanged && effective != old.group) { new.savedGroup = new.effectiveGroup }
        thread.process.change(to: new)
        return 0
    }

    // MARK: setresuid(2), setresgid(2)

    static func sysSetresuid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let old = thread.process.credentials
        let real = arguments.uint32(0), effective = arguments.uint32(1), saved = arguments.uint32(2)
        for user in [real, effective, saved] where user != unchanged && !old.has(.setUser) {
            guard user == old.user || user == old.effectiveUser || user == old.savedUser else { throw .eperm }
        }
        var new = old
        if real != unchanged { new.user = real }
        if effective != unchanged { new.effectiveUser = effective }
        if saved != unchanged { new.savedUser = saved }
        thread.process.change(to: new)
        return 0
    }

    static func sysSetresgid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let old = thread.process.credentials
        let real = arguments.uint32(0), effective = arguments.uint32(1), saved = arguments.uint32(2)
        for group in [real, effective, saved] where group != unchanged && !old.has(.setGroup) {
            guard group == old.group || group == old.effectiveGroup || group == old.savedGroup else { throw .eperm }
        }
        var new = old
        if real != unchanged { new.group = real }
        if effective != unchanged { new.effectiveGroup = effective }
        if saved != unchanged { new.savedGroup = saved }
        thread.process.change(to: new)
        return 0
    }

    // MARK: setfsuid(2), setfsgid(2): the old id, whether it changed or not

    static func sysSetfsuid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let credentials = thread.process.credentials, paths = thread.process.paths
        let old = paths.credentials.user, new = arguments.uint32(0)
        let isOwn = new == credentials.user || new == credentials.effectiveUser || new == credentials.savedUser || new == old
        if new != unchanged, isOwn || credentials.has(.setUser) { paths.credentials.user = new }
        return Int(old)
    }

    static func sysSetfsgid(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let credentials = thread.process.credentials, paths = thread.process.paths
        let old = paths.credentials.group, new = arguments.uint32(0)
        let isOwn = new == credentials.group || new == credentials.effectiveGroup || new == credentials.savedGroup || new == old
        if new != unchanged, isOwn || credentials.has(.setGroup) { paths.credentials.group = new }
        return Int(old)
    }

    // MARK: Supplementary groups

    static func sysGetgroups(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let groups = thread.process.paths.credentials.groups
        let room = arguments.int32(0)
        guard room >= 0 else { throw .einval }
        if room == 0 { return groups.count }
        guard groups.count <= Int(room) else { throw .einval }
        for (index, group) in groups.enumerated() { try thread.memory.write(group, at: arguments[1] &+ UInt64(index * 4)) }
        return groups.count
    }

    static func sysSetgroups(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard thread.process.credentials.has(.setGroup) else { throw .eperm }
        let count = arguments.uint32(0)
        guard count <= 65536 else { throw .einval }
        var groups: [UInt32] = []
        for index in 0..<UInt64(count) {
            let group = try thread.memory.read(UInt32.self, at: arguments[1] &+ index * 4)
            guard group != unchanged else { throw .einval }
            groups.append(group)
        }
        groups.sort()
        thread.process.paths.credentials.groups = groups
        return 0
    }
}
