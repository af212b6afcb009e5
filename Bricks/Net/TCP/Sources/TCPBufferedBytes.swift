import NetFormats

/// Bytes in a buffer of a control block. It holds the buffer alone: to look at them, an owner that keeps the block in a class need
/// not copy the whole of it.
public struct TCPBufferedBytes {
    let ring: RingBuffer
    let offset: Int
    public let byteCount: Int

    /// Shows them in up to two pieces.
    public func withBytes<Result>(_ body: (RawSpan, RawSpan) -> Result) -> Result {
        ring.withBytes(at: offset, count: byteCount, body)
    }

    /// Copies them to the start of `target`, as many as fit, and returns how many.
    @_lifetime(target: copy target)
    public func copy(into target: inout MutableRawSpan) -> Int {
        let count = min(byteCount, target.byteCount)
        ring.load(at: offset, count: count, into: &target)
        return count
    }
}

extension TCPControlBlock {
    /// All that is readable; `consume` removes it.
    public var readableBytes: TCPBufferedBytes { TCPBufferedBytes(ring: receiveBuffer.ring, offset: 0, byteCount: readableByteCount) }

    /// The payload of what `nextTransmission` has just returned.
    public func payload(of transmission: TCPTransmission) -> TCPBufferedBytes {
        let offset = transmission.header.sequenceNumber - dataStart
        guard transmission.byteCount > 0, offset >= 0, offset + transmission.byteCount <= sendByteCount else {
            return TCPBufferedBytes(ring: sendRing, offset: 0, byteCount: 0)
        }
        return TCPBufferedBytes(ring: sendRing, offset: offset, byteCount: transmission.byteCount)
    }
}
