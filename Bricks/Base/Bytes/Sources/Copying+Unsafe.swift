// Whole runs of bytes at memory's own speed.

extension Array where Element == UInt8 {
    /// Adds a copy of `bytes` at the end.
    @inlinable
    public mutating func append(_ bytes: RawSpan) {
        // SAFETY: the buffer is read only during the call, and the span keeps it alive.
        unsafe bytes.withUnsafeBytes { buffer in unsafe append(contentsOf: buffer) }
    }

    /// Writes a copy of `bytes` over the elements from `offset` on, which must all be there.
    @inlinable
    public mutating func replace(from offset: Int, with bytes: RawSpan) {
        precondition(offset >= 0 && offset <= count && bytes.byteCount <= count - offset)
        guard bytes.byteCount > 0 else { return }
        // SAFETY: the precondition keeps the copy inside the array, whose bytes are exclusively ours; the two cannot overlap, for
        // the span borrows from somebody else.
        unsafe withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
            }
        }
    }

    /// Whether the elements from `offset` on, which must be there, are `bytes`.
    @inlinable
    public func hasSameBytes(as bytes: RawSpan, from offset: Int) -> Bool {
        precondition(offset >= 0 && offset <= count && bytes.byteCount <= count - offset)
        // SAFETY: bytes have no padding; the range is inside by the precondition.
        return unsafe span.bytes.extracting(offset..<offset + bytes.byteCount).hasSameBytes(as: bytes)
    }

    /// A copy of `bytes`.
    @inlinable
    public init(copying bytes: RawSpan) {
        self = []
        reserveCapacity(bytes.byteCount)
        append(bytes)
    }
}

extension MutableRawSpan {
    /// Writes a copy of `bytes` from `offset` on; it must fit.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func replace(from offset: Int, with bytes: RawSpan) {
        precondition(offset >= 0 && offset <= byteCount && bytes.byteCount <= byteCount - offset)
        guard bytes.byteCount > 0 else { return }
        // SAFETY: as above.
        unsafe withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
            }
        }
    }
}

extension MutableRawSpan {
    /// Writes zeros over `byteCount` bytes from `offset` on, which must be there.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func clear(from offset: Int, byteCount count: Int) {
        precondition(offset >= 0 && offset <= byteCount && count >= 0 && count <= byteCount - offset)
        guard count > 0 else { return }
        // SAFETY: the precondition keeps the range inside the span, whose bytes are exclusively ours; zero is a value of a byte.
        unsafe withUnsafeMutableBytes { target in
            _ = unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + count]).initializeMemory(
                as: UInt8.self, repeating: 0)
        }
    }
}

extension RawSpan {
    /// The byte at `offset`, which must be inside.
    @inlinable
    public func byte(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount)
        // SAFETY: the offset is inside; a byte has no invalid pattern.
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// Whether both hold the same bytes.
    @inlinable
    public func hasSameBytes(as other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        for offset in 0..<byteCount where byte(at: offset) != other.byte(at: offset) { return false }
        return true
    }
}

extension Span where Element == UInt8 {
    /// The same bytes, untyped.
    @inlinable
    public var raw: RawSpan {
        // SAFETY: bytes have no padding, so their raw view shows nothing uninitialized; the lifetime is the span's.
        @_lifetime(copy self) get { unsafe bytes }
    }
}

extension Array where Element == UInt8 {
    /// The elements, borrowed.
    @inlinable
    public var raw: RawSpan {
        // SAFETY: as above; the span borrows from the array.
        @_lifetime(borrow self) get { unsafe span.bytes }
    }
}

extension MutableSpan where Element == UInt8 {
    /// The same bytes, untyped.
    @inlinable
    public var raw: MutableRawSpan {
        // SAFETY: any bytes are values of UInt8; the raw span borrows from this one.
        @_lifetime(&self) mutating get { unsafe mutableBytes }
    }
}
