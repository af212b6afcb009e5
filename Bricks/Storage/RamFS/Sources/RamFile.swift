import Bytes
import Errno
import PageFrames
import VFS

/// A regular file of a RamFS. Its pages are the frames that mmap(2) gives to programs.
public final class RamFile: RamNode {
    private var pages = PageTable()
    private var size: Int64 = 0
    /// Somebody could write behind the end of the last page.
    private var wasMapped = false
    /// Made by O_TMPFILE: linkat(2) may give it a name.
    var isLinkable = false
    private var sealBits: UInt32 = Seals.seal

    deinit { pages.remove(from: 0, to: .max) { ram.givePage($0) } }

    private static var pageByteCount: Int64 { Int64(Frame.byteCount) }
    /// MAX_LFS_FILESIZE.
    private static var sizeLimit: Int64 { .max }

    public override var byteCount: Int64 { size }
    public override var attributes: Attributes {
        var attributes = super.attributes
        attributes.sectorCount = Int64(pages.count) * Self.pageByteCount / 512
        return attributes
    }

    // MARK: Reading

    public override func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard offset >= 0 else { throw .einval }
        guard offset < size else { return 0 }
        let total = Int(min(Int64(bytes.byteCount), size - offset))
        var filled = 0
        while filled < total {
            let position = offset + Int64(filled)
            let start = Int(position % Self.pageByteCount)
            let count = min(total - filled, Frame.byteCount - start)
            if let frame = pages[position / Self.pageByteCount] {
                ram.frames.withBytes(of: frame) { page in bytes.replace(from: filled, with: page.bytes.extracting(start..<start + count)) }
            } else {
                bytes.clear(from: filled, byteCount: count)
            }
            filled += count
        }
        touchAccessed()
        return total
    }

    // MARK: Writing

    public override func write(at offset: Int64, _ bytes: RawSpan) throws(Errno) -> Int {
        guard offset >= 0 else { throw .einval }
        guard bytes.byteCount > 0 else { return 0 }
        guard sealBits & (Seals.write | Seals.futureWrite) == 0 else { throw .eperm }
        let room = Self.sizeLimit - offset
        guard room > 0 else { throw .efbig }
        let total = Int(min(Int64(bytes.byteCount), room))
        if offset + Int64(total) > size {
            guard sealBits & Seals.grow == 0 else { throw .eperm }
            clearBehindEnd()
        }
        var written = 0
        while written < total {
            let position = offset + Int64(written)
            let start = Int(position % Self.pageByteCount)
            let count = min(total - written, Frame.byteCount - start)
            let frame: Frame
            do {
                frame = try ownPage(position / Self.pageByteCount)
            } catch {
                guard written > 0 else { throw error }
                break
            }
            ram.frames.withBytes(of: frame) { page in page.replace(from: start, with: bytes.extracting(written..<written + count)) }
            written += count
        }
        size = max(size, offset + Int64(written))
        touchModified()
        return written
    }

    /// The page, as one that only this file and who maps it know.
    private func ownPage(_ index: Int64) throws(Errno) -> Frame {
        guard let old = pages[index] else {
            let frame = try ram.takePage()
            pages[index] = frame
            return frame
        }
        guard ram.frames.isForeign(old) else { return old }
        let frame = try ram.takePage()
        ram.frames.withBytes(of: old) { source in
            let bytes = source.bytes
            ram.frames.withBytes(of: frame) { target in target.replace(from: 0, with: bytes) }
        }
        pages[index] = frame
        dropMappings(of: index..<index + 1)
        return frame
    }

    /// What a mapping left behind the end of the file is not read when the file grows.
    private func clearBehindEnd() {
        let start = Int(size % Self.pageByteCount)
        guard wasMapped, start > 0, let frame = pages[size / Self.pageByteCount], !ram.frames.isForeign(frame) else { return }
        ram.frames.withBytes(of: frame) { page in page.clear(from: start, byteCount: Frame.byteCount - start) }
    }

    public override func truncate(to byteCount: Int64) throws(Errno) {
        guard byteCount >= 0 else { throw .einval }
        if byteCount > size, sealBits & Seals.grow != 0 { throw .eperm }
        if byteCount < size, sealBits & Seals.shrink != 0 { throw .eperm }
        if byteCount > size {
            clearBehindEnd()
        } else if byteCount < size {
            // The rest of the last page is cleared first: it may need a page of its own, and nothing is lost if there is none.
            try clear(byteCount..<min(size, Self.roundedUp(byteCount)))
            removePages(from: Self.roundedUp(byteCount) / Self.pageByteCount, to: .max)
        }
        size = byteCount
        touchModified()
    }

    private static func roundedUp(_ offset: Int64) -> Int64 {
        let (sum, overflow) = offset.addingReportingOverflow(pageByteCount - 1)
        return overflow ? .max : sum / pageByteCount * pageByteCount
    }

    private func removePages(from first: Int64, to end: Int64) {
        guard first < end else { return }
        dropMappings(of: first..<end)
        pages.remove(from: first, to: end) { ram.givePage($0) }
    }

    /// Zeros in a range within one page.
    private func clear(_ range: Range<Int64>) throws(Errno) {
        guard !range.isEmpty, pages[range.lowerBound / Self.pageByteCount] != nil else { return }
        let frame = try ownPage(range.lowerBound / Self.pageByteCount)
        let start = Int(range.lowerBound % Self.pageByteCount)
        ram.frames.withBytes(of: frame) { page in page.clear(from: start, byteCount: range.count) }
    }

    // MARK: Room (fallocate(2))

    public override func allocate(_ mode: AllocationMode, at offset: Int64, byteCount: Int64) throws(Errno) {
        guard offset >= 0, byteCount > 0 else { throw .einval }
        let (end, overflow) = offset.addingReportingOverflow(byteCount)
        guard !overflow else { throw .efbig }
        let keepsSize: Bool
        switch mode {
        case .collapse, .insert: throw .eopnotsupp
        case .punchHole:
            guard sealBits & (Seals.write | Seals.futureWrite) == 0 else { throw .eperm }
            try punch(offset..<end)
            touchModified()
            return
        case .zero(let keep):
            guard sealBits & (Seals.write | Seals.futureWrite) == 0 else { throw .eperm }
            keepsSize = keep
        case .reserve(let keep): keepsSize = keep
        }
        if !keepsSize, end > size, sealBits & Seals.grow != 0 { throw .eperm }
        let first = offset / Self.pageByteCount, last = (end - 1) / Self.pageByteCount
        guard last - first < Int64(ram.pageLimit), ram.hasRoom(for: missing(first, last)) else { throw .enospc }
        if case .zero = mode { try punch(offset..<end) }
        if end > size, !keepsSize { clearBehindEnd() }
        var page = pages.firstHole(from: first)
        while page <= last {
            pages[page] = try ram.takePage()
            page = pages.firstHole(from: page + 1)
        }
        if end > size, !keepsSize { size = end }
        touchModified()
    }

    private func missing(_ first: Int64, _ last: Int64) -> Int {
        var present: Int64 = 0
        var page = first
        while let next = pages.firstPresent(from: page), next <= last {
            present += 1
            page = next + 1
        }
        return Int(last - first + 1 - present)
    }

    private func punch(_ range: Range<Int64>) throws(Errno) {
        let first = Self.roundedUp(range.lowerBound), end = range.upperBound / Self.pageByteCount * Self.pageByteCount
        try clear(range.lowerBound..<min(first, range.upperBound))
        guard first <= end else { return }
        try clear(end..<range.upperBound)
        removePages(from: first / Self.pageByteCount, to: end / Self.pageByteCount)
    }

    public override func seek(toData isData: Bool, from offset: Int64) throws(Errno) -> Int64 {
        guard offset >= 0, offset < size else { throw .enxio }
        let page = offset / Self.pageByteCount
        if isData {
            guard let present = pages.firstPresent(from: page) else { throw .enxio }
            let found = max(offset, present * Self.pageByteCount)
            guard found < size else { throw .enxio }
            return found
        }
        return min(size, max(offset, pages.firstHole(from: page) * Self.pageByteCount))
    }

    // MARK: Mapping

    public override func frame(at pageIndex: Int64, forWriting: Bool) throws(Errno) -> Frame {
        guard pageIndex >= 0, pageIndex < Self.roundedUp(size) / Self.pageByteCount else { throw .enxio }
        let frame: Frame
        if let present = pages[pageIndex], !forWriting {
            frame = present
        } else {
            frame = try ownPage(pageIndex)
        }
        if forWriting {
            wasMapped = true
            touchModified()
        }
        try ram.frames.retain(frame)
        return frame
    }

    /// Puts a page of a read-only layer into an empty file that is being copied from there; it is copied when somebody writes to it.
    /// The whole page must be inside the file once `setSize` is called.
    public func lend(_ frame: Frame, at pageIndex: Int64) {
        precondition(ram.frames.isForeign(frame) && pages[pageIndex] == nil)
        pages[pageIndex] = frame
    }

    /// As it was when it was made: a copy that could not be finished.
    public func forgetContents() {
        pages.remove(from: 0, to: .max) { ram.givePage($0) }
        size = 0
    }

    // MARK: Seals

    public override var seals: UInt32? {
        get { sealBits }
        set { sealBits = newValue ?? Seals.seal }
    }

    public override func addSeals(_ seals: UInt32) throws(Errno) {
        guard seals & ~Seals.all == 0 else { throw .einval }
        guard sealBits & Seals.seal == 0 else { throw .eperm }
        if seals & Seals.write != 0, sealBits & Seals.write == 0, isMappedWritable { throw .ebusy }
        sealBits |= seals
    }
}
