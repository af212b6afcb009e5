import Bytes
import Errno
import PageFrames
import VFS

/// What every file of a RamFS has.
public class RamNode: Vnode {
    public let ram: RamFS
    let inode: UInt64
    var owner: Permissions
    public internal(set) var linkCount: UInt32 = 1
    var device: UInt64 = 0
    var accessed: FileTime
    var modified: FileTime
    var changed: FileTime
    let created: FileTime
    private var extended: [ExtendedAttribute] = []

    /// The caller has taken an inode of the file system for it.
    init(_ ram: RamFS, _ file: NewFile) {
        self.ram = ram
        inode = ram.nextInode()
        owner = file.permissions
        device = file.device
        created = ram.clock()
        accessed = created
        modified = created
        changed = created
        super.init(kind: file.kind, fileSystem: ram)
    }

    deinit { ram.giveInode() }

    public override var permissions: Permissions { owner }
    public override var attributes: Attributes {
        var attributes = Attributes(kind: kind, permissions: owner)
        attributes.device = ram.device
        attributes.inode = inode
        attributes.linkCount = linkCount
        attributes.representedDevice = device
        attributes.byteCount = byteCount
        attributes.accessed = accessed
        attributes.modified = modified
        attributes.changed = changed
        attributes.created = created
        return attributes
    }
    public override var byteCount: Int64 { 0 }

    public override func setAttributes(_ change: AttributeChange) throws(Errno) {
        if let mode = change.mode { owner.mode = mode & 0o7777 }
        if let user = change.user { owner.user = user }
        if let group = change.group { owner.group = group }
        if let time = change.accessed { accessed = time }
        if let time = change.modified { modified = time }
        changed = ram.clock()
    }

    /// All of them as another file system had them: a copy keeps its times.
    public final func setTimes(accessed: FileTime, modified: FileTime) {
        self.accessed = accessed
        self.modified = modified
    }

    /// Read: the time is kept only as far as programs rely on it ("relatime", mount(8)).
    public func touchAccessed() {
        guard accessed <= modified || accessed <= changed else { return }
        accessed = ram.clock()
    }

    public func touchModified() {
        modified = ram.clock()
        changed = modified
    }

    public func touchChanged() { changed = ram.clock() }

    // MARK: Extended attributes

    private struct ExtendedAttribute {
        var name: [UInt8]
        var value: [UInt8]
    }

    /// Bytes of names and values of one file.
    public static var extendedAttributeLimit: Int { 4096 }

    private func check(_ name: RawSpan) throws(Errno) {
        let prefix = Array("user.".utf8)
        guard name.byteCount > prefix.count, prefix.hasSameBytes(as: name.extracting(first: prefix.count), from: 0) else {
            throw .eopnotsupp
        }
        guard kind == .regular || kind == .directory else { throw .eperm }
    }

    private func index(_ name: RawSpan) -> Int? {
        extended.firstIndex { $0.name.count == name.byteCount && $0.name.hasSameBytes(as: name, from: 0) }
    }

    public override func extendedAttribute(_ name: RawSpan) throws(Errno) -> [UInt8] {
        try check(name)
        guard let index = index(name) else { throw .enodata }
        return extended[index].value
    }

    public override func setExtendedAttribute(_ name: RawSpan, _ value: RawSpan, mustExist: Bool?) throws(Errno) {
        try check(name)
        let old = index(name)
        if mustExist == true, old == nil { throw .enodata }
        if mustExist == false, old != nil { throw .eexist }
        var total = name.byteCount + value.byteCount
        for other in extended.indices where other != old { total += extended[other].name.count + extended[other].value.count }
        guard total <= Self.extendedAttributeLimit else { throw .enospc }
        let entry = ExtendedAttribute(name: Array(copying: name), value: Array(copying: value))
        if let old { extended[old] = entry } else { extended.append(entry) }
        touchChanged()
    }

    public override func removeExtendedAttribute(_ name: RawSpan) throws(Errno) {
        try check(name)
        guard let index = index(name) else { throw .enodata }
        extended.remove(at: index)
        touchChanged()
    }

    public override func extendedAttributeNames() throws(Errno) -> [UInt8] {
        var names: [UInt8] = []
        for entry in extended {
            names.append(contentsOf: entry.name)
            names.append(0)
        }
        return names
    }
}

/// A symbolic link.
final class RamLink: RamNode {
    private let target: [UInt8]

    init(_ ram: RamFS, _ file: NewFile, target: [UInt8]) {
        self.target = target
        super.init(ram, file)
    }

    override var byteCount: Int64 { Int64(target.count) }
    override func readLink() throws(Errno) -> [UInt8] { target }
}

/// A FIFO, a socket, a device: only a name for what others open.
final class RamSpecial: RamNode {}
