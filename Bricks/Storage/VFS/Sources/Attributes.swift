/// A time stamp of a file: seconds since 1970, which may be negative, and nanoseconds below a second.
public struct FileTime: Equatable, Comparable, Sendable {
    public var seconds: Int64
    public var nanoseconds: UInt32

    public init(seconds: Int64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    public static var zero: FileTime { FileTime(seconds: 0, nanoseconds: 0) }
    public static func < (a: FileTime, b: FileTime) -> Bool {
        a.seconds != b.seconds ? a.seconds < b.seconds : a.nanoseconds < b.nanoseconds
    }
}

/// The type of a file: the bits S_IFMT of its mode (inode(7)).
public enum FileKind: UInt32, Sendable {
    /// What has no type: eventfd, epoll and the like (anon_inode).
    case anonymous = 0
    case fifo = 0o010000
    case characterDevice = 0o020000
    case directory = 0o040000
    case blockDevice = 0o060000
    case regular = 0o100000
    case symbolicLink = 0o120000
    case socket = 0o140000

    /// `d_type` of getdents64(2).
    public var directoryEntryType: UInt8 { UInt8(rawValue >> 12) }
    /// S_IFMT.
    public static var mask: UInt32 { 0o170000 }
}

/// Who owns a file and what they may do.
public struct Permissions: Equatable, Sendable {
    /// The low twelve bits of the mode.
    public var mode: UInt32
    public var user: UInt32
    public var group: UInt32

    public init(mode: UInt32, user: UInt32 = 0, group: UInt32 = 0) {
        self.mode = mode & 0o7777
        self.user = user
        self.group = group
    }

    public static var setUser: UInt32 { 0o4000 }
    public static var setGroup: UInt32 { 0o2000 }
    public static var sticky: UInt32 { 0o1000 }
}

/// What stat(2) tells.
public struct Attributes: Equatable, Sendable {
    public var device: UInt64 = 0
    public var inode: UInt64 = 0
    public var kind: FileKind
    public var permissions: Permissions
    public var linkCount: UInt32 = 1
    /// The number of the device that a node stands for (st_rdev).
    public var representedDevice: UInt64 = 0
    public var byteCount: Int64 = 0
    public var blockByteCount: UInt32 = 4096
    /// What it takes, in units of 512 bytes.
    public var sectorCount: Int64 = 0
    public var accessed = FileTime.zero
    public var modified = FileTime.zero
    public var changed = FileTime.zero
    public var created = FileTime.zero

    public init(kind: FileKind, permissions: Permissions) {
        self.kind = kind
        self.permissions = permissions
    }

    /// `st_mode`.
    public var mode: UInt32 { kind.rawValue | permissions.mode }
}

/// What chmod, chown and utimensat change; nil stays as it is.
public struct AttributeChange: Equatable, Sendable {
    public var mode: UInt32?
    public var user: UInt32?
    public var group: UInt32?
    public var accessed: FileTime?
    public var modified: FileTime?

    public init(
        mode: UInt32? = nil, user: UInt32? = nil, group: UInt32? = nil, accessed: FileTime? = nil, modified: FileTime? = nil
    ) {
        self.mode = mode
        self.user = user
        self.group = group
        self.accessed = accessed
        self.modified = modified
    }
}

/// Numbers of devices as stat(2) gives them: makedev(3).
public func deviceNumber(major: UInt32, minor: UInt32) -> UInt64 {
    let major = UInt64(major), minor = UInt64(minor)
    return (major & 0xfff) << 8 | (major >> 12) << 32 | minor & 0xff | (minor >> 8) << 20
}
