import Bytes
import Errno

/// The super block, 128 bytes from byte 1,024 on. (Linux: Documentation/filesystems/erofs.rst, "On-disk details".)
struct SuperBlock {
    let rootNumber: UInt64
    /// Where inode 0 would be.
    let metaOffset: UInt64
    let inodeCount: UInt64
    let blockCount: UInt64
    let buildTime: (seconds: UInt64, nanoseconds: UInt32)

    static var magic: UInt32 { 0xe0f5_e1e2 }
    static var offset: Int { 1024 }
    /// Features without which an image is misread and that are known here: zero padding, chunks, prefixes of attribute names.
    private static var knownFeatures: UInt32 { 0x1 | 0x4 | 0x40 }

    /// `.einval`: no EROFS, or one with features that are not known here.
    init(parsing bytes: RawSpan) throws(Errno) {
        guard bytes.byteCount >= Self.offset + 128 else { throw .einval }
        let block = bytes.extracting(Self.offset..<Self.offset + 128)
        guard block.integer(at: 0, UInt32.self) == Self.magic, block.byte(at: 12) == 12 else { throw .einval }
        // Directory blocks are blocks; there are no further devices.
        guard block.byte(at: 90) == 0, block.integer(at: 86, UInt16.self) == 0 else { throw .einval }
        guard block.integer(at: 80, UInt32.self) & ~Self.knownFeatures == 0 else { throw .einval }
        rootNumber = UInt64(block.integer(at: 14, UInt16.self))
        inodeCount = block.integer(at: 16, UInt64.self)
        buildTime = (block.integer(at: 24, UInt64.self), min(block.integer(at: 32, UInt32.self), 999_999_999))
        blockCount = UInt64(block.integer(at: 36, UInt32.self))
        metaOffset = UInt64(block.integer(at: 40, UInt32.self)) << 12
    }
}

/// An inode: 32 bytes, or 64 in its extended form.
struct DiskInode {
    enum Layout {
        /// All blocks follow each other.
        case plain(firstBlock: UInt64)
        /// As plain, but what does not fill the last block lies behind the inode.
        case inline(firstBlock: UInt64, tailOffset: Int)
        /// A table of block numbers or of eight-byte entries, for pieces of 2^shift bytes.
        case chunks(tableOffset: Int, entryByteCount: Int, shift: UInt8)
    }

    let mode: UInt32
    let user: UInt32
    let group: UInt32
    let linkCount: UInt32
    let byteCount: Int64
    let modified: (seconds: UInt64, nanoseconds: UInt32)?
    /// For devices.
    let device: UInt64
    let layout: Layout

    /// `.eio`: outside the image; `.euclean`: not an inode that is allowed.
    init(parsing image: RawSpan, number: UInt64, _ superBlock: SuperBlock) throws(Errno) {
        let (distance, overflow) = number.multipliedReportingOverflow(by: 32)
        let (place, carried) = superBlock.metaOffset.addingReportingOverflow(distance)
        guard !overflow, !carried, place <= UInt64(image.byteCount), image.byteCount - Int(place) >= 32 else { throw .eio }
        let offset = Int(place)
        let format = image.integer(at: offset, UInt16.self)
        guard format >> 4 == 0 else { throw .euclean }
        let isExtended = format & 1 == 1
        let headByteCount = isExtended ? 64 : 32
        guard image.byteCount - offset >= headByteCount else { throw .eio }
        let attributeCount = Int(image.integer(at: offset + 2, UInt16.self))
        mode = UInt32(image.integer(at: offset + 4, UInt16.self))
        let union = image.integer(at: offset + 16, UInt32.self)
        let size: UInt64
        if isExtended {
            size = image.integer(at: offset + 8, UInt64.self)
            user = image.integer(at: offset + 24, UInt32.self)
            group = image.integer(at: offset + 28, UInt32.self)
            modified = (image.integer(at: offset + 32, UInt64.self), min(image.integer(at: offset + 40, UInt32.self), 999_999_999))
            linkCount = image.integer(at: offset + 44, UInt32.self)
        } else {
            size = UInt64(image.integer(at: offset + 8, UInt32.self))
            user = UInt32(image.integer(at: offset + 24, UInt16.self))
            group = UInt32(image.integer(at: offset + 26, UInt16.self))
            modified = nil
            linkCount = UInt32(image.integer(at: offset + 6, UInt16.self))
        }
        // Room for rounding up to a page.
        guard size <= UInt64(Int64.max) - 0xffff else { throw .euclean }
        byteCount = Int64(size)
        device = UInt64(union)
        let attributeByteCount = attributeCount == 0 ? 0 : 12 + (attributeCount - 1) * 4
        let end = offset + headByteCount + attributeByteCount
        switch format >> 1 & 7 {
        case 0: layout = .plain(firstBlock: UInt64(union))
        case 2: layout = .inline(firstBlock: UInt64(union), tailOffset: end)
        case 4:
            let chunk = union & 0xffff
            let hasIndexes = chunk & 0x20 != 0
            let shift = UInt8(chunk & 0x1f) + 12
            guard chunk & ~0x3f == 0 else { throw .euclean }
            let alignment = hasIndexes ? 8 : 4
            layout = .chunks(tableOffset: (end + alignment - 1) & ~(alignment - 1), entryByteCount: alignment, shift: shift)
        default: throw .euclean
        }
    }
}

/// An entry of a block of a directory.
struct DiskEntry: ~Escapable {
    let number: UInt64
    let type: UInt8
    let name: RawSpan

    static var byteCount: Int { 12 }

    /// How many are in a block. `.euclean`.
    static func count(in block: RawSpan) throws(Errno) -> Int {
        guard block.byteCount >= byteCount else { throw .euclean }
        let first = Int(block.integer(at: 8, UInt16.self))
        guard first >= byteCount, first % byteCount == 0, first <= block.byteCount else { throw .euclean }
        return first / byteCount
    }

    @_lifetime(copy block)
    init(at index: Int, of count: Int, in block: RawSpan) throws(Errno) {
        let place = index * Self.byteCount
        number = block.integer(at: place, UInt64.self)
        type = block.byte(at: place + 10)
        let start = Int(block.integer(at: place + 8, UInt16.self))
        var end = block.byteCount
        if index + 1 < count { end = Int(block.integer(at: place + Self.byteCount + 8, UInt16.self)) }
        guard start >= count * Self.byteCount, start < end, end <= block.byteCount else { throw .euclean }
        if index + 1 == count {
            // What the last name does not fill is zero.
            var length = 0
            while length < end - start, block.byte(at: start + length) != 0 { length += 1 }
            end = start + length
        }
        guard end > start, end - start <= 255 else { throw .euclean }
        name = block.extracting(start..<end)
    }
}

extension RawSpan {
    /// The little-endian integer at `offset`, which must be inside.
    func integer<Value: FixedWidthInteger>(at offset: Int, _ type: Value.Type) -> Value {
        var value = Value(0)
        for index in 0..<MemoryLayout<Value>.size {
            value |= Value(truncatingIfNeeded: byte(at: offset + index)) << Value(truncatingIfNeeded: index * 8)
        }
        return value
    }

    /// As memcmp(3), a name that is the other's beginning first.
    func compares(to other: RawSpan) -> Int {
        let count = Swift.min(byteCount, other.byteCount)
        for offset in 0..<count {
            let a = byte(at: offset), b = other.byte(at: offset)
            if a != b { return a < b ? -1 : 1 }
        }
        return byteCount == other.byteCount ? 0 : byteCount < other.byteCount ? -1 : 1
    }
}
