import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import Time
import VFS

extension linux_stat {
    init(_ attributes: Attributes) {
        self.init()
        st_dev = attributes.device
        st_ino = attributes.inode
        st_nlink = UInt64(attributes.linkCount)
        st_mode = attributes.mode
        st_uid = attributes.permissions.user
        st_gid = attributes.permissions.group
        st_rdev = attributes.representedDevice
        st_size = attributes.byteCount
        st_blksize = Int64(attributes.blockByteCount)
        st_blocks = attributes.sectorCount
        st_atim = linux_timespec(tv_sec: attributes.accessed.seconds, tv_nsec: Int64(attributes.accessed.nanoseconds))
        st_mtim = linux_timespec(tv_sec: attributes.modified.seconds, tv_nsec: Int64(attributes.modified.nanoseconds))
        st_ctim = linux_timespec(tv_sec: attributes.changed.seconds, tv_nsec: Int64(attributes.changed.nanoseconds))
    }
}

extension linux_statx {
    /// STATX_BASIC_STATS, BTIME, MNT_ID.
    init(_ attributes: Attributes, mount: Int) {
        self.init()
        func stamp(_ time: FileTime) -> linux_statx_timestamp {
            linux_statx_timestamp(tv_sec: time.seconds, tv_nsec: time.nanoseconds, unused: 0)
        }
        func major(_ device: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: device >> 8 & 0xfff | device >> 32 & ~0xfff) }
        func minor(_ device: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: device & 0xff | device >> 12 & ~0xff) }
        stx_mask = 0x1fff
        stx_blksize = attributes.blockByteCount
        stx_nlink = attributes.linkCount
        stx_uid = attributes.permissions.user
        stx_gid = attributes.permissions.group
        stx_mode = UInt16(attributes.mode)
        stx_ino = attributes.inode
        stx_size = UInt64(bitPattern: attributes.byteCount)
        stx_blocks = UInt64(bitPattern: attributes.sectorCount)
        stx_atime = stamp(attributes.accessed)
        stx_btime = stamp(attributes.created)
        stx_ctime = stamp(attributes.changed)
        stx_mtime = stamp(attributes.modified)
        stx_rdev_major = major(attributes.representedDevice)
        stx_rdev_minor = minor(attributes.representedDevice)
        stx_dev_major = major(attributes.device)
        stx_dev_minor = minor(attributes.device)
        stx_mnt_id = UInt64(mount)
    }
}

// stat(2) and its kin, access(2), chmod(2), chown(2), utimensat(2), statfs(2).
extension LinuxThread {
    /// The attributes that the *at calls ask for, and the mount; the empty path may name a file that has no place.
    private func attributes(_ descriptor: Int32, _ path: [UInt8], _ flags: UInt32) throws(Errno) -> (Attributes, mount: Int) {
        if path.isEmpty, flags & At.emptyPath != 0, descriptor != At.workingDirectory {
            let file = try process.descriptors[descriptor]
            return (file.attributes(), file.origin?.place.mount.identifier ?? 0)
        }
        let place = try place(descriptor, path, flags)
        return (place.vnode.attributes, place.mount.identifier)
    }

    static func sysStat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let found = try thread.attributes(At.workingDirectory, try thread.path(at: arguments[0]), 0)
        try thread.memory.write(linux_stat(found.0), at: arguments[1])
        return 0
    }
    static func sysLstat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let found = try thread.attributes(At.workingDirectory, try thread.path(at: arguments[0]), At.noFollow)
        try thread.memory.write(linux_stat(found.0), at: arguments[1])
        return 0
    }
    static func sysFstat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.process.descriptors[arguments.descriptor(0)]
        try thread.memory.write(linux_stat(file.attributes()), at: arguments[1])
        return 0
    }
    static func sysNewfstatat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.uint32(3)
        guard flags & ~(At.noFollow | At.noAutomount | At.emptyPath) == 0 else { throw .einval }
        let path = arguments[1] == 0 && flags & At.emptyPath != 0 ? [] : try thread.path(at: arguments[1])
        try thread.memory.write(linux_stat(try thread.attributes(arguments.descriptor(0), path, flags).0), at: arguments[2])
        return 0
    }
    static func sysStatx(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.uint32(2)
        guard flags & ~(At.noFollow | At.noAutomount | At.emptyPath | At.synchronization) == 0, flags & At.synchronization != 0x6000,
            arguments.uint32(3) & 0x8000_0000 == 0
        else { throw .einval }
        let path = arguments[1] == 0 && flags & At.emptyPath != 0 ? [] : try thread.path(at: arguments[1])
        let found = try thread.attributes(arguments.descriptor(0), path, flags)
        try thread.memory.write(linux_statx(found.0, mount: found.mount), at: arguments[4])
        return 0
    }

    // MARK: Rights

    private func checkAccess(_ descriptor: Int32, _ address: UInt64, _ mode: UInt32, _ flags: UInt32) throws(Errno) -> Int {
        guard mode & ~7 == 0, flags & ~(At.effectiveAccess | At.noFollow | At.emptyPath) == 0 else { throw .einval }
        let place = try place(descriptor, try path(at: address), flags)
        var credentials = process.paths.credentials
        if flags & At.effectiveAccess == 0 {
            credentials.user = process.credentials.user
            credentials.group = process.credentials.group
        }
        try process.paths.checkAccess(to: place, mode, by: credentials)
        return 0
    }
    static func sysAccess(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.checkAccess(At.workingDirectory, arguments[0], arguments.uint32(1), 0)
    }
    static func sysFaccessat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.checkAccess(arguments.descriptor(0), arguments[1], arguments.uint32(2), 0)
    }
    static func sysFaccessat2(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.checkAccess(arguments.descriptor(0), arguments[1], arguments.uint32(2), arguments.uint32(3))
    }

    /// Changes what a descriptor refers to; a file without a place answers for itself.
    private func change(_ file: OpenFile, _ change: AttributeChange, isNow: Bool = false) throws(Errno) {
        guard let place = file.origin?.place else { return try file.setAttributes(change) }
        try process.paths.setAttributes(of: place, change, isNow: isNow)
    }

    static func sysChmod(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let entry = try thread.entry(At.workingDirectory, try thread.path(at: arguments[0]), 0)
        try thread.process.paths.setAttributes(of: entry, AttributeChange(mode: arguments.uint32(1)))
        return 0
    }
    static func sysFchmod(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.change(try thread.file(arguments.descriptor(0)), AttributeChange(mode: arguments.uint32(1)))
        return 0
    }
    static func sysFchmodat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let entry = try thread.entry(arguments.descriptor(0), try thread.path(at: arguments[1]), 0)
        try thread.process.paths.setAttributes(of: entry, AttributeChange(mode: arguments.uint32(2)))
        return 0
    }
    private static func owner(_ user: UInt32, _ group: UInt32) -> AttributeChange {
        AttributeChange(user: user == .max ? nil : user, group: group == .max ? nil : group)
    }
    static func sysChown(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let entry = try thread.entry(At.workingDirectory, try thread.path(at: arguments[0]), 0)
        try thread.process.paths.setAttributes(of: entry, owner(arguments.uint32(1), arguments.uint32(2)))
        return 0
    }
    static func sysLchown(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let entry = try thread.entry(At.workingDirectory, try thread.path(at: arguments[0]), At.noFollow)
        try thread.process.paths.setAttributes(of: entry, owner(arguments.uint32(1), arguments.uint32(2)))
        return 0
    }
    static func sysFchown(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.change(try thread.file(arguments.descriptor(0)), owner(arguments.uint32(1), arguments.uint32(2)))
        return 0
    }
    static func sysFchownat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.uint32(4), path = try thread.path(at: arguments[1])
        guard flags & ~(At.noFollow | At.emptyPath) == 0 else { throw .einval }
        let change = owner(arguments.uint32(2), arguments.uint32(3))
        if path.isEmpty, flags & At.emptyPath != 0, arguments.descriptor(0) != At.workingDirectory {
            try thread.change(try thread.process.descriptors[arguments.descriptor(0)], change)
        } else {
            try thread.process.paths.setAttributes(of: try thread.entry(arguments.descriptor(0), path, flags), change)
        }
        return 0
    }

    // MARK: Times

    private var wallTime: FileTime {
        let now = process.system.wallTime.nanosecondsSince1970
        return FileTime(seconds: Int64(now / 1_000_000_000), nanoseconds: UInt32(now % 1_000_000_000))
    }

    /// UTIME_NOW, UTIME_OMIT, or a time.
    private func stamp(_ time: linux_timespec) throws(Errno) -> FileTime? {
        switch time.tv_nsec {
        case 0x3fff_ffff: return wallTime
        case 0x3fff_fffe: return nil
        case 0..<1_000_000_000: return FileTime(seconds: time.tv_sec, nanoseconds: UInt32(time.tv_nsec))
        default: throw .einval
        }
    }

    private func setTimes(
        _ descriptor: Int32, _ address: UInt64, _ times: (linux_timespec, linux_timespec)?, _ flags: UInt32
    ) throws(Errno) -> Int {
        var change = AttributeChange()
        var isNow = true
        if let times {
            change.accessed = try stamp(times.0)
            change.modified = try stamp(times.1)
            isNow = times.0.tv_nsec == 0x3fff_ffff && times.1.tv_nsec == 0x3fff_ffff
        } else {
            change.accessed = wallTime
            change.modified = change.accessed
        }
        // Both omitted: nothing is looked at but the arguments.
        if address == 0 {
            let file = try file(descriptor)
            if change != AttributeChange() { try self.change(file, change, isNow: isNow) }
            return 0
        }
        let path = try path(at: address)
        if path.isEmpty, flags & At.emptyPath != 0, descriptor != At.workingDirectory {
            try self.change(try process.descriptors[descriptor], change, isNow: isNow)
            return 0
        }
        let entry = try entry(descriptor, path, flags)
        if change != AttributeChange() { try process.paths.setAttributes(of: entry, change, isNow: isNow) }
        return 0
    }

    static func sysUtimensat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.uint32(3)
        guard flags & ~(At.noFollow | At.emptyPath) == 0 else { throw .einval }
        let descriptor = arguments.descriptor(0)
        if arguments[1] == 0, descriptor == At.workingDirectory { throw .efault }
        var times: (linux_timespec, linux_timespec)?
        if arguments[2] != 0 {
            let memory = thread.memory
            times = (
                try memory.read(linux_timespec.self, at: arguments[2]), try memory.read(linux_timespec.self, at: arguments[2] &+ 16)
            )
        }
        return try thread.setTimes(arguments.descriptor(0), arguments[1], times, flags)
    }

    private func timevals(at address: UInt64) throws(Errno) -> (linux_timespec, linux_timespec)? {
        guard address != 0 else { return nil }
        var times = (linux_timespec(), linux_timespec())
        for index in 0..<UInt64(2) {
            let value = try memory.read(linux_timeval.self, at: address &+ index * 16)
            guard value.tv_usec >= 0, value.tv_usec < 1_000_000 else { throw .einval }
            let time = linux_timespec(tv_sec: value.tv_sec, tv_nsec: value.tv_usec * 1000)
            if index == 0 { times.0 = time } else { times.1 = time }
        }
        return times
    }
    static func sysUtimes(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments[0] != 0 else { throw .efault }
        return try thread.setTimes(At.workingDirectory, arguments[0], try thread.timevals(at: arguments[1]), 0)
    }
    static func sysFutimesat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.setTimes(arguments.descriptor(0), arguments[1], try thread.timevals(at: arguments[2]), 0)
    }
    static func sysUtime(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments[0] != 0 else { throw .efault }
        var times: (linux_timespec, linux_timespec)?
        if arguments[1] != 0 {
            let accessed = try thread.memory.read(Int64.self, at: arguments[1])
            let modified = try thread.memory.read(Int64.self, at: arguments[1] &+ 8)
            times = (linux_timespec(tv_sec: accessed, tv_nsec: 0), linux_timespec(tv_sec: modified, tv_nsec: 0))
        }
        return try thread.setTimes(At.workingDirectory, arguments[0], times, 0)
    }

    // MARK: File systems

    private func report(_ fileSystem: FileSystem, isReadOnly: Bool, at address: UInt64) throws(Errno) -> Int {
        let statistics = fileSystem.statistics
        var status = linux_statfs()
        status.f_type = Int64(bitPattern: statistics.magic)
        status.f_bsize = Int64(statistics.blockByteCount)
        status.f_frsize = status.f_bsize
        status.f_blocks = statistics.blockCount
        status.f_bfree = statistics.freeBlockCount
        status.f_bavail = statistics.freeBlockCount
        status.f_files = statistics.inodeCount
        status.f_ffree = statistics.freeInodeCount
        status.f_fsid0 = Int32(truncatingIfNeeded: fileSystem.device)
        status.f_namelen = 255
        // ST_VALID, ST_RELATIME, ST_RDONLY
        status.f_flags = 0x1020 | (isReadOnly ? 1 : 0)
        try memory.write(status, at: address)
        return 0
    }
    static func sysStatfs(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let place = try thread.place(At.workingDirectory, try thread.path(at: arguments[0]), 0)
        return try thread.report(place.vnode.fileSystem, isReadOnly: place.mount.isReadOnly, at: arguments[1])
    }
    static func sysFstatfs(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.process.descriptors[arguments.descriptor(0)]
        guard let fileSystem = file.vnode?.fileSystem else {
            // pipefs, sockfs, anon_inode: names of what has no tree.
            let magic: UInt64 = file.kind == .fifo ? 0x5049_5045 : file.kind == .socket ? 0x534f_434b : 0x0904_1934
            var status = linux_statfs()
            status.f_type = Int64(bitPattern: magic)
            status.f_bsize = 4096
            status.f_frsize = 4096
            status.f_namelen = 255
            try thread.memory.write(status, at: arguments[1])
            return 0
        }
        return try thread.report(fileSystem, isReadOnly: file.origin?.place.mount.isReadOnly ?? false, at: arguments[1])
    }
}
