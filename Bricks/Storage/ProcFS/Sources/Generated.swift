import Bytes
import Errno
import VFS

/// A tree whose files are made when they are read: the base of ProcFS and SysFS.
public class GeneratedFS: FileSystem {
    private let magic: UInt64
    private var lastInode: UInt64 = 1
    let clock: () -> FileTime

    init(device: UInt64, typeName: StaticString, magic: UInt64, clock: @escaping () -> FileTime) {
        self.magic = magic
        self.clock = clock
        super.init(device: device, typeName: typeName)
    }

    public override var statistics: FileSystemStatistics { FileSystemStatistics(magic: magic) }

    func nextInode() -> UInt64 {
        lastInode += 1
        return lastInode
    }
}

/// A file of such a tree.
class GeneratedNode: Vnode {
    let generated: GeneratedFS
    let mode: UInt32
    let inode: UInt64
    var owner: (user: UInt32, group: UInt32) = (0, 0)

    /// `inode`: for those that are made anew at every look.
    init(_ kind: FileKind, _ generated: GeneratedFS, mode: UInt32, inode: UInt64? = nil) {
        self.generated = generated
        self.mode = mode
        self.inode = inode ?? generated.nextInode()
        super.init(kind: kind, fileSystem: generated)
    }

    override var permissions: Permissions { Permissions(mode: mode, user: owner.user, group: owner.group) }
    override var byteCount: Int64 { 0 }
    override var attributes: Attributes {
        var attributes = Attributes(kind: kind, permissions: permissions)
        attributes.device = generated.device
        attributes.inode = inode
        attributes.linkCount = kind == .directory ? 2 : 1
        let now = generated.clock()
        attributes.accessed = now
        attributes.modified = now
        attributes.changed = now
        return attributes
    }
    override func setAttributes(_ change: AttributeChange) throws(Errno) { throw .eperm }
    override func create(_ name: RawSpan, _ file: NewFile) throws(Errno) -> Vnode { throw .enoent }
    override func makeSymbolicLink(_ name: RawSpan, to target: RawSpan, _ owner: NewFile) throws(Errno) -> Vnode { throw .eperm }
    override func link(_ name: RawSpan, to vnode: Vnode) throws(Errno) { throw .eperm }
    override func unlink(_ name: RawSpan, _ vnode: Vnode) throws(Errno) { throw .eperm }
    override func removeDirectory(_ name: RawSpan, _ vnode: Vnode) throws(Errno) { throw .eperm }
    override func rename(_ name: RawSpan, to newName: RawSpan, of directory: Vnode, _ mode: RenameMode) throws(Errno) { throw .eperm }
}

typealias Generator = () throws(Errno) -> [UInt8]

/// Text that is made when it is opened and read from the start.
final class GeneratedFile: GeneratedNode {
    private let generate: Generator
    private let accept: (([UInt8]) throws(Errno) -> Void)?

    init(
        _ generated: GeneratedFS, mode: UInt32 = 0o444, inode: UInt64? = nil, accept: (([UInt8]) throws(Errno) -> Void)? = nil,
        _ generate: @escaping Generator
    ) {
        self.generate = generate
        self.accept = accept
        super.init(.regular, generated, mode: mode, inode: inode)
    }

    override func open(_ flags: OpenFlags) throws(Errno) -> OpenFile {
        if flags.isWritable, accept == nil { throw .eacces }
        return SnapshotFile(self, flags)
    }
    override func truncate(to byteCount: Int64) throws(Errno) {}
    func contents() throws(Errno) -> [UInt8] { try generate() }
    func write(_ bytes: [UInt8]) throws(Errno) {
        guard let accept else { throw .eacces }
        try accept(bytes)
    }
}

/// A generated file, opened: what it was at the first read from its start.
final class SnapshotFile: OpenFile {
    private let node: GeneratedFile
    private var snapshot: [UInt8]?
    private var offset: Int64 = 0

    init(_ vnode: GeneratedFile, _ flags: OpenFlags) {
        node = vnode
        super.init(flags)
    }

    override var vnode: Vnode? { node }

    override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        let count = try read(at: offset, into: &bytes)
        offset += Int64(count)
        return count
    }
    override func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard offset >= 0 else { throw .einval }
        if offset == 0 || snapshot == nil { snapshot = try node.contents() }
        let text = snapshot ?? []
        guard offset < text.count else { return 0 }
        let count = min(bytes.byteCount, text.count - Int(offset))
        bytes.replace(from: 0, with: text.raw.extracting(Int(offset)..<Int(offset) + count))
        return count
    }
    override func write(_ bytes: RawSpan) throws(Errno) -> Int {
        guard bytes.byteCount <= 4096 else { throw .einval }
        try node.write(Array(copying: bytes))
        snapshot = nil
        return bytes.byteCount
    }
    override func write(at offset: Int64, _ bytes: RawSpan) throws(Errno) -> Int { try write(bytes) }
    override func seek(to offset: Int64, from whence: Int32) throws(Errno) -> Int64 {
        let target: Int64
        switch whence {
        case 0: target = offset
        case 1:
            let (sum, overflow) = self.offset.addingReportingOverflow(offset)
            guard !overflow else { throw .eoverflow }
            target = sum
        default: throw .einval
        }
        guard target >= 0 else { throw .einval }
        self.offset = target
        return target
    }
    override func truncate(to byteCount: Int64) throws(Errno) {}
}

/// A symbolic link whose text is made when it is read.
final class GeneratedLink: GeneratedNode {
    private let target: Generator
    private let magic: (() throws(Errno) -> MagicTarget?)?

    init(
        _ generated: GeneratedFS, inode: UInt64? = nil, magic: (() throws(Errno) -> MagicTarget?)? = nil, _ target: @escaping Generator
    ) {
        self.target = target
        self.magic = magic
        super.init(.symbolicLink, generated, mode: 0o777, inode: inode)
    }

    override func readLink() throws(Errno) -> [UInt8] { try target() }
    override func followMagic() throws(Errno) -> MagicTarget? { try magic?() }
}

/// A directory: entries that stay, and those that a subclass finds.
class GeneratedDirectory: GeneratedNode {
    private let above: GeneratedDirectory?
    private let ownName: [UInt8]?
    private var entries: [(name: [UInt8], node: GeneratedNode)] = []

    init(_ generated: GeneratedFS, parent: GeneratedDirectory?, name: [UInt8]?, mode: UInt32 = 0o555, inode: UInt64? = nil) {
        above = parent
        ownName = name
        super.init(.directory, generated, mode: mode, inode: inode)
    }

    override var parent: Vnode { above ?? self }
    override var nameInParent: [UInt8]? { ownName }

    /// Entries beside those that stay.
    func find(_ name: RawSpan) throws(Errno) -> GeneratedNode? { nil }
    func list() -> [(name: [UInt8], kind: FileKind)] { [] }

    func add(_ name: StaticString, _ node: GeneratedNode) { entries.append((name.bytes, node)) }
    func add(_ name: StaticString, text: StaticString) { add(name.bytes, text: text.bytes) }
    func add(_ name: StaticString, _ generate: @escaping Generator) { add(name, GeneratedFile(generated, generate)) }
    private func add(_ name: [UInt8], text: [UInt8]) {
        entries.append((name, GeneratedFile(generated) { () throws(Errno) in Text.line(text) }))
    }

    /// A file for each line: its name, a blank, its text.
    func add(lines: StaticString) {
        lines.forEachLine { line in
            let name = line.prefix { $0 != 0x20 }
            add(Array(name), text: Array(line.dropFirst(name.count + 1)))
        }
    }

    /// The directory of that name, made if need be.
    func directory(_ name: StaticString) -> GeneratedDirectory { directory(name.bytes) }
    func directory(_ bytes: [UInt8]) -> GeneratedDirectory {
        if let known = entries.first(where: { $0.name == bytes })?.node as? GeneratedDirectory { return known }
        let made = GeneratedDirectory(generated, parent: self, name: bytes)
        entries.append((bytes, made))
        return made
    }

    override func lookup(_ name: RawSpan) throws(Errno) -> Vnode {
        for entry in entries where entry.name.count == name.byteCount && entry.name.hasSameBytes(as: name, from: 0) { return entry.node }
        guard let found = try find(name) else { throw .enoent }
        return found
    }

    override func readDirectory(from position: Int64, _ reader: DirectoryReader) throws(Errno) {
        guard position >= 2 else { throw .einval }
        var next = position
        while next - 2 < Int64(entries.count) {
            let entry = entries[Int(next - 2)]
            next += 1
            guard reader(entry.name.raw, entry.node.inode, entry.node.kind, next) else { return }
        }
        let found = list()
        while next - 2 - Int64(entries.count) < Int64(found.count) {
            let entry = found[Int(next - 2) - entries.count]
            next += 1
            guard reader(entry.name.raw, inode << 20 | UInt64(next), entry.kind, next) else { return }
        }
    }
}
