extension ByteReader {
    /// The bytes at `offset` as a value in the machine's own order.
    @inlinable @inline(__always)
    func load<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) -> Value {
        // SAFETY: a fixed-width integer has no invalid bit pattern and the load needs no alignment; the span itself traps if
        // offset..<offset + size is not inside it, and the only caller has checked that it is.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
    }
}

extension ByteReader {
    @inlinable @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) {
        // SAFETY: bytes have no padding, so their raw view shows nothing uninitialized; the lifetime is the span's.
        unsafe self.init(bytes.bytes)
    }
}

extension ByteWriter {
    @inlinable @_lifetime(&bytes)
    public init(_ bytes: inout MutableSpan<UInt8>) {
        // SAFETY: any bytes are a valid value of UInt8, so raw stores cannot break the elements; the writer borrows the span.
        unsafe self.bytes = bytes.mutableBytes
    }
}
