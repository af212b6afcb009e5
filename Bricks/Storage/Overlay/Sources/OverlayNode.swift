import Bytes
import Errno
import PageFrames
import RamFS
import VFS

/// A file of an overlay: one of a layer, one in memory, or one of a layer with changes in memory.
class OverlayNode: Vnode {
    let overlay: Overlay
    private let lower: Vnode?
    /// Attributes as they were changed, and the contents once those are.
    private(set) final var shadow: RamNode?
    /// The shadow has the contents.
    private var hasContents: Bool
    let inode: UInt64
    final var linkCount: UInt32
    /// Names that the writable layer has counted.
    final var countedNameCount = 0
    final var isLinkable = false

    /// A file of a layer.
    init(_ overlay: Overlay, _ kind: FileKind, lower: Vnode, inode: UInt64) {
        self.overlay = overlay
        self.lower = lower
        self.inode = inode
        hasContents = false
        linkCount = lower.attributes.linkCount
        super.init(kind: kind, fileSystem: overlay)
    }

    /// A new file.
    init(_ overlay: Overlay, shadow: RamNode, linkCount: UInt32) {
        self.overlay = overlay
        lower = nil
        self.shadow = shadow
        inode = overlay.inode(shadow, layer: nil)
        hasContents = true
        self.linkCount = linkCount
        super.init(kind: shadow.kind == .anonymous ? .directory : shadow.kind, fileSystem: overlay)
    }

    deinit { for _ in 0..<countedNameCount { overlay.ram.giveInode() } }

    // MARK: Attributes

    override var permissions: Permissions { shadow?.permissions ?? lower?.permissions ?? Permissions(mode: 0) }
    override var byteCount: Int64 { contents.byteCount }
    private var contents: Vnode {
        if hasContents, let shadow { return shadow }
        return lower ?? self
    }

    override var attributes: Attributes {
        var attributes = shadow?.attributes ?? lower?.attributes ?? Attributes(kind: kind, permissions: permissions)
        if !hasContents, let lower {
            let below = lower.attributes
            attributes.byteCount = below.byteCount
            attributes.sectorCount = below.sectorCount
            attributes.representedDevice = below.representedDevice
            attributes.created = below.created
        }
        attributes.kind = kind
        attributes.device = overlay.device
        attributes.inode = inode
        attributes.linkCount = linkCount
        return attributes
    }

    /// Where changes of attributes go. `.enospc`.
    @discardableResult
    final func makeShadow() throws(Errno) -> RamNode {
        if let shadow { return shadow }
        let old = attributes
        let made = try overlay.ram.makeNode(NewFile(kind: kind == .directory ? .anonymous : kind, permissions: old.permissions))
        made.setTimes(accessed: old.accessed, modified: old.modified)
        shadow = made
        return made
    }

    override func setAttributes(_ change: AttributeChange) throws(Errno) { try makeShadow().setAttributes(change) }

    override func extendedAttribute(_ name: RawSpan) throws(Errno) -> [UInt8] {
        guard let shadow else { throw isUserAttribute(name) ? .enodata : .eopnotsupp }
        return try shadow.extendedAttribute(name)
    }
    override func setExtendedAttribute(_ name: RawSpan, _ value: RawSpan, mustExist: Bool?) throws(Errno) {
        guard isUserAttribute(name) else { throw .eopnotsupp }
        try makeShadow().setExtendedAttribute(name, value, mustExist: mustExist)
    }
    override func removeExtendedAttribute(_ name: RawSpan) throws(Errno) {
        guard let shadow else { throw isUserAttribute(name) ? .enodata : .eopnotsupp }
        try shadow.removeExtendedAttribute(name)
    }
    override func extendedAttributeNames() throws(Errno) -> [UInt8] { try shadow?.extendedAttributeNames() ?? [] }

    private func isUserAttribute(_ name: RawSpan) -> Bool {
        let prefix = Array("user.".utf8)
        return name.byteCount > prefix.count && prefix.hasSameBytes(as: name.extracting(first: prefix.count), from: 0)
    }

    // MARK: Contents

    override func readLink() throws(Errno) -> [UInt8] { try contents.readLink() }
    override func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard kind == .regular else { throw .einval }
        return try contents.read(at: offset, into: &bytes)
    }
    override func write(at offset: Int64, _ bytes: RawSpan) throws(Errno) -> Int {
        try copyUp(keeping: byteCount).write(at: offset, bytes)
    }
    override func truncate(to byteCount: Int64) throws(Errno) {
        guard byteCount >= 0 else { throw .einval }
        try copyUp(keeping: min(byteCount, self.byteCount)).truncate(to: byteCount)
    }
    override func allocate(_ mode: AllocationMode, at offset: Int64, byteCount: Int64) throws(Errno) {
        try copyUp(keeping: self.byteCount).allocate(mode, at: offset, byteCount: byteCount)
    }
    override func seek(toData isData: Bool, from offset: Int64) throws(Errno) -> Int64 {
        try contents.seek(toData: isData, from: offset)
    }
    override func frame(at pageIndex: Int64, forWriting: Bool) throws(Errno) -> Frame {
        guard kind == .regular else { throw .enodev }
        if forWriting { return try copyUp(keeping: byteCount).frame(at: pageIndex, forWriting: true) }
        return try contents.frame(at: pageIndex, forWriting: false)
    }

    override var pageOwner: Vnode {
        if hasContents, let shadow { return shadow }
        return self
    }

    /// The file in memory with the first `kept` bytes. Whole pages are lent by the layer until somebody writes to them; nothing has changed
    /// when this fails.
    private func copyUp(keeping kept: Int64) throws(Errno) -> RamFile {
        guard kind == .regular else { throw .einval }
        if hasContents, let file = shadow as? RamFile { return file }
        guard let lower, let file = try makeShadow() as? RamFile else { throw .einval }
        let times = file.attributes
        let wholePageCount = kept / Int64(Frame.byteCount)
        do {
            var page: Int64 = 0
            while page < wholePageCount {
                let frame = try lower.frame(at: page, forWriting: false)
                if overlay.ram.frames.isForeign(frame) {
                    file.lend(frame, at: page)
                } else {
                    defer { overlay.ram.frames.release(frame) }
                    try copy(frame, Frame.byteCount, to: file, at: page)
                }
                page += 1
            }
            let rest = Int(kept % Int64(Frame.byteCount))
            if rest > 0 {
                let frame = try lower.frame(at: page, forWriting: false)
                defer { overlay.ram.frames.release(frame) }
                try copy(frame, rest, to: file, at: page)
            }
            try file.truncate(to: kept)
        } catch {
            file.forgetContents()
            throw error
        }
        file.setTimes(accessed: times.accessed, modified: times.modified)
        // What is mapped of pages that were lent stays right; the others are new ones.
        dropMappings(of: wholePageCount..<Int64.max)
        moveMappings(to: file)
        hasContents = true
        return file
    }

    private func copy(_ frame: Frame, _ count: Int, to file: RamFile, at page: Int64) throws(Errno) {
        let written = try overlay.ram.frames.withBytes(of: frame) { (bytes) throws(Errno) in
            try file.write(at: page * Int64(Frame.byteCount), bytes.bytes.extracting(first: count))
        }
        guard written == count else { throw .enospc }
    }
}
