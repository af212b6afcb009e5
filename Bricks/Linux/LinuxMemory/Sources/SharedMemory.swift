import Errno
import PageFrames
import VFS

/// What is behind MAP_SHARED | MAP_ANONYMOUS: pages that several areas may show, by mremap(2) with an old size of 0.
public final class SharedMemory: OpenFile {
    private let frames: PageFrames
    private let pageLimit: Int64
    /// By page index << 12.
    private let table = PageTable()

    public init(_ frames: PageFrames, byteCount: UInt64) {
        self.frames = frames
        pageLimit = Int64(clamping: byteCount / AddressSpace.pageByteCount)
        super.init(.readWrite)
    }

    public override var displayName: [UInt8] { Array("/dev/zero (deleted)".utf8) }

    public override func frame(at pageIndex: Int64, forWriting: Bool) throws(Errno) -> Frame {
        guard pageIndex >= 0, pageIndex < pageLimit else { throw .enxio }
        let place = UInt64(pageIndex) << 12
        if table[place] == 0 { table[place] = try frames.allocate().number << 12 | PageTable.present }
        let frame = Frame(number: table[place] >> 12)
        try frames.retain(frame)
        return frame
    }

    /// MADV_REMOVE; the areas have let go of the pages.
    func remove(_ range: Range<Int64>) {
        let end = UInt64(min(range.upperBound, pageLimit)) << 12
        var place = UInt64(max(0, range.lowerBound)) << 12
        while let next = table.nextPage(from: place, to: end) {
            frames.release(Frame(number: table[next] >> 12))
            table[next] = 0
            place = next + AddressSpace.pageByteCount
        }
    }

    /// Nothing is behind the pages that could be written to.
    public override func synchronize() throws(Errno) {}

    public override func lastClose() { remove(0..<pageLimit) }
}
