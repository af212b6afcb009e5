import Bytes

/// The packet that an ICMP error quotes, as far as its sender needs it to find out whom the error concerns.
public struct QuotedPacket: Equatable, Sendable {
    public var source: IPAddress
    public var destination: IPAddress
    public var `protocol`: IPProtocol
    /// Of TCP and UDP, and of ICMP echo with the identifier as source port; nil if the quotation ends before, or for a later fragment.
    public var transport: QuotedTransportHeader?

    /// What an ICMPv4 error quotes.
    public init(parsingIPv4 reader: inout ByteReader) throws(FormatError) {
        let header = try IPv4Header(parsingQuoted: &reader)
        source = .v4(header.source)
        destination = .v4(header.destination)
        `protocol` = header.protocol
        transport = header.fragmentOffset == 0 ? Self.transport(&reader, header.protocol) : nil
    }

    /// What an ICMPv6 error quotes.
    public init(parsingIPv6 reader: inout ByteReader) throws(FormatError) {
        let header = try IPv6Header(parsingQuoted: &reader)
        source = .v6(header.source)
        destination = .v6(header.destination)
        do throws(IPv6HeaderProblem) {
            let upper = try IPv6UpperLayer(parsing: &reader, of: header)
            `protocol` = upper.protocol
            transport = upper.fragment?.offset ?? 0 == 0 ? Self.transport(&reader, upper.protocol) : nil
        } catch { throw .invalid }
    }

    private static func transport(_ reader: inout ByteReader, _ protocol: IPProtocol) -> QuotedTransportHeader? {
        switch `protocol` {
        case .tcp, .udp: return try? QuotedTransportHeader(parsing: &reader)
        case .icmp, .icmpv6:
            guard (try? reader.skip(4)) != nil, let echo = try? reader.read(UInt32.self, .big) else { return nil }
            return QuotedTransportHeader(
                sourcePort: UInt16(echo >> 16), destinationPort: 0, sequenceNumber: SequenceNumber(rawValue: echo & 0xffff))
        default: return nil
        }
    }
}

/// The ports of a TCP or UDP header that an ICMP message quotes: its first eight bytes are all that is sure to be there
/// (RFC 792), for TCP with the sequence number.
public struct QuotedTransportHeader: Equatable, Sendable {
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// TCP's; UDP has its length and checksum here.
    public var sequenceNumber: SequenceNumber

    public init(sourcePort: UInt16, destinationPort: UInt16, sequenceNumber: SequenceNumber) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.sequenceNumber = sequenceNumber
    }

    public init(parsing reader: inout ByteReader) throws(FormatError) {
        guard reader.remainingByteCount >= 8 else { throw .truncated }
        sourcePort = try reader.read(UInt16.self, .big)
        destinationPort = try reader.read(UInt16.self, .big)
        sequenceNumber = SequenceNumber(rawValue: try reader.read(UInt32.self, .big))
    }
}
