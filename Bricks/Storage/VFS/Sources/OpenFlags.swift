/// The flags of open(2), those that stay with an open file description among them.
public struct OpenFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var readOnly: OpenFlags { [] }
    public static var writeOnly: OpenFlags { OpenFlags(rawValue: 1) }
    public static var readWrite: OpenFlags { OpenFlags(rawValue: 2) }
    public static var create: OpenFlags { OpenFlags(rawValue: 0o100) }
    public static var exclusive: OpenFlags { OpenFlags(rawValue: 0o200) }
    public static var noControllingTerminal: OpenFlags { OpenFlags(rawValue: 0o400) }
    public static var truncate: OpenFlags { OpenFlags(rawValue: 0o1000) }
    public static var append: OpenFlags { OpenFlags(rawValue: 0o2000) }
    public static var nonBlock: OpenFlags { OpenFlags(rawValue: 0o4000) }
    public static var dataSync: OpenFlags { OpenFlags(rawValue: 0o10000) }
    public static var async: OpenFlags { OpenFlags(rawValue: 0o20000) }
    public static var direct: OpenFlags { OpenFlags(rawValue: 0o40000) }
    public static var largeFile: OpenFlags { OpenFlags(rawValue: 0o100000) }
    public static var directory: OpenFlags { OpenFlags(rawValue: 0o200000) }
    public static var noFollow: OpenFlags { OpenFlags(rawValue: 0o400000) }
    public static var noAccessTime: OpenFlags { OpenFlags(rawValue: 0o1000000) }
    public static var closeOnExec: OpenFlags { OpenFlags(rawValue: 0o2000000) }
    public static var synchronous: OpenFlags { OpenFlags(rawValue: 0o4010000) }
    public static var path: OpenFlags { OpenFlags(rawValue: 0o10000000) }
    /// O_TMPFILE without O_DIRECTORY, which must come with it.
    public static var temporary: OpenFlags { OpenFlags(rawValue: 0o20000000) }

    /// O_ACCMODE.
    public var accessMode: UInt32 { rawValue & 3 }
    /// Access mode 3 may neither read nor write.
    public var isReadable: Bool { (accessMode == 0 || accessMode == 2) && !contains(.path) }
    public var isWritable: Bool { (accessMode == 1 || accessMode == 2) && !contains(.path) }
    /// Whether open(2) takes them together: O_CREAT is not for directories, O_TMPFILE only with one and to be written.
    public var isAllowed: Bool {
        if contains(.path) { return true }
        if contains(.temporary) { return contains(.directory) && isWritable && !contains(.create) }
        return !contains([.create, .directory])
    }
    /// What F_SETFL may change.
    public static var changeable: OpenFlags { [.append, .nonBlock, .async, .direct, .noAccessTime] }
    /// What F_GETFL does not show.
    public static var onlyAtOpen: OpenFlags {
        [.create, .exclusive, .noControllingTerminal, .truncate, .closeOnExec]
    }
    /// All that open(2) knows; it ignores the rest.
    public static var known: OpenFlags { OpenFlags(rawValue: 0o37777703) }
}
