/// A position that moves forward through borrowed bytes, checking every step.
public struct ByteReader: ~Escapable {
    let bytes: RawSpan
    /// Bytes consumed so far.
    public internal(set) var offset = 0

    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) { self.bytes = bytes }

    public var remainingByteCount: Int { bytes.byteCount - offset }

    /// What has not been consumed yet.
    public var unread: RawSpan {
        @_lifetime(copy self) get { bytes.extracting(droppingFirst: offset) }
    }

    /// The next integer. Throws `truncated`, and then consumes nothing.
    @inline(__always) @_lifetime(self: copy self)
    public mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type, _ order: ByteOrder
    ) throws(FormatError) -> Value {
        guard remainingByteCount >= MemoryLayout<Value>.size else { throw .truncated }
        let stored = load(type)
        offset += MemoryLayout<Value>.size
        return switch order {
        case .little: Value(littleEndian: stored)
        case .big: Value(bigEndian: stored)
        }
    }

    /// The next `byteCount` bytes, borrowed from the same memory. Throws `truncated`, and then consumes nothing.
    @_lifetime(copy self)
    public mutating func read(byteCount: Int) throws(FormatError) -> RawSpan {
        let start = offset
        try skip(byteCount)
        return bytes.extracting(start..<offset)
    }

    /// Moves over `byteCount` bytes. Throws `truncated` (a negative count too), and then consumes nothing.
    @_lifetime(self: copy self)
    public mutating func skip(_ byteCount: Int) throws(FormatError) {
        guard byteCount >= 0, remainingByteCount >= byteCount else { throw .truncated }
        offset += byteCount
    }

    /// Moves to the next multiple of `alignment` (a power of two), counted from the start.
    @_lifetime(self: copy self)
    public mutating func align(to alignment: Int) throws(FormatError) {
        precondition(alignment > 0 && alignment & (alignment - 1) == 0)
        try skip(-offset & (alignment - 1))
    }
}
