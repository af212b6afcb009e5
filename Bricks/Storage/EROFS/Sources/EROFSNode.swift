import Bytes
import Errno
import PageFrames
import VFS

/// A file of an EROFS.
final class EROFSNode: Vnode {
    let number: UInt64
    private let erofs: EROFS
    private let inode: DiskInode
    private let above: EROFSNode?
    private let ownName: [UInt8]?
    /// The page that is not a block of the image: it was copied, and is kept for all who map it.
    private var copied: (index: Int64, frame: Frame)?

    init(_ erofs: EROFS, _ kind: FileKind, _ number: UInt64, _ inode: DiskInode, parent: EROFSNode?, name: [UInt8]?) {
        self.erofs = erofs
        self.number = number
        self.inode = inode
        above = parent
        ownName = name
        super.init(kind: kind, fileSystem: erofs)
    }

    deinit { if let copied { erofs.frames.release(copied.frame) } }

    private static var blockByteCount: Int { Frame.byteCount }

    override var permissions: Permissions { Permissions(mode: inode.mode, user: inode.user, group: inode.group) }
    override var byteCount: Int64 { inode.byteCount }
    override var attributes: Attributes {
        var attributes = Attributes(kind: kind, permissions: permissions)
        attributes.device = erofs.device
        attributes.inode = number
        attributes.linkCount = inode.linkCount
        attributes.byteCount = inode.byteCount
        attributes.sectorCount = (inode.byteCount / 4096 + (inode.byteCount % 4096 == 0 ? 0 : 1)) * 8
        if kind == .characterDevice || kind == .blockDevice { attributes.representedDevice = inode.device }
        let time = inode.modified ?? erofs.superBlock.buildTime
        let stamp = FileTime(seconds: Int64(truncatingIfNeeded: time.seconds), nanoseconds: time.nanoseconds)
        attributes.accessed = stamp
        attributes.modified = stamp
        attributes.changed = stamp
        attributes.created = stamp
        return attributes
    }

    // MARK: Contents

    private enum Piece {
        /// So many bytes lie at this place of the image.
        case stored(at: Int, byteCount: Int)
        case hole(byteCount: Int64)
    }

    /// Where the bytes from `offset` on are, which is inside the file. `.eio`: outside the image.
    private func piece(at offset: Int64) throws(Errno) -> Piece {
        let rest = inode.byteCount - offset
        switch inode.layout {
        case .plain(let first): return try stored(block: first, offset, rest)
        case .inline(let first, let tailOffset):
            let tailStart = (inode.byteCount - 1) & ~Int64(Self.blockByteCount - 1)
            if offset < tailStart { return try stored(block: first, offset, tailStart - offset) }
            let place = tailOffset + Int(offset - tailStart)
            // The tail lies in one block, as its inode does.
            guard tailOffset % Self.blockByteCount + Int(inode.byteCount - tailStart) <= Self.blockByteCount else { throw .euclean }
            return try inside(UInt64(place), rest)
        case .chunks(let table, let entryByteCount, let shift):
            let index = offset >> Int64(shift), within = offset & ((1 << Int64(shift)) - 1)
            let (place, overflow) = index.multipliedReportingOverflow(by: Int64(entryByteCount))
            let region = erofs.region
            let image = region.bytes
            guard !overflow, place <= Int64(image.byteCount - table - entryByteCount) else { throw .eio }
            let entry = table + Int(place)
            let block = image.integer(at: entryByteCount == 8 ? entry + 4 : entry, UInt32.self)
            let count = min(rest, (1 << Int64(shift)) - within)
            if block == .max { return .hole(byteCount: count) }
            if entryByteCount == 8, image.integer(at: entry, UInt32.self) != 0 { throw .euclean }
            return try stored(block: UInt64(block), within, count)
        }
    }

    private func stored(block: UInt64, _ offset: Int64, _ count: Int64) throws(Errno) -> Piece {
        let (place, overflow) = (block << 12).addingReportingOverflow(UInt64(offset))
        guard !overflow else { throw .eio }
        return try inside(place, count)
    }

    private func inside(_ place: UInt64, _ count: Int64) throws(Errno) -> Piece {
        guard place < UInt64(erofs.region.byteCount) else { throw .eio }
        let room = erofs.region.byteCount - Int(place)
        return .stored(at: Int(place), byteCount: Int(min(Int64(room), count)))
    }

    override func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard offset >= 0 else { throw .einval }
        guard offset < inode.byteCount, kind == .regular || kind == .symbolicLink else { return 0 }
        let total = Int(min(Int64(bytes.byteCount), inode.byteCount - offset))
        let region = erofs.region
        var filled = 0
        while filled < total {
            switch try piece(at: offset + Int64(filled)) {
            case .stored(let place, let available):
                let count = min(available, total - filled)
                bytes.replace(from: filled, with: region.bytes.extracting(place..<place + count))
                filled += count
            case .hole(let available):
                let count = Int(min(available, Int64(total - filled)))
                bytes.clear(from: filled, byteCount: count)
                filled += count
            }
        }
        return total
    }

    /// A block of the image itself where the page is one, else a copy.
    override func frame(at pageIndex: Int64, forWriting: Bool) throws(Errno) -> Frame {
        guard kind == .regular else { throw .enodev }
        guard !forWriting else { throw .eacces }
        guard pageIndex >= 0, pageIndex <= (inode.byteCount - 1) >> 12, inode.byteCount > 0 else { throw .enxio }
        let offset = pageIndex << 12
        if case .stored(let place, let count) = try piece(at: offset), place % Self.blockByteCount == 0,
            erofs.region.byteCount - place >= Self.blockByteCount,
            count >= Self.blockByteCount || isZero(place + count..<place + Self.blockByteCount)
        {
            return erofs.region.frame(at: place)
        }
        if let copied, copied.index == pageIndex {
            try erofs.frames.retain(copied.frame)
            return copied.frame
        }
        let frame = try erofs.frames.allocate()
        do {
            _ = try erofs.frames.withBytes(of: frame) { (bytes) throws(Errno) in try read(at: offset, into: &bytes) }
            if inode.byteCount - offset < Int64(Self.blockByteCount) {
                try erofs.frames.retain(frame)
                copied = (pageIndex, frame)
            }
        } catch {
            erofs.frames.release(frame)
            throw error
        }
        return frame
    }

    private func isZero(_ range: Range<Int>) -> Bool {
        let region = erofs.region
        let bytes = region.bytes
        for offset in range where bytes.byte(at: offset) != 0 { return false }
        return true
    }

    override func readLink() throws(Errno) -> [UInt8] {
        guard kind == .symbolicLink else { throw .einval }
        guard inode.byteCount > 0, inode.byteCount < 4096 else { throw .euclean }
        var target = [UInt8](repeating: 0, count: Int(inode.byteCount))
        var span = target.mutableSpan
        var raw = span.raw
        _ = try read(at: 0, into: &raw)
        return target
    }

    // MARK: Directories

    override var parent: Vnode { above ?? self }
    override var nameInParent: [UInt8]? { ownName }

    private var blockCount: Int64 { (inode.byteCount + 4095) >> 12 }

    /// The place of a block of the directory in the image.
    private func block(_ index: Int64) throws(Errno) -> Range<Int> {
        let count = Int(min(Int64(Self.blockByteCount), inode.byteCount - index << 12))
        guard case .stored(let place, let available) = try piece(at: index << 12), available >= count else { throw .euclean }
        return place..<place + count
    }

    /// Blocks are in the order of their names, and so are the entries in each.
    override func lookup(_ name: RawSpan) throws(Errno) -> Vnode {
        guard kind == .directory else { throw .enotdir }
        let region = erofs.region
        let image = region.bytes
        var low: Int64 = 0, high = blockCount
        // The last block whose first name is not behind the wanted one.
        while high - low > 1 {
            let middle = (low + high) / 2
            let bytes = image.extracting(try block(middle))
            let first = try DiskEntry(at: 0, of: try DiskEntry.count(in: bytes), in: bytes)
            if first.name.compares(to: name) <= 0 { low = middle } else { high = middle }
        }
        guard blockCount > 0 else { throw .enoent }
        let bytes = image.extracting(try block(low))
        let count = try DiskEntry.count(in: bytes)
        var first = 0, end = count
        while first < end {
            let middle = (first + end) / 2
            let entry = try DiskEntry(at: middle, of: count, in: bytes)
            switch entry.name.compares(to: name) {
            case 0: return try erofs.node(entry.number, parent: self, name: Array(copying: entry.name))
            case ..<0: first = middle + 1
            default: end = middle
            }
        }
        throw .enoent
    }

    /// A position is 2, plus 4,096 for each block before, plus one for each entry before.
    override func readDirectory(from position: Int64, _ reader: DirectoryReader) throws(Errno) {
        guard kind == .directory else { throw .enotdir }
        guard position >= 2 else { throw .einval }
        var index = (position - 2) >> 12
        var entryIndex = Int((position - 2) & 4095)
        let region = erofs.region
        while index < blockCount {
            let bytes = region.bytes.extracting(try block(index))
            let count = try DiskEntry.count(in: bytes)
            while entryIndex < count {
                let entry = try DiskEntry(at: entryIndex, of: count, in: bytes)
                entryIndex += 1
                if entry.name.isDots { continue }
                let next = entryIndex == count ? (index + 1) << 12 + 2 : index << 12 + Int64(entryIndex) + 2
                guard reader(entry.name, entry.number, Self.kind(ofType: entry.type), next) else { return }
            }
            index += 1
            entryIndex = 0
        }
    }

    /// The types of entries are those of ext2: FT_REG_FILE 1, DIR, CHRDEV, BLKDEV, FIFO, SOCK, SYMLINK.
    private static func kind(ofType type: UInt8) -> FileKind {
        switch type {
        case 1: .regular
        case 2: .directory
        case 3: .characterDevice
        case 4: .blockDevice
        case 5: .fifo
        case 6: .socket
        case 7: .symbolicLink
        default: .anonymous
        }
    }
}

extension RawSpan {
    var isDots: Bool {
        byteCount == 1 && byte(at: 0) == 0x2e || byteCount == 2 && byte(at: 0) == 0x2e && byte(at: 1) == 0x2e
    }
}
