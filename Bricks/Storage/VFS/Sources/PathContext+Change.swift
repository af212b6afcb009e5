import Bytes
import Errno

// Calls that make, remove and move names.
extension PathContext {
    /// The free name that a path ends in. `.eexist`: it is taken.
    private func free(_ path: [UInt8], from start: Place?, isDirectory: Bool = false) throws(Errno) -> Found {
        let found = try find(path, from: start, .entry)
        guard found.place == nil, found.last == .name else { throw .eexist }
        guard isDirectory || !found.endsInSlash else { throw .enoent }
        try checkChange(of: found.directory)
        return found
    }

    /// mkdir(2).
    public func makeDirectory(_ path: [UInt8], from start: Place? = nil, mode: UInt32) throws(Errno) {
        let found = try free(path, from: start, isDirectory: true)
        let directory = found.directory.vnode
        let vnode = try directory.create(found.name.raw, newFile(.directory, mode & 0o1777, in: directory))
        reportEntry(.create, directory, found.name, vnode)
    }

    /// mknod(2), and the name of a bound socket. `.eperm`: devices are for the privileged.
    @discardableResult
    public func makeNode(
        _ path: [UInt8], from start: Place? = nil, _ kind: FileKind, mode: UInt32, device: UInt64 = 0
    ) throws(Errno) -> Place {
        switch kind {
        case .directory: throw .eperm
        case .symbolicLink, .anonymous: throw .einval
        case .characterDevice, .blockDevice: if !credentials.isPrivileged { throw .eperm }
        case .regular, .fifo, .socket: break
        }
        let found = try free(path, from: start)
        let directory = found.directory.vnode
        let vnode = try directory.create(found.name.raw, newFile(kind, mode, in: directory, device: device))
        reportEntry(.create, directory, found.name, vnode)
        return Place(mount: found.directory.mount, vnode: vnode)
    }

    /// symlink(2).
    public func makeSymbolicLink(to target: [UInt8], at path: [UInt8], from start: Place? = nil) throws(Errno) {
        guard !target.isEmpty else { throw .enoent }
        guard target.count < Self.pathLimit else { throw .enametoolong }
        let found = try free(path, from: start)
        let directory = found.directory.vnode
        var owner = newFile(.symbolicLink, 0o777, in: directory)
        owner.permissions.mode = 0o777
        let vnode = try directory.makeSymbolicLink(found.name.raw, to: target.raw, owner)
        reportEntry(.create, directory, found.name, vnode)
    }

    /// link(2), linkat(2): one more name for what `old` leads to.
    public func link(_ old: Place, to path: [UInt8], from start: Place? = nil) throws(Errno) {
        let found = try free(path, from: start)
        guard found.directory.vnode.attributes.linkCount > 0 else { throw .enoent }
        guard old.mount === found.directory.mount else { throw .exdev }
        guard old.vnode.kind != .directory else { throw .eperm }
        let directory = found.directory.vnode
        try directory.link(found.name.raw, to: old.vnode)
        reportEntry(.create, directory, found.name, old.vnode)
        old.vnode.report(.attributes)
    }

    /// The name that a path ends in, and what it names.
    private func taken(_ path: [UInt8], from start: Place?) throws(Errno) -> (found: Found, vnode: Vnode) {
        let found = try find(path, from: start, .entry)
        guard let place = found.place else { throw .enoent }
        return (found, place.vnode)
    }

    /// unlink(2).
    public func unlink(_ path: [UInt8], from start: Place? = nil) throws(Errno) {
        let (found, vnode) = try taken(path, from: start)
        guard found.last == .name else { throw .eisdir }
        if found.endsInSlash { throw vnode.kind == .directory ? .eisdir : .enotdir }
        try checkChange(of: found.directory)
        let directory = found.directory.vnode
        try checkSticky(directory, vnode)
        guard vnode.kind != .directory else { throw .eisdir }
        try directory.unlink(found.name.raw, vnode)
        vnode.report(.attributes)
        if vnode.isWatched, vnode.attributes.linkCount == 0 { vnode.report(.deleteSelf) }
        reportEntry(.delete, directory, found.name, vnode)
    }

    /// rmdir(2).
    public func removeDirectory(_ path: [UInt8], from start: Place? = nil) throws(Errno) {
        let (found, vnode) = try taken(path, from: start)
        switch found.last {
        case .name: break
        case .dot: throw .einval
        case .dotDot: throw .enotempty
        case .root, .magic: throw .ebusy
        }
        try checkChange(of: found.directory)
        let directory = found.directory.vnode
        try checkSticky(directory, vnode)
        guard vnode.kind == .directory else { throw .enotdir }
        guard found.place?.mount === found.directory.mount, vnode !== root.vnode else { throw .ebusy }
        try directory.removeDirectory(found.name.raw, vnode)
        vnode.report(.deleteSelf)
        reportEntry(.delete, directory, found.name, vnode)
    }

    /// rename(2), renameat2(2).
    public func rename(
        _ old: [UInt8], from oldStart: Place? = nil, to new: [UInt8], from newStart: Place? = nil, _ mode: RenameMode = .replace
    ) throws(Errno) {
        let source = try find(old, from: oldStart, .entry)
        let target = try find(new, from: newStart, .entry)
        guard source.directory.mount === target.directory.mount else { throw .exdev }
        guard source.last == .name else { throw .ebusy }
        guard target.last == .name else { throw mode == .noReplace ? .eexist : .ebusy }
        guard let vnode = source.place?.vnode else { throw .enoent }
        let other = target.place?.vnode
        try checkRename(source, vnode, target, other, mode)
        if vnode === other { return }
        let cookie = nextCookie()
        let from = source.directory.vnode, into = target.directory.vnode
        try from.rename(source.name.raw, to: target.name.raw, of: into, mode)
        reportEntry(.movedFrom, from, source.name, vnode, cookie: cookie)
        reportEntry(.movedTo, into, target.name, vnode, cookie: cookie)
        vnode.report(.moveSelf)
        guard let other else { return }
        if mode == .exchange {
            let back = nextCookie()
            reportEntry(.movedFrom, into, target.name, other, cookie: back)
            reportEntry(.movedTo, from, source.name, other, cookie: back)
            other.report(.moveSelf)
        } else {
            other.report(.attributes)
            if other.isWatched, other.kind == .directory || other.attributes.linkCount == 0 { other.report(.deleteSelf) }
        }
    }

    /// That the directory which holds the last component is there.
    public func checkParent(of path: [UInt8], from start: Place? = nil) throws(Errno) { _ = try find(path, from: start, .entry) }

    private func checkRename(_ source: Found, _ vnode: Vnode, _ target: Found, _ other: Vnode?, _ mode: RenameMode) throws(Errno) {
        switch mode {
        case .replace: break
        case .noReplace: if other != nil { throw .eexist }
        case .exchange: if other == nil { throw .enoent }
        }
        if other == nil, target.directory.vnode.attributes.linkCount == 0 { throw .enoent }
        if vnode.kind != .directory, source.endsInSlash || target.endsInSlash && (mode != .exchange || other?.kind != .directory) {
            throw .enotdir
        }
        // Neither may hold the other: a directory does not move below itself.
        if vnode.kind == .directory, isAncestor(vnode, of: target.directory.vnode) { throw .einval }
        if let other, other.kind == .directory, isAncestor(other, of: source.directory.vnode) {
            throw mode == .exchange ? .einval : .enotempty
        }
        try checkChange(of: source.directory)
        try checkChange(of: target.directory)
        try checkSticky(source.directory.vnode, vnode)
        let moves = source.directory != target.directory
        if vnode.kind == .directory, moves { try check(vnode, 2) }
        if vnode === other { return }
        guard source.place?.mount === source.directory.mount else { throw .ebusy }
        guard let other else { return }
        guard target.place?.mount === target.directory.mount else { throw .ebusy }
        try checkSticky(target.directory.vnode, other)
        if mode == .exchange {
            if other.kind == .directory, moves { try check(other, 2) }
            return
        }
        if vnode.kind == .directory, other.kind != .directory { throw .enotdir }
        if vnode.kind != .directory, other.kind == .directory { throw .eisdir }
    }

    private func isAncestor(_ vnode: Vnode, of directory: Vnode) -> Bool {
        var place = directory
        while true {
            if place === vnode { return true }
            let parent = place.parent
            if parent === place { return false }
            place = parent
        }
    }

    private func nextCookie() -> UInt32 {
        mounts.lastCookie &+= 1
        return mounts.lastCookie
    }
}
