import Bytes

/// RFC 791 §3.1. Options are checked for their length and skipped; none is written.
public struct IPv4Header: Equatable, Sendable {
    public static let byteCount = 20
    /// The largest packet, header included.
    public static let packetByteCountLimit = 65_535

    /// DSCP and ECN, RFC 2474 §3, RFC 3168 §5.
    public var trafficClass: UInt8 = 0
    public var payloadByteCount: Int
    public var identification: UInt16 = 0
    public var isDontFragment = false
    public var hasMoreFragments = false
    /// In bytes, a multiple of 8 up to 65,528.
    public var fragmentOffset = 0
    public var timeToLive: UInt8 = 64
    public var `protocol`: IPProtocol
    public var source: IPv4Address
    public var destination: IPv4Address

    public var isFragment: Bool { hasMoreFragments || fragmentOffset > 0 }

    @inlinable
    public init(source: IPv4Address, destination: IPv4Address, protocol: IPProtocol, payloadByteCount: Int) {
        self.source = source
        self.destination = destination
        self.protocol = `protocol`
        self.payloadByteCount = payloadByteCount
    }

    /// Throws `invalid` for another version, a wrong header checksum or a length that does not hold the header; `truncated` if
    /// the payload is not all there. What follows the payload (Ethernet's padding) stays unread too.
    @inlinable
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        let header = reader.unread
        try self.init(parsingQuoted: &reader)
        guard payloadByteCount <= reader.remainingByteCount else { throw .truncated }
        var checksum = InternetChecksum()
        checksum.add(header.extracting(first: header.byteCount - reader.remainingByteCount))
        guard checksum.value == 0 else { throw .invalid }
    }

    /// The header of a packet that an ICMP message quotes: the payload may be cut, and routers have changed what the
    /// checksum covers (RFC 1812 §4.3.2.3), so neither is checked.
    @inlinable
    public init(parsingQuoted reader: inout ByteReader) throws(FormatError) {
        guard reader.remainingByteCount >= Self.byteCount else { throw .truncated }
        let versionAndLength = try reader.read(UInt8.self, .big)
        let headerByteCount = Int(versionAndLength & 0xf) &* 4
        guard versionAndLength >> 4 == 4, headerByteCount >= Self.byteCount else { throw .invalid }
        trafficClass = try reader.read(UInt8.self, .big)
        let totalByteCount = Int(try reader.read(UInt16.self, .big))
        guard totalByteCount >= headerByteCount else { throw .invalid }
        payloadByteCount = totalByteCount &- headerByteCount
        identification = try reader.read(UInt16.self, .big)
        let fragment = try reader.read(UInt16.self, .big)
        isDontFragment = fragment & 0x4000 != 0
        hasMoreFragments = fragment & 0x2000 != 0
        fragmentOffset = Int(fragment & 0x1fff) &* 8
        timeToLive = try reader.read(UInt8.self, .big)
        `protocol` = IPProtocol(rawValue: try reader.read(UInt8.self, .big))
        try reader.skip(2)
        source = try IPv4Address(parsing: &reader)
        destination = try IPv4Address(parsing: &reader)
        try reader.skip(headerByteCount &- Self.byteCount)
    }

    /// Writes 20 bytes with their checksum. Throws `invalid` if a length or an offset does not fit its field.
    @inlinable
    public func write(into writer: inout ByteWriter) throws(FormatError) {
        guard writer.remainingByteCount >= Self.byteCount else { throw .full }
        guard payloadByteCount >= 0, payloadByteCount <= Self.packetByteCountLimit &- Self.byteCount,
            fragmentOffset >= 0, fragmentOffset <= 0x1fff &* 8, fragmentOffset & 7 == 0
        else { throw .invalid }
        let first = 0x4500_0000 | UInt32(trafficClass) << 16 | UInt32(payloadByteCount &+ Self.byteCount)
        let fragment = (isDontFragment ? 0x4000 : 0) | (hasMoreFragments ? 0x2000 : 0) | UInt32(fragmentOffset >> 3)
        let second = UInt32(identification) << 16 | fragment
        let third = UInt16(timeToLive) << 8 | UInt16(`protocol`.rawValue)
        var checksum = InternetChecksum()
        checksum.add(first)
        checksum.add(second)
        checksum.add(third)
        checksum.add(source.rawValue)
        checksum.add(destination.rawValue)
        try writer.write(first, .big)
        try writer.write(second, .big)
        try writer.write(third, .big)
        try writer.write(checksum.value, .big)
        try source.write(into: &writer)
        try destination.write(into: &writer)
    }
}
