import Errno

/// Where a process stands in the tree, and by whose rights: what threads share by CLONE_FS.
public final class PathContext {
    public let mounts: MountTable
    public var root: Place
    public var workingDirectory: Place
    public var credentials: Credentials
    /// umask(2).
    public var creationMask: UInt32

    /// Longest path with its zero byte, longest name, most symbolic links on one way (path_resolution(7)).
    public static var pathLimit: Int { 4096 }
    public static var nameLimit: Int { 255 }
    public static var linkLimit: Int { 40 }

    public init(_ mounts: MountTable, credentials: Credentials = Credentials(), creationMask: UInt32 = 0o022) {
        self.mounts = mounts
        root = mounts.root
        workingDirectory = mounts.root
        self.credentials = credentials
        self.creationMask = creationMask
    }

    /// What is seen at a place of a mount: the root of whatever covers it.
    public static func uncovered(_ place: Place) -> Place {
        var place = place
        while let mount = place.vnode.covering { place = mount.rootPlace }
        return place
    }

    /// The parent of a directory as ".." has it: through mounts, not above `root`.
    public static func parent(of place: Place, below root: Place) -> Place {
        var place = place
        while place != root {
            guard place.vnode === place.mount.root else { return Place(mount: place.mount, vnode: place.vnode.parent) }
            guard let point = place.mount.point else { return place }
            place = point
        }
        return place
    }

    /// The absolute path of a directory, as getcwd(2) gives it. `.enoent`: it is removed.
    public func path(of directory: Place) throws(Errno) -> [UInt8] {
        var parts: [[UInt8]] = []
        var place = directory
        var byteCount = 0
        while place != root {
            if place.vnode === place.mount.root {
                guard let point = place.mount.point else { break }
                place = point
                continue
            }
            guard let name = place.vnode.nameInParent else { throw .enoent }
            byteCount += name.count + 1
            guard byteCount < Self.pathLimit else { throw .enametoolong }
            parts.append(name)
            place = Place(mount: place.mount, vnode: place.vnode.parent)
        }
        if parts.isEmpty { return [0x2f] }
        var path: [UInt8] = []
        path.reserveCapacity(byteCount)
        for part in parts.reversed() {
            path.append(0x2f)
            path.append(contentsOf: part)
        }
        return path
    }

    /// The path of an open file as /proc/self/fd shows it: " (deleted)" after it when the name is gone.
    public func path(of file: OpenFile) -> [UInt8] {
        guard let origin = file.origin else { return file.displayName }
        let deleted = Array(" (deleted)".utf8)
        if origin.place.vnode.kind == .directory {
            if let path = try? path(of: origin.place) { return path }
            return [0x2f] + origin.name + deleted
        }
        guard let directory = origin.directory, var path = try? path(of: directory) else { return file.displayName }
        if path.count > 1 { path.append(0x2f) }
        path.append(contentsOf: origin.name)
        if origin.place.vnode.attributes.linkCount == 0 { path.append(contentsOf: deleted) }
        return path
    }

    func check(_ vnode: Vnode, _ access: UInt32) throws(Errno) {
        if credentials.isPrivileged && access & 1 == 0 { return }
        guard credentials.mayAccess(vnode.permissions, vnode.kind, access) else { throw .eacces }
    }

    func checkSearch(_ vnode: Vnode) throws(Errno) {
        guard vnode.kind == .directory else { throw .enotdir }
        if !credentials.isPrivileged { try check(vnode, 1) }
    }

    /// That an entry may be made or removed in a directory.
    func checkChange(of directory: Place) throws(Errno) {
        guard !directory.mount.isReadOnly else { throw .erofs }
        if !credentials.isPrivileged { try check(directory.vnode, 3) }
    }

    /// That an entry of a sticky directory may be removed: by the owner of one of the two.
    func checkSticky(_ directory: Vnode, _ vnode: Vnode) throws(Errno) {
        if credentials.isPrivileged { return }
        let permissions = directory.permissions
        guard permissions.mode & Permissions.sticky != 0 else { return }
        guard credentials.user == permissions.user || credentials.user == vnode.permissions.user else { throw .eperm }
    }
}
