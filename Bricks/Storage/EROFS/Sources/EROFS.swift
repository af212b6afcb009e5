import Errno
import PageFrames
import VFS

/// A read-only file system in an image in memory: EROFS with blocks of 4,096 bytes, nothing compressed.
public final class EROFS: FileSystem {
    let region: ReadOnlyRegion
    let frames: PageFrames
    let superBlock: SuperBlock
    private var cache = NodeCache()
    /// Kept: it is every path's beginning.
    public private(set) var root: Vnode!

    /// `.einval`: not such an image; `.eio`, `.euclean`: its root is damaged.
    public init(_ region: ReadOnlyRegion, frames: PageFrames, device: UInt64) throws(Errno) {
        let superBlock = try SuperBlock(parsing: region.bytes)
        self.region = region
        self.frames = frames
        self.superBlock = superBlock
        super.init(device: device, typeName: "erofs", isReadOnly: true)
        let root = try node(superBlock.rootNumber, parent: nil, name: nil)
        guard root.kind == .directory else { throw .euclean }
        self.root = root
    }

    public override var statistics: FileSystemStatistics {
        var statistics = FileSystemStatistics(magic: UInt64(SuperBlock.magic))
        statistics.blockCount = superBlock.blockCount
        statistics.inodeCount = superBlock.inodeCount
        return statistics
    }

    /// The one vnode of an inode. A directory keeps the parent and the name by which it was found first.
    func node(_ number: UInt64, parent: EROFSNode?, name: [UInt8]?) throws(Errno) -> EROFSNode {
        if let known = cache[number] { return known }
        let region = region
        let inode = try DiskInode(parsing: region.bytes, number: number, superBlock)
        guard let kind = FileKind(rawValue: inode.mode & FileKind.mask), kind != .anonymous else { throw .euclean }
        let node = EROFSNode(self, kind, number, inode, parent: kind == .directory ? parent : nil, name: kind == .directory ? name : nil)
        cache.insert(node)
        return node
    }
}

/// Vnodes by number. Those that nobody else holds are dropped when it has grown.
struct NodeCache {
    private var slots: [EROFSNode?] = Array(repeating: nil, count: 64)
    private var count = 0

    private func slot(_ number: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: (number &* 0x9e37_79b9_7f4a_7c15) >> 40) & mask
        while let node = slots[slot], node.number != number { slot = (slot + 1) & mask }
        return slot
    }

    subscript(number: UInt64) -> EROFSNode? { slots[slot(number)] }

    /// Its number must not be there.
    mutating func insert(_ node: EROFSNode) {
        if (count + 1) * 2 > slots.count { sweep() }
        slots[slot(node.number)] = node
        count += 1
    }

    private mutating func sweep() {
        var kept: [EROFSNode] = []
        for index in slots.indices {
            guard slots[index] != nil, !isKnownUniquelyReferenced(&slots[index]), let node = slots[index] else { continue }
            kept.append(node)
        }
        var size = 64
        while size < (kept.count + 1) * 4 { size *= 2 }
        slots = Array(repeating: nil, count: size)
        count = kept.count
        for node in kept { slots[slot(node.number)] = node }
    }
}
