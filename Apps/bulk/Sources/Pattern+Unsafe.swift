extension Pattern {
    /// `byteCount` bytes from `offset` on, whole words at a time: a source must not be what bounds the measurement.
    static func block(at offset: Int, byteCount: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var span = bytes.mutableSpan
        // SAFETY: bytes have no padding and any value is one; the view borrows the span.
        var target = unsafe span.mutableBytes
        var index = 0
        while index < byteCount {
            if (offset + index) & 7 == 0, byteCount - index >= 8 {
                target.storeBytes(of: word((offset + index) >> 3).littleEndian, toByteOffset: index, as: UInt64.self)
                index += 8
            } else {
                target.storeBytes(of: byte(at: offset + index), toByteOffset: index, as: UInt8.self)
                index += 1
            }
        }
        return bytes
    }

    /// Where `bytes`, which were at `offset` of a stream, differ from this one first; nil when they do not.
    static func firstDifference(_ bytes: RawSpan, at offset: Int) -> Int? {
        var index = 0
        while index < bytes.byteCount {
            let isWord = (offset + index) & 7 == 0 && bytes.byteCount - index >= 8
            // SAFETY: the index is within the span, by eight bytes where eight are loaded; an integer has no invalid pattern.
            if isWord, unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian == word((offset + index) >> 3)
            {
                index += 8
                continue
            }
            // SAFETY: as above.
            guard unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) == byte(at: offset + index) else { return offset + index }
            index += 1
        }
        return nil
    }
}
