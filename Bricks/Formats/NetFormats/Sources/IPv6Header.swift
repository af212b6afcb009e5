import Bytes

/// RFC 8200 §3.
public struct IPv6Header: Equatable, Sendable {
    public static let byteCount = 40
    /// RFC 8200 §5: every link carries packets of this size.
    public static let minimumMTU = 1280

    /// DSCP and ECN, RFC 2474 §3, RFC 3168 §5.
    public var trafficClass: UInt8 = 0
    /// 20 bits.
    public var flowLabel: UInt32 = 0
    /// Extension headers included.
    public var payloadByteCount: Int
    public var nextHeader: IPProtocol
    public var hopLimit: UInt8 = 64
    public var source: IPv6Address
    public var destination: IPv6Address

    @inlinable
    public init(source: IPv6Address, destination: IPv6Address, nextHeader: IPProtocol, payloadByteCount: Int) {
        self.source = source
        self.destination = destination
        self.nextHeader = nextHeader
        self.payloadByteCount = payloadByteCount
    }

    /// Throws `invalid` for another version, `truncated` if the payload is not all there. What follows the payload stays unread
    /// too.
    @inlinable
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        try self.init(parsingQuoted: &reader)
        guard payloadByteCount <= reader.remainingByteCount else { throw .truncated }
    }

    /// The header of a packet that an ICMP message quotes: the payload may be cut.
    @inlinable
    public init(parsingQuoted reader: inout ByteReader) throws(FormatError) {
        guard reader.remainingByteCount >= Self.byteCount else { throw .truncated }
        let first = try reader.read(UInt32.self, .big)
        guard first >> 28 == 6 else { throw .invalid }
        trafficClass = UInt8(truncatingIfNeeded: first >> 20)
        flowLabel = first & 0xf_ffff
        payloadByteCount = Int(try reader.read(UInt16.self, .big))
        nextHeader = IPProtocol(rawValue: try reader.read(UInt8.self, .big))
        hopLimit = try reader.read(UInt8.self, .big)
        source = try IPv6Address(parsing: &reader)
        destination = try IPv6Address(parsing: &reader)
    }

    /// Throws `invalid` if a value does not fit its field.
    @inlinable
    public func write(into writer: inout ByteWriter) throws(FormatError) {
        guard writer.remainingByteCount >= Self.byteCount else { throw .full }
        guard payloadByteCount >= 0, payloadByteCount <= 0xffff, flowLabel <= 0xf_ffff else { throw .invalid }
        try writer.write(0x6000_0000 | UInt32(trafficClass) << 20 | flowLabel, .big)
        try writer.write(UInt16(truncatingIfNeeded: payloadByteCount), .big)
        try writer.write(nextHeader.rawValue, .big)
        try writer.write(hopLimit, .big)
        try source.write(into: &writer)
        try destination.write(into: &writer)
    }
}

/// RFC 8200 §4.5.
public struct IPv6FragmentHeader: Equatable, Sendable {
    public static let byteCount = 8

    public var nextHeader: IPProtocol
    /// In bytes, a multiple of 8 up to 65,528.
    public var offset: Int
    public var hasMoreFragments: Bool
    public var identification: UInt32

    public init(nextHeader: IPProtocol, offset: Int, hasMoreFragments: Bool, identification: UInt32) {
        self.nextHeader = nextHeader
        self.offset = offset
        self.hasMoreFragments = hasMoreFragments
        self.identification = identification
    }

    public init(parsing reader: inout ByteReader) throws(FormatError) {
        guard reader.remainingByteCount >= Self.byteCount else { throw .truncated }
        nextHeader = IPProtocol(rawValue: try reader.read(UInt8.self, .big))
        try reader.skip(1)
        let field = try reader.read(UInt16.self, .big)
        offset = Int(field & ~7)
        hasMoreFragments = field & 1 != 0
        identification = try reader.read(UInt32.self, .big)
    }

    /// Throws `invalid` if the offset does not fit its field.
    public func write(into writer: inout ByteWriter) throws(FormatError) {
        guard writer.remainingByteCount >= Self.byteCount else { throw .full }
        guard offset >= 0, offset <= 0xfff8, offset & 7 == 0 else { throw .invalid }
        try writer.write(UInt16(nextHeader.rawValue) << 8, .big)
        try writer.write(UInt16(offset) | (hasMoreFragments ? 1 : 0), .big)
        try writer.write(identification, .big)
    }
}

/// The hop-by-hop header that MLD messages carry: router alert, value 0 (RFC 2711 §2.1, RFC 3810 §5).
public enum IPv6RouterAlertHeader {
    public static let byteCount = 8

    public static func write(nextHeader: IPProtocol, into writer: inout ByteWriter) throws(FormatError) {
        // Option 5 of two bytes, then PadN of none.
        try writer.write(UInt64(nextHeader.rawValue) << 56 | 0x0000_0502_0000_0100, .big)
    }
}
