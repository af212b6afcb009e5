import Bytes
import Errno
import LinuxMemory
import LinuxProcess
import VFS

// Calls that make, remove, move and follow names.
extension LinuxThread {
    private var paths: PathContext { process.paths }

    private func makeDirectory(_ descriptor: Int32, _ address: UInt64, _ mode: UInt32) throws(Errno) -> Int {
        let path = try path(at: address)
        try paths.makeDirectory(path, from: try start(descriptor, path), mode: mode)
        return 0
    }
    static func sysMkdir(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.makeDirectory(At.workingDirectory, arguments[0], arguments.uint32(1))
    }
    static func sysMkdirat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.makeDirectory(arguments.descriptor(0), arguments[1], arguments.uint32(2))
    }

    private func remove(_ descriptor: Int32, _ address: UInt64, isDirectory: Bool) throws(Errno) -> Int {
        let path = try path(at: address)
        let start = try start(descriptor, path)
        if isDirectory { try paths.removeDirectory(path, from: start) } else { try paths.unlink(path, from: start) }
        return 0
    }
    static func sysRmdir(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.remove(At.workingDirectory, arguments[0], isDirectory: true)
    }
    static func sysUnlink(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.remove(At.workingDirectory, arguments[0], isDirectory: false)
    }
    static func sysUnlinkat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.uint32(2) & ~At.removeDirectory == 0 else { throw .einval }
        return try thread.remove(arguments.descriptor(0), arguments[1], isDirectory: arguments.uint32(2) != 0)
    }

    private func rename(_ from: Int32, _ old: UInt64, _ into: Int32, _ new: UInt64, _ flags: UInt32) throws(Errno) -> Int {
        // RENAME_NOREPLACE 1, EXCHANGE 2, WHITEOUT 4
        guard flags & ~7 == 0, flags & 3 != 3, flags & 6 != 6 else { throw .einval }
        guard flags & 4 == 0 else { throw .einval }
        let oldPath = try path(at: old)
        let mode: RenameMode = flags & 1 != 0 ? .noReplace : flags & 2 != 0 ? .exchange : .replace
        let oldStart = try start(from, oldPath), newPath: [UInt8], newStart: Place?
        do {
            newPath = try path(at: new)
            newStart = try start(into, newPath)
        } catch {
            // What is wrong with the old path is told first.
            try paths.checkParent(of: oldPath, from: oldStart)
            throw error
        }
        try paths.rename(oldPath, from: oldStart, to: newPath, from: newStart, mode)
        return 0
    }
    static func sysRename(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.rename(At.workingDirectory, arguments[0], At.workingDirectory, arguments[1], 0)
    }
    static func sysRenameat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.rename(arguments.descriptor(0), arguments[1], arguments.descriptor(2), arguments[3], 0)
    }
    static func sysRenameat2(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.rename(arguments.descriptor(0), arguments[1], arguments.descriptor(2), arguments[3], arguments.uint32(4))
    }

    private func link(_ from: Int32, _ old: UInt64, _ into: Int32, _ new: UInt64, _ flags: UInt32) throws(Errno) -> Int {
        guard flags & ~(At.follow | At.emptyPath) == 0 else { throw .einval }
        let oldPath = try path(at: old)
        var options: Resolution = flags & At.follow == 0 ? .noFollow : []
        if flags & At.emptyPath != 0 { options.insert(.allowEmpty) }
        let begin = try start(from, oldPath, allowsEmpty: flags & At.emptyPath != 0)
        let place = try paths.resolve(oldPath, from: begin, options)
        let newPath = try path(at: new)
        try paths.link(place, to: newPath, from: try start(into, newPath))
        return 0
    }
    static func sysLink(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.link(At.workingDirectory, arguments[0], At.workingDirectory, arguments[1], 0)
    }
    static func sysLinkat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.link(arguments.descriptor(0), arguments[1], arguments.descriptor(2), arguments[3], arguments.uint32(4))
    }

    private func makeSymbolicLink(_ target: UInt64, _ descriptor: Int32, _ address: UInt64) throws(Errno) -> Int {
        let text = try path(at: target), path = try path(at: address)
        try paths.makeSymbolicLink(to: text, at: path, from: try start(descriptor, path))
        return 0
    }
    static func sysSymlink(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.makeSymbolicLink(arguments[0], At.workingDirectory, arguments[1])
    }
    static func sysSymlinkat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.makeSymbolicLink(arguments[0], arguments.descriptor(1), arguments[2])
    }

    private func readLink(_ descriptor: Int32, _ address: UInt64, _ buffer: UInt64, _ size: Int32) throws(Errno) -> Int {
        guard size > 0 else { throw .einval }
        let path = try path(at: address)
        // The empty path is a link that was opened with O_PATH and O_NOFOLLOW.
        let place = try paths.resolve(path, from: try start(descriptor, path, allowsEmpty: true), [.noFollow, .allowEmpty])
        guard place.vnode.kind == .symbolicLink else { throw path.isEmpty ? .enoent : .einval }
        let target = try place.vnode.readLink()
        let count = min(target.count, Int(size))
        try memory.copyOut(target.raw.extracting(first: count), to: buffer)
        return count
    }
    static func sysReadlink(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.readLink(At.workingDirectory, arguments[0], arguments[1], arguments.int32(2))
    }
    static func sysReadlinkat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.readLink(arguments.descriptor(0), arguments[1], arguments[2], arguments.int32(3))
    }

    private func makeNode(_ descriptor: Int32, _ address: UInt64, _ mode: UInt32, _ device: UInt64) throws(Errno) -> Int {
        let path = try path(at: address)
        let bits = mode & FileKind.mask
        guard let kind = bits == 0 ? FileKind.regular : FileKind(rawValue: bits) else { throw .einval }
        try paths.makeNode(path, from: try start(descriptor, path), kind, mode: mode & 0o7777, device: device)
        return 0
    }
    static func sysMknod(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.makeNode(At.workingDirectory, arguments[0], arguments.uint32(1), arguments[2])
    }
    static func sysMknodat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.makeNode(arguments.descriptor(0), arguments[1], arguments.uint32(2), arguments[3])
    }

    // MARK: Where the process stands

    static func sysGetcwd(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var path = try thread.paths.path(of: thread.paths.workingDirectory)
        path.append(0)
        guard UInt64(path.count) <= arguments[1] else { throw .erange }
        try thread.memory.copyOut(path.raw, to: arguments[0])
        return path.count
    }

    private func enter(_ place: Place) throws(Errno) -> Place {
        guard place.vnode.kind == .directory else { throw .enotdir }
        try paths.checkAccess(to: place, 1, by: paths.credentials)
        return place
    }
    static func sysChdir(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        thread.paths.workingDirectory = try thread.enter(try thread.paths.resolve(try thread.path(at: arguments[0])))
        return 0
    }
    static func sysFchdir(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.process.descriptors[arguments.descriptor(0)]
        guard let place = file.origin?.place else { throw .enotdir }
        thread.paths.workingDirectory = try thread.enter(place)
        return 0
    }
    static func sysChroot(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let place = try thread.enter(try thread.paths.resolve(try thread.path(at: arguments[0])))
        guard thread.paths.credentials.isPrivileged else { throw .eperm }
        thread.paths.root = place
        return 0
    }
    static func sysUmask(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let old = thread.paths.creationMask
        thread.paths.creationMask = arguments.uint32(0) & 0o777
        return Int(old)
    }

    // MARK: Directories

    /// Records of a directory until the buffer is full: a head, the name, zeros up to eight bytes.
    private func readDirectory(_ descriptor: Int32, _ address: UInt64, _ size: UInt32, isOld: Bool) throws(Errno) -> Int {
        let file = try file(descriptor)
        guard file.kind == .directory else { throw .enotdir }
        if let vnode = file.vnode, vnode.attributes.linkCount == 0 { throw .enoent }
        let limit = Int(min(size, 1 << 16))
        var records: [UInt8] = []
        var isTooSmall = false
        // d_ino, d_off, d_reclen; d_type is before the name, or last in the old form.
        let head = isOld ? 18 : 19
        try file.readDirectory { name, inode, kind, next in
            let length = (head + name.byteCount + (isOld ? 2 : 1) + 7) & ~7
            guard records.count + length <= limit else {
                isTooSmall = records.isEmpty
                return false
            }
            let begin = records.count
            for word in [inode, UInt64(bitPattern: next)] {
                for shift in 0..<UInt64(8) { records.append(UInt8(truncatingIfNeeded: word >> (shift * 8))) }
            }
            records.append(UInt8(length & 255))
            records.append(UInt8(length >> 8))
            if !isOld { records.append(kind.directoryEntryType) }
            records.append(name)
            while records.count < begin + length { records.append(0) }
            if isOld { records[begin + length - 1] = kind.directoryEntryType }
            return true
        }
        if isTooSmall { throw .einval }
        try memory.copyOut(records.raw, to: address)
        return records.count
    }
    static func sysGetdents64(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.readDirectory(arguments.descriptor(0), arguments[1], arguments.uint32(2), isOld: false)
    }
    static func sysGetdents(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.readDirectory(arguments.descriptor(0), arguments[1], arguments.uint32(2), isOld: true)
    }
}
