import Bytes

/// Control bits, RFC 9293 §3.1.
public struct TCPFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var fin: TCPFlags { TCPFlags(rawValue: 0x01) }
    @inlinable public static var syn: TCPFlags { TCPFlags(rawValue: 0x02) }
    @inlinable public static var rst: TCPFlags { TCPFlags(rawValue: 0x04) }
    @inlinable public static var psh: TCPFlags { TCPFlags(rawValue: 0x08) }
    @inlinable public static var ack: TCPFlags { TCPFlags(rawValue: 0x10) }
    @inlinable public static var urg: TCPFlags { TCPFlags(rawValue: 0x20) }
    /// RFC 3168 §6.1.
    @inlinable public static var ece: TCPFlags { TCPFlags(rawValue: 0x40) }
    @inlinable public static var cwr: TCPFlags { TCPFlags(rawValue: 0x80) }
}

/// RFC 9293 §3.1. The checksum is the caller's: it covers the payload and a part of the IP header too.
public struct TCPHeader: Equatable, Sendable {
    /// Without options.
    public static let byteCount = 20
    /// Where the checksum lies in the header.
    public static let checksumOffset = 16

    public var sourcePort: UInt16
    public var destinationPort: UInt16
    public var sequenceNumber: SequenceNumber
    public var acknowledgmentNumber: SequenceNumber
    public var flags: TCPFlags
    /// As on the wire: not scaled.
    public var window: UInt16
    public var urgentPointer: UInt16 = 0
    public var options = TCPOptions()

    @inlinable
    public init(
        sourcePort: UInt16, destinationPort: UInt16, sequenceNumber: SequenceNumber,
        acknowledgmentNumber: SequenceNumber = SequenceNumber(rawValue: 0), flags: TCPFlags = [], window: UInt16 = 0
    ) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.sequenceNumber = sequenceNumber
        self.acknowledgmentNumber = acknowledgmentNumber
        self.flags = flags
        self.window = window
    }

    /// Consumes the header with its options; the payload stays unread. Throws `invalid` for a header shorter than 20 bytes and
    /// for options that do not fit each other, `truncated` if the header is not all there.
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        guard reader.remainingByteCount >= Self.byteCount else { throw .truncated }
        sourcePort = try reader.read(UInt16.self, .big)
        destinationPort = try reader.read(UInt16.self, .big)
        sequenceNumber = SequenceNumber(rawValue: try reader.read(UInt32.self, .big))
        acknowledgmentNumber = SequenceNumber(rawValue: try reader.read(UInt32.self, .big))
        let offset = Int(try reader.read(UInt8.self, .big) >> 4) &* 4
        flags = TCPFlags(rawValue: try reader.read(UInt8.self, .big))
        window = try reader.read(UInt16.self, .big)
        try reader.skip(2)
        urgentPointer = try reader.read(UInt16.self, .big)
        guard offset >= Self.byteCount else { throw .invalid }
        guard offset > Self.byteCount else { return }
        var optionsReader = ByteReader(try reader.read(byteCount: offset &- Self.byteCount))
        options = try TCPOptions(parsing: &optionsReader)
    }

    /// With options, padded to a multiple of four; 60 at most.
    public var byteCount: Int { Self.byteCount + options.byteCount }

    public func write(into writer: inout ByteWriter, checksum: UInt16 = 0) throws(FormatError) {
        let byteCount = byteCount
        guard writer.remainingByteCount >= byteCount else { throw .full }
        try writer.write(sourcePort, .big)
        try writer.write(destinationPort, .big)
        try writer.write(sequenceNumber.rawValue, .big)
        try writer.write(acknowledgmentNumber.rawValue, .big)
        try writer.write(UInt8(byteCount / 4) << 4, .big)
        try writer.write(flags.rawValue, .big)
        try writer.write(window, .big)
        try writer.write(checksum, .big)
        try writer.write(urgentPointer, .big)
        if byteCount > Self.byteCount { try options.write(into: &writer) }
    }
}
