import Bytes
import Errno
import PageFrames
import Random
import VFS

/// A file system in memory, bounded in bytes and in files (tmpfs(5)).
public final class RamFS: FileSystem {
    public let frames: PageFrames
    /// The time of the stamps it makes.
    public let clock: () -> FileTime
    public let key: SipHash.Key
    public let pageLimit: Int
    public private(set) var usedPageCount = 0
    /// Files and further names.
    public let inodeLimit: Int
    public private(set) var usedInodeCount = 0
    private var lastInode: UInt64 = 0

    public init(
        device: UInt64, frames: PageFrames, byteLimit: Int64, inodeLimit: Int, key: SipHash.Key, clock: @escaping () -> FileTime
    ) {
        self.frames = frames
        self.clock = clock
        self.key = key
        pageLimit = Int(byteLimit / Int64(Frame.byteCount))
        self.inodeLimit = inodeLimit
        super.init(device: device, typeName: "tmpfs")
    }

    /// A directory that is nobody's entry: the root of the file system. Made once; whoever mounts it keeps it.
    public func makeRoot(_ permissions: Permissions = Permissions(mode: 0o755)) throws(Errno) -> RamDirectory {
        try takeInode()
        return RamDirectory(self, NewFile(kind: .directory, permissions: permissions), parent: nil, name: nil)
    }

    public override var statistics: FileSystemStatistics {
        var statistics = FileSystemStatistics(magic: 0x0102_1994)
        statistics.blockCount = UInt64(pageLimit)
        statistics.freeBlockCount = UInt64(max(0, pageLimit - usedPageCount))
        statistics.inodeCount = UInt64(inodeLimit)
        statistics.freeInodeCount = UInt64(max(0, inodeLimit - usedInodeCount))
        return statistics
    }

    /// One more file or name. `.enospc`.
    public func takeInode() throws(Errno) {
        guard usedInodeCount < inodeLimit else { throw .enospc }
        usedInodeCount += 1
    }
    public func giveInode() { usedInodeCount -= 1 }
    func nextInode() -> UInt64 {
        lastInode += 1
        return lastInode
    }

    /// A page of zeros. `.enospc`: the limit is reached, or memory.
    func takePage() throws(Errno) -> Frame {
        guard usedPageCount < pageLimit else { throw .enospc }
        let frame: Frame
        do { frame = try frames.allocate() } catch { throw .enospc }
        usedPageCount += 1
        return frame
    }

    func givePage(_ frame: Frame) {
        // A page of a read-only layer that was lent to a file never counted.
        if frames.isForeign(frame) { return }
        usedPageCount -= 1
        frames.release(frame)
    }

    /// Whether so many pages could be had now.
    func hasRoom(for pageCount: Int) -> Bool {
        pageCount <= pageLimit - usedPageCount && pageCount <= frames.freeCount
    }

    /// A file that is in no directory, for a file system above this one; `target`: a symbolic link's. It has no name and no links.
    public func makeNode(_ file: NewFile, target: [UInt8] = []) throws(Errno) -> RamNode {
        try takeInode()
        let node =
            switch file.kind {
            case .regular: RamFile(self, file)
            case .symbolicLink: RamLink(self, file, target: target)
            case .directory, .fifo, .socket, .characterDevice, .blockDevice, .anonymous: RamSpecial(self, file)
            }
        node.linkCount = 0
        return node
    }

    /// memfd_create(2): a file without a name, opened for reading and writing.
    public func makeMemoryFile(_ name: [UInt8], owner: Permissions, allowsSealing: Bool) throws(Errno) -> OpenFile {
        try takeInode()
        let vnode = RamFile(self, NewFile(kind: .regular, permissions: owner))
        vnode.linkCount = 0
        vnode.seals = allowsSealing ? 0 : Seals.seal
        return MemoryFile(vnode, name)
    }
}

/// What memfd_create(2) opened.
public final class MemoryFile: RegularFile {
    private let name: [UInt8]

    init(_ vnode: RamFile, _ name: [UInt8]) {
        self.name = name
        super.init(vnode, [.readWrite, .largeFile])
    }

    public override var displayName: [UInt8] { Array("/memfd:".utf8) + name + Array(" (deleted)".utf8) }
}

/// F_SEAL_* of fcntl(2).
public enum Seals {
    public static var seal: UInt32 { 1 }
    public static var shrink: UInt32 { 2 }
    public static var grow: UInt32 { 4 }
    public static var write: UInt32 { 8 }
    public static var futureWrite: UInt32 { 16 }
    public static var executable: UInt32 { 32 }
    public static var all: UInt32 { 63 }
}
