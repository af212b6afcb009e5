extension RawSpan {
    @inline(__always) func byte(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount)
        // SAFETY: inside of the span.
        return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// Four bytes, the lowest first.
    @inline(__always) func word(at offset: Int) -> UInt32 {
        precondition(offset >= 0 && offset <= byteCount - 4)
        // SAFETY: inside of the span.
        return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
}
