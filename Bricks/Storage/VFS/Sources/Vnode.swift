import Errno
import PageFrames

/// Who asks for a new file, and as what: type, permissions and device are checked and masked already.
public struct NewFile {
    public var kind: FileKind
    public var permissions: Permissions
    public var device: UInt64
    /// Without a name, whether it may get one (O_TMPFILE without O_EXCL).
    public var isLinkable = true

    public init(kind: FileKind, permissions: Permissions, device: UInt64 = 0) {
        self.kind = kind
        self.permissions = permissions
        self.device = device
    }
}

/// Takes one entry of a directory: name, inode, kind and the position after it. False: it has no room, the entry counts as not read.
public typealias DirectoryReader = (_ name: RawSpan, _ inode: UInt64, _ kind: FileKind, _ next: Int64) -> Bool

/// How renameat2(2) treats what is there.
public enum RenameMode: Sendable {
    case replace, noReplace, exchange
}

/// A file of a file system. One object per file: identity is what locks, mounts, watches and shared pages hang on.
///
/// Names are single components, neither empty nor "." or "..", at most 255 bytes. Rights, read-only mounts and types of what is asked for
/// are checked by `PathContext`; a vnode checks what only it can know.
open class Vnode {
    public let kind: FileKind
    /// The file system that it belongs to.
    public let fileSystem: FileSystem
    fileprivate(set) final var attachments: VnodeAttachments?

    public init(kind: FileKind, fileSystem: FileSystem) {
        self.kind = kind
        self.fileSystem = fileSystem
    }

    // MARK: Attributes

    open var attributes: Attributes { Attributes(kind: kind, permissions: permissions) }
    /// The part of the attributes that every step of a path asks for.
    open var permissions: Permissions { Permissions(mode: 0) }
    open var byteCount: Int64 { attributes.byteCount }
    /// The owner of the call has been found to have the right.
    open func setAttributes(_ change: AttributeChange) throws(Errno) { throw .erofs }

    // MARK: Directories

    /// Where ".." leads inside the file system; the root leads to itself. Directories only.
    open var parent: Vnode { self }
    /// The name of a directory in its parent, nil when it has none: the root, a removed one.
    open var nameInParent: [UInt8]? { nil }

    open func lookup(_ name: RawSpan) throws(Errno) -> Vnode { throw .enotdir }
    open func create(_ name: RawSpan, _ file: NewFile) throws(Errno) -> Vnode { throw .erofs }
    open func makeSymbolicLink(_ name: RawSpan, to target: RawSpan, _ owner: NewFile) throws(Errno) -> Vnode { throw .erofs }
    /// A file without a name (O_TMPFILE).
    open func createTemporary(_ file: NewFile) throws(Errno) -> Vnode { throw .eopnotsupp }
    /// One more name; `.exdev`: a vnode of another file system.
    open func link(_ name: RawSpan, to vnode: Vnode) throws(Errno) { throw .erofs }
    open func unlink(_ name: RawSpan, _ vnode: Vnode) throws(Errno) { throw .erofs }
    /// `.enotempty`.
    open func removeDirectory(_ name: RawSpan, _ vnode: Vnode) throws(Errno) { throw .erofs }
    /// Moves `name` to `newName` of `directory`, which is of the same file system. That a directory does not move below itself, and that
    /// types match, has been checked.
    open func rename(_ name: RawSpan, to newName: RawSpan, of directory: Vnode, _ mode: RenameMode) throws(Errno) { throw .erofs }
    /// Entries from `position` on, without "." and ".."; the first position is 2.
    open func readDirectory(from position: Int64, _ reader: DirectoryReader) throws(Errno) { throw .enotdir }

    // MARK: Symbolic links

    open func readLink() throws(Errno) -> [UInt8] { throw .einval }
    /// Where a link leads that is more than its text (/proc/self/fd/1); nil: an ordinary one.
    open func followMagic() throws(Errno) -> MagicTarget? { nil }

    // MARK: Contents

    open func open(_ flags: OpenFlags) throws(Errno) -> OpenFile {
        switch kind {
        case .regular: return RegularFile(self, flags)
        case .directory: return DirectoryFile(self, flags)
        case .symbolicLink: throw .eloop
        case .fifo, .socket, .characterDevice, .blockDevice, .anonymous: throw .enxio
        }
    }
    open func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int { throw .einval }
    open func write(at offset: Int64, _ bytes: RawSpan) throws(Errno) -> Int { throw .einval }
    open func truncate(to byteCount: Int64) throws(Errno) { throw .einval }
    open func allocate(_ mode: AllocationMode, at offset: Int64, byteCount: Int64) throws(Errno) { throw .eopnotsupp }
    /// The first byte of data or of a hole at or after `offset`; `.enxio`: none, or beyond the end.
    open func seek(toData isData: Bool, from offset: Int64) throws(Errno) -> Int64 {
        let end = byteCount
        guard offset >= 0, offset < end else { throw .enxio }
        return isData ? offset : end
    }
    /// The frame of a page, retained for the caller. `.enxio`: beyond the end (SIGBUS); `.enodev`: has no pages.
    open func frame(at pageIndex: Int64, forWriting: Bool) throws(Errno) -> Frame { throw .enodev }
    /// The vnode whose pages these are: another one where file systems lie on top of each other.
    open var pageOwner: Vnode { self }
    open func synchronize() throws(Errno) {}
    /// F_GET_SEALS and F_ADD_SEALS of fcntl(2).
    open var seals: UInt32? { nil }
    open func addSeals(_ seals: UInt32) throws(Errno) { throw .einval }
    /// A file description was opened, or the last descriptor of one is gone.
    open func opened(_ flags: OpenFlags) {}
    open func closed(_ flags: OpenFlags) {}

    // MARK: Extended attributes (xattr(7))

    open func extendedAttribute(_ name: RawSpan) throws(Errno) -> [UInt8] { throw .eopnotsupp }
    open func setExtendedAttribute(_ name: RawSpan, _ value: RawSpan, mustExist: Bool?) throws(Errno) { throw .eopnotsupp }
    open func removeExtendedAttribute(_ name: RawSpan) throws(Errno) { throw .eopnotsupp }
    /// Names, each with a zero byte after it.
    open func extendedAttributeNames() throws(Errno) -> [UInt8] { throw .eopnotsupp }
}

/// Where a magic link leads.
public enum MagicTarget {
    case place(Place)
    /// Something that has no place: opening it is having it once more.
    case file(OpenFile)
}

/// What fallocate(2) does.
public enum AllocationMode: Sendable {
    /// Room, and a new size if the range goes beyond the end; `keepSize`: only room.
    case reserve(keepSize: Bool)
    case punchHole
    case zero(keepSize: Bool)
    case collapse
    case insert
}

/// What few vnodes have.
final class VnodeAttachments {
    var covering: Mount?
    var mappings: [PageMapping] = []
    var watches: [Watch] = []
    var locks: FileLocks?
    var object: AnyObject?
}

extension Vnode {
    private var attached: VnodeAttachments {
        if let attachments { return attachments }
        let made = VnodeAttachments()
        attachments = made
        return made
    }

    /// Identity matters: something beside the file system knows this very object.
    public final var hasAttachments: Bool { attachments != nil }

    /// The mount that covers this directory.
    public final var covering: Mount? { attachments?.covering }
    final func cover(with mount: Mount) { attached.covering = mount }

    /// The kernel object that a name in the tree stands for: a pipe (FIFO), a bound socket.
    public final var object: AnyObject? {
        get { attachments?.object }
        set { if newValue != nil || attachments != nil { attached.object = newValue } }
    }

    public final var locks: FileLocks {
        if let locks = attachments?.locks { return locks }
        let made = FileLocks()
        attached.locks = made
        return made
    }
    public final var hasLocks: Bool { attachments?.locks != nil }

    public final func add(_ mapping: PageMapping) { pageOwner.attached.mappings.append(mapping) }
    public final func remove(_ mapping: PageMapping) {
        guard let attachments = pageOwner.attachments, let index = attachments.mappings.firstIndex(where: { $0 === mapping }) else {
            return
        }
        attachments.mappings.remove(at: index)
    }
    public final var isMapped: Bool { !(pageOwner.attachments?.mappings.isEmpty ?? true) }
    public final var isMappedWritable: Bool { pageOwner.attachments?.mappings.contains { $0.canWrite } ?? false }
    /// Tells all that map pages of `range` that those are about to go.
    public final func dropMappings(of range: Range<Int64>) {
        guard let attachments = pageOwner.attachments else { return }
        for mapping in attachments.mappings { mapping.drop(range) }
    }
    /// Whoever maps pages of this vnode maps those of the other one from now on.
    public final func moveMappings(to other: Vnode) {
        guard let attachments, !attachments.mappings.isEmpty else { return }
        other.attached.mappings.append(contentsOf: attachments.mappings)
        attachments.mappings = []
    }

    public final func add(_ watch: Watch) { attached.watches.append(watch) }
    public final func remove(_ watch: Watch) {
        guard let attachments, let index = attachments.watches.firstIndex(where: { $0 === watch }) else { return }
        attachments.watches.remove(at: index)
    }
    public final var watches: [Watch] { attachments?.watches ?? [] }
    @inline(__always) public final var isWatched: Bool { attachments != nil && !(attachments?.watches.isEmpty ?? true) }
}

/// Has pages of a vnode in an address space, and is told before they are taken from the file.
open class PageMapping {
    public init() {}
    /// Whether the program may write to the file by it: a shared mapping that may become writable.
    open var canWrite: Bool { false }
    /// The pages of the file in `range` (indices) are about to go: the next access must ask the file again.
    open func drop(_ range: Range<Int64>) {}
}
