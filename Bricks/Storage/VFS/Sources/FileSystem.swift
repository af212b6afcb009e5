/// A tree of vnodes.
open class FileSystem {
    /// Its number in `st_dev`.
    public let device: UInt64
    /// "erofs", "tmpfs" …, as in /proc/mounts.
    public let typeName: StaticString
    public let isReadOnly: Bool

    public init(device: UInt64, typeName: StaticString, isReadOnly: Bool = false) {
        self.device = device
        self.typeName = typeName
        self.isReadOnly = isReadOnly
    }

    open var statistics: FileSystemStatistics { FileSystemStatistics(magic: 0) }
}

/// What statfs(2) tells.
public struct FileSystemStatistics: Equatable, Sendable {
    public var magic: UInt64
    public var blockByteCount: UInt64 = 4096
    public var blockCount: UInt64 = 0
    public var freeBlockCount: UInt64 = 0
    public var inodeCount: UInt64 = 0
    public var freeInodeCount: UInt64 = 0

    public init(magic: UInt64) { self.magic = magic }
}

/// A file system at its place in the tree.
public final class Mount {
    public let fileSystem: FileSystem
    public let root: Vnode
    /// The directory that it covers; nil for the root of everything.
    public let point: Place?
    public let isReadOnly: Bool
    public let identifier: Int

    init(_ fileSystem: FileSystem, root: Vnode, at point: Place?, isReadOnly: Bool, identifier: Int) {
        self.fileSystem = fileSystem
        self.root = root
        self.point = point
        self.isReadOnly = isReadOnly || fileSystem.isReadOnly
        self.identifier = identifier
    }

    public var rootPlace: Place { Place(mount: self, vnode: root) }
}

/// A vnode, and the mount by which it was reached.
public struct Place: Equatable {
    public let mount: Mount
    public let vnode: Vnode

    public init(mount: Mount, vnode: Vnode) {
        self.mount = mount
        self.vnode = vnode
    }

    public static func == (a: Place, b: Place) -> Bool { a.vnode === b.vnode && a.mount === b.mount }
}

/// All mounts, the root first.
public final class MountTable {
    public private(set) var mounts: [Mount]
    /// Opens what a vnode only names: FIFOs and devices.
    public var specialFiles = SpecialFiles()
    /// Pairs the two halves of a rename for inotify(7).
    var lastCookie: UInt32 = 0

    public static var mountLimit: Int { 64 }

    public init(root: FileSystem, _ vnode: Vnode, isReadOnly: Bool = false) {
        mounts = [Mount(root, root: vnode, at: nil, isReadOnly: isReadOnly, identifier: 1)]
    }

    public var root: Place { mounts[0].rootPlace }

    /// Covers a directory. False: it is none, is covered already, or there are too many.
    public func mount(_ fileSystem: FileSystem, root: Vnode, at point: Place, isReadOnly: Bool = false) -> Bool {
        guard mounts.count < Self.mountLimit, point.vnode.kind == .directory, root.kind == .directory, point.vnode.covering == nil else {
            return false
        }
        let mount = Mount(fileSystem, root: root, at: point, isReadOnly: isReadOnly, identifier: mounts.count + 1)
        mounts.append(mount)
        point.vnode.cover(with: mount)
        return true
    }
}
