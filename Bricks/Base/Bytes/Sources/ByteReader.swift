/// A position that moves forward through borrowed bytes, checking every step.
public struct ByteReader: ~Escapable {
    @usableFromInline let bytes: RawSpan
    @usableFromInline var position = 0
    /// Bytes consumed so far.
    @inlinable public var offset: Int { position }

    @inlinable @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) { self.bytes = bytes }

    @inlinable public var remainingByteCount: Int { bytes.byteCount - offset }

    /// What has not been consumed yet.
    public var unread: RawSpan {
        @inlinable @_lifetime(copy self) get { bytes.extracting(droppingFirst: offset) }
    }

    /// The next integer. Throws `truncated`, and then consumes nothing.
    @inlinable @_lifetime(self: copy self)
    public mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type, _ order: ByteOrder
    ) throws(FormatError) -> Value {
        guard remainingByteCount >= MemoryLayout<Value>.size else { throw .truncated }
        let stored = load(type)
        position += MemoryLayout<Value>.size
        return switch order {
        case .little: Value(littleEndian: stored)
        case .big: Value(bigEndian: stored)
        }
    }

    /// The next `byteCount` bytes, borrowed from the same memory. Throws `truncated`, and then consumes nothing.
    @inlinable @_lifetime(copy self)
    public mutating func read(byteCount: Int) throws(FormatError) -> RawSpan {
        let start = offset
        try skip(byteCount)
        return bytes.extracting(start..<offset)
    }

    /// Moves over `byteCount` bytes. Throws `truncated` (a negative count too), and then consumes nothing.
    @inlinable @_lifetime(self: copy self)
    public mutating func skip(_ byteCount: Int) throws(FormatError) {
        guard byteCount >= 0, remainingByteCount >= byteCount else { throw .truncated }
        position += byteCount
    }

    /// Moves to the next multiple of `alignment` (a power of two), counted from the start.
    @inlinable @_lifetime(self: copy self)
    public mutating func align(to alignment: Int) throws(FormatError) {
        precondition(alignment > 0 && alignment & (alignment - 1) == 0)
        try skip(-offset & (alignment - 1))
    }
}
