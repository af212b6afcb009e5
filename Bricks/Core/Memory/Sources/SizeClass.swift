/// The block sizes of the heap's slabs: multiples of 16, at most a quarter larger than what was asked for.
struct SizeClass {
    static let count = 24
    /// Blocks above this size are runs of whole pages.
    static let largestByteCount = 2_048

    let index: UInt8

    /// 16, 32, … 128; then four steps to each doubling.
    var byteCount: Int {
        let index = Int(index)
        guard index >= 8 else { return (index + 1) * 16 }
        let octave = (index - 8) / 4, step = (index - 8) % 4
        return (128 << octave) + (step + 1) * (32 << octave)
    }

    /// A slab holds at least eight blocks.
    var slabPageCount: Int { byteCount <= 512 ? 1 : byteCount <= 1_024 ? 2 : 4 }

    var blocksPerSlab: Int { slabPageCount * pageByteCount / byteCount }

    /// The smallest class for `byteCount` bytes, or nil if only whole pages will do.
    init?(fitting byteCount: Int, alignment: Int) {
        guard byteCount <= Self.largestByteCount, alignment <= Self.largestByteCount else { return nil }
        var index = Self.firstIndex(fitting: byteCount)
        while index < Self.count {
            let candidate = SizeClass(index: UInt8(truncatingIfNeeded: index))
            if candidate.byteCount % alignment == 0 {
                self = candidate
                return
            }
            index += 1
        }
        return nil
    }

    init(index: UInt8) { self.index = index }

    private static func firstIndex(fitting byteCount: Int) -> Int {
        if byteCount <= 128 { return byteCount <= 16 ? 0 : (byteCount - 1) / 16 }
        let octave = Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount - 7
        return 8 + octave * 4 + (byteCount - 1 - (128 << octave)) / (32 << octave)
    }
}

/// Bytes of a page and of a frame.
public let pageByteCount = 4_096
