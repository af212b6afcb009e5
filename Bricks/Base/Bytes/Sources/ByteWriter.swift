/// A position that moves forward through exclusively borrowed bytes, checking every step.
public struct ByteWriter: ~Copyable, ~Escapable {
    @usableFromInline var bytes: MutableRawSpan
    @usableFromInline var position = 0
    /// Bytes written so far.
    @inlinable public var offset: Int { position }

    @inlinable @_lifetime(&bytes)
    public init(_ bytes: inout MutableRawSpan) { self.bytes = bytes._mutatingExtracting(...) }

    @inlinable public var remainingByteCount: Int { bytes.byteCount - offset }

    /// Writes an integer. Throws `full`, and then writes nothing.
    @inlinable @_lifetime(self: copy self)
    public mutating func write<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, _ order: ByteOrder) throws(FormatError) {
        guard remainingByteCount >= MemoryLayout<Value>.size else { throw .full }
        let stored =
            switch order {
            case .little: value.littleEndian
            case .big: value.bigEndian
            }
        bytes.storeBytes(of: stored, toByteOffset: offset, as: Value.self)
        position += MemoryLayout<Value>.size
    }

    /// Copies all of `source`. Throws `full`, and then writes nothing.
    @inlinable @_lifetime(self: copy self)
    public mutating func write(_ source: RawSpan) throws(FormatError) {
        guard remainingByteCount >= source.byteCount else { throw .full }
        bytes.replace(from: position, with: source)
        position += source.byteCount
    }

    /// Writes `byteCount` zero bytes. Throws `full` (a negative count too), and then writes nothing.
    @inlinable @_lifetime(self: copy self)
    public mutating func writeZeros(_ byteCount: Int) throws(FormatError) {
        guard byteCount >= 0, remainingByteCount >= byteCount else { throw .full }
        for _ in 0..<byteCount { try write(UInt8(0), .little) }
    }

    /// Writes zero bytes up to the next multiple of `alignment` (a power of two), counted from the start.
    @inlinable @_lifetime(self: copy self)
    public mutating func align(to alignment: Int) throws(FormatError) {
        precondition(alignment > 0 && alignment & (alignment - 1) == 0)
        try writeZeros(-offset & (alignment - 1))
    }
}
