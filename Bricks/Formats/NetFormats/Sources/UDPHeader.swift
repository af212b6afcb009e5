import Bytes

/// RFC 768.
public struct UDPHeader: Equatable, Sendable {
    public static let byteCount = 8

    public var sourcePort: UInt16
    public var destinationPort: UInt16
    public var payloadByteCount: Int
    /// As received; 0: the sender left it out, which IPv6 forbids (RFC 8200 §8.1).
    public var checksum: UInt16 = 0

    @inlinable
    public init(sourcePort: UInt16, destinationPort: UInt16, payloadByteCount: Int, checksum: UInt16 = 0) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.payloadByteCount = payloadByteCount
        self.checksum = checksum
    }

    /// Throws `invalid` if the length does not hold the header, `truncated` if the payload is not all there.
    @inlinable
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        try self.init(parsingQuoted: &reader)
        guard payloadByteCount <= reader.remainingByteCount else { throw .truncated }
    }

    /// The header of a datagram that an ICMP message quotes: the payload may be cut.
    @inlinable
    public init(parsingQuoted reader: inout ByteReader) throws(FormatError) {
        guard reader.remainingByteCount >= Self.byteCount else { throw .truncated }
        sourcePort = try reader.read(UInt16.self, .big)
        destinationPort = try reader.read(UInt16.self, .big)
        let byteCount = Int(try reader.read(UInt16.self, .big))
        checksum = try reader.read(UInt16.self, .big)
        guard byteCount >= Self.byteCount else { throw .invalid }
        payloadByteCount = byteCount &- Self.byteCount
    }

    /// Writes the header with `checksum` as it is. Throws `invalid` if the payload is too long for the length field.
    @inlinable
    public func write(into writer: inout ByteWriter) throws(FormatError) {
        guard writer.remainingByteCount >= Self.byteCount else { throw .full }
        guard payloadByteCount >= 0, payloadByteCount <= 0xffff &- Self.byteCount else { throw .invalid }
        try writer.write(sourcePort, .big)
        try writer.write(destinationPort, .big)
        try writer.write(UInt16(truncatingIfNeeded: payloadByteCount &+ Self.byteCount), .big)
        try writer.write(checksum, .big)
    }
}
