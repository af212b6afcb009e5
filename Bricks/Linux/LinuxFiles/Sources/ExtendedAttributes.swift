import Bytes
import Errno
import LinuxMemory
import LinuxProcess
import VFS

// xattr(7): the same calls for a path, for a link itself, and for a descriptor.
extension LinuxThread {
    private enum Subject { case path, link, file }

    private static var nameLimit: Int { 255 }
    private static var valueLimit: UInt64 { 65536 }

    private func subject(_ subject: Subject, _ arguments: borrowing Arguments) throws(Errno) -> (vnode: Vnode, mount: Mount?) {
        switch subject {
        case .path, .link:
            let place = try place(At.workingDirectory, try path(at: arguments[0]), subject == .link ? At.noFollow : 0)
            return (place.vnode, place.mount)
        case .file:
            let file = try file(arguments.descriptor(0))
            guard let vnode = file.vnode else { throw .eopnotsupp }
            return (vnode, file.origin?.place.mount)
        }
    }

    private func attributeName(at address: UInt64) throws(Errno) -> [UInt8] {
        let name: [UInt8]
        do {
            name = try memory.string(at: address, limit: Self.nameLimit + 1)
        } catch {
            throw error == .enametoolong ? .erange : error
        }
        guard !name.isEmpty else { throw .erange }
        return name
    }

    private func give(_ value: [UInt8], _ address: UInt64, _ size: UInt64) throws(Errno) -> Int {
        if size == 0 { return value.count }
        guard UInt64(value.count) <= size else { throw .erange }
        try memory.copyOut(value.raw, to: address)
        return value.count
    }

    private func read(_ subject: Subject, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let name = try attributeName(at: arguments[1])
        let (vnode, _) = try self.subject(subject, arguments)
        try process.paths.checkAccess(vnode, 4)
        return try give(try vnode.extendedAttribute(name.raw), arguments[2], arguments[3])
    }
    private func set(_ subject: Subject, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.uint32(4)
        guard flags & ~3 == 0 else { throw .einval }
        let name = try attributeName(at: arguments[1])
        guard arguments[3] <= Self.valueLimit else { throw .e2big }
        var value = [UInt8](repeating: 0, count: Int(arguments[3]))
        try memory.fill(&value, from: arguments[2])
        let (vnode, mount) = try self.subject(subject, arguments)
        guard mount?.isReadOnly != true else { throw .erofs }
        try process.paths.checkAccess(vnode, 2)
        try vnode.setExtendedAttribute(name.raw, value.raw, mustExist: flags & 2 != 0 ? true : flags & 1 != 0 ? false : nil)
        vnode.report(.attributes)
        return 0
    }
    private func list(_ subject: Subject, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let (vnode, _) = try self.subject(subject, arguments)
        var names: [UInt8] = []
        do { names = try vnode.extendedAttributeNames() } catch { guard error == .eopnotsupp else { throw error } }
        return try give(names, arguments[1], arguments[2])
    }
    private func remove(_ subject: Subject, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let name = try attributeName(at: arguments[1])
        let (vnode, mount) = try self.subject(subject, arguments)
        guard mount?.isReadOnly != true else { throw .erofs }
        try process.paths.checkAccess(vnode, 2)
        try vnode.removeExtendedAttribute(name.raw)
        vnode.report(.attributes)
        return 0
    }

    static func sysGetxattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.read(.path, arguments)
    }
    static func sysLgetxattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.read(.link, arguments)
    }
    static func sysFgetxattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.read(.file, arguments)
    }
    static func sysSetxattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.set(.path, arguments)
    }
    static func sysLsetxattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.set(.link, arguments)
    }
    static func sysFsetxattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.set(.file, arguments)
    }
    static func sysListxattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.list(.path, arguments)
    }
    static func sysLlistxattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.list(.link, arguments)
    }
    static func sysFlistxattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.list(.file, arguments)
    }
    static func sysRemovexattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.remove(.path, arguments)
    }
    static func sysLremovexattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.remove(.link, arguments)
    }
    static func sysFremovexattr(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.remove(.file, arguments)
    }
}

extension AddressSpace {
    /// All of an array.
    func fill(_ bytes: inout [UInt8], from address: UInt64) throws(Errno) {
        guard !bytes.isEmpty else { return }
        var span = bytes.mutableSpan
        var raw = span.raw
        try copyIn(address, into: &raw)
    }
}
