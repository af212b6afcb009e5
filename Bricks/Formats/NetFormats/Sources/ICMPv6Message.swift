import Bytes

/// An ICMPv6 message (RFC 4443) with what Neighbor Discovery (RFC 4861) and MLDv2 (RFC 3810) put behind its header. Echo data and
/// the packet that an error reports are not part of it.
public enum ICMPv6Message: Equatable, Sendable {
    /// Codes of Destination Unreachable, RFC 4443 §3.1.
    public enum Unreachable: Equatable, Sendable {
        /// 0
        case noRoute
        /// 1, 5 and 6
        case prohibited
        /// 3
        case address
        /// 4
        case port
        /// Any other code.
        case other(UInt8)
    }

    public static let byteCount = 8

    case echoRequest(ICMPEcho)
    case echoReply(ICMPEcho)
    case destinationUnreachable(Unreachable)
    case packetTooBig(maximumTransmissionUnit: UInt32)
    /// Code 0 in transit, 1 in reassembly.
    case timeExceeded(code: UInt8)
    /// Code 0 a wrong field, 1 an unknown next header, 2 an unknown option.
    case parameterProblem(code: UInt8, pointer: UInt32)
    case routerSolicitation(RouterSolicitation)
    case routerAdvertisement(RouterAdvertisement)
    case neighborSolicitation(NeighborSolicitation)
    case neighborAdvertisement(NeighborAdvertisement)
    /// RFC 3810 §5.1; the general one has an unspecified group.
    case listenerQuery(maximumDelay: Duration, group: IPv6Address)
    case listenerReport(ListenerReport)
    /// Redirects too: they are not followed.
    case other(type: UInt8, code: UInt8)

    /// All that is unread in `reader` is the message. Consumes what belongs to it: eight bytes, or all for Neighbor Discovery and
    /// MLD. Throws `invalid` if the checksum is wrong or a rule of RFC 4861 §6.1 or §7.1 is broken, the hop limit's included.
    public init(parsing reader: inout ByteReader, of packet: IPv6Header) throws(FormatError) {
        guard reader.remainingByteCount >= Self.byteCount else { throw .truncated }
        guard Self.checksum(reader.unread, packet.source, packet.destination).value == 0 else { throw .invalid }
        let type = try reader.read(UInt8.self, .big)
        let code = try reader.read(UInt8.self, .big)
        try reader.skip(2)
        if (133...136).contains(type) {
            guard packet.hopLimit == 255, code == 0 else { throw .invalid }
            self = try Self.neighborDiscovery(type, &reader, packet)
            return
        }
        let rest = try reader.read(UInt32.self, .big)
        switch type {
        case 128 where code == 0: self = .echoRequest(Self.echo(rest))
        case 129 where code == 0: self = .echoReply(Self.echo(rest))
        case 1: self = .destinationUnreachable(Unreachable(code: code))
        case 2: self = .packetTooBig(maximumTransmissionUnit: rest)
        case 3: self = .timeExceeded(code: code)
        case 4: self = .parameterProblem(code: code, pointer: rest)
        case 130 where code == 0:
            let group = try IPv6Address(parsing: &reader)
            self = .listenerQuery(maximumDelay: Self.delay(UInt16(rest >> 16)), group: group)
            try reader.skip(reader.remainingByteCount)
        case 143: self = .listenerReport(try ListenerReport(parsing: &reader, recordCount: Int(rest & 0xffff)))
        default: self = .other(type: type, code: code)
        }
    }

    /// The checksum covers what is written and `payload`, which the caller puts behind it.
    public func write(
        into writer: inout ByteWriter, source: IPv6Address, destination: IPv6Address, followedBy payload: RawSpan
    ) throws(FormatError) {
        let byteCount = byteCount
        guard writer.remainingByteCount >= byteCount else { throw .full }
        var storage = [UInt8](repeating: 0, count: byteCount)
        var bytes = storage.mutableSpan
        var inner = ByteWriter(&bytes)
        try writeBody(into: &inner)
        var checksum = InternetChecksum.pseudoHeader(
            source: .v6(source), destination: .v6(destination), protocol: .icmpv6, byteCount: byteCount + payload.byteCount)
        checksum.add(ByteReader(bytes.span).unread)
        checksum.add(payload)
        var body = ByteReader(bytes.span)
        try writer.write(body.read(UInt16.self, .big), .big)
        try writer.write(checksum.value, .big)
        try body.skip(2)
        try writer.write(body.unread)
    }

    /// Bytes that `write` writes.
    public var byteCount: Int {
        switch self {
        case .routerSolicitation(let message): Self.byteCount + message.optionsByteCount
        case .routerAdvertisement(let message): RouterAdvertisement.fixedByteCount + message.optionsByteCount
        case .neighborSolicitation(let message): NeighborSolicitation.fixedByteCount + message.optionsByteCount
        case .neighborAdvertisement(let message): NeighborAdvertisement.fixedByteCount + message.optionsByteCount
        case .listenerQuery: 28
        case .listenerReport(let report): Self.byteCount + report.recordsByteCount
        case .echoRequest, .echoReply, .destinationUnreachable, .packetTooBig, .timeExceeded, .parameterProblem, .other: Self.byteCount
        }
    }

    private static func checksum(_ bytes: RawSpan, _ source: IPv6Address, _ destination: IPv6Address) -> InternetChecksum {
        var checksum = InternetChecksum.pseudoHeader(
            source: .v6(source), destination: .v6(destination), protocol: .icmpv6, byteCount: bytes.byteCount)
        checksum.add(bytes)
        return checksum
    }

    private static func echo(_ rest: UInt32) -> ICMPEcho {
        ICMPEcho(identifier: UInt16(rest >> 16), sequenceNumber: UInt16(truncatingIfNeeded: rest))
    }

    /// Maximum Response Code, RFC 3810 §5.1.3.
    private static func delay(_ code: UInt16) -> Duration {
        guard code >= 0x8000 else { return .milliseconds(Int(code)) }
        return .milliseconds((Int(code & 0xfff) | 0x1000) << (Int(code >> 12 & 7) + 3))
    }

    private static func neighborDiscovery(
        _ type: UInt8, _ reader: inout ByteReader, _ packet: IPv6Header
    ) throws(FormatError) -> ICMPv6Message {
        switch type {
        case 133: .routerSolicitation(try RouterSolicitation(parsing: &reader, source: packet.source))
        case 134: .routerAdvertisement(try RouterAdvertisement(parsing: &reader, source: packet.source))
        case 135: .neighborSolicitation(try NeighborSolicitation(parsing: &reader, of: packet))
        default: .neighborAdvertisement(try NeighborAdvertisement(parsing: &reader, destination: packet.destination))
        }
    }

    /// All but the checksum, which is zero.
    private func writeBody(into writer: inout ByteWriter) throws(FormatError) {
        switch self {
        case .routerSolicitation(let message):
            try writer.write(133 << 24 as UInt32, .big)
            try message.write(into: &writer)
        case .routerAdvertisement(let message):
            try writer.write(134 << 24 as UInt32, .big)
            try message.write(into: &writer)
        case .neighborSolicitation(let message):
            try writer.write(135 << 24 as UInt32, .big)
            try message.write(into: &writer)
        case .neighborAdvertisement(let message):
            try writer.write(136 << 24 as UInt32, .big)
            try message.write(into: &writer)
        case .listenerQuery(let maximumDelay, let group):
            try writer.write(130 << 24 as UInt32, .big)
            let milliseconds = UInt32(clamping: maximumDelay.components.seconds) &* 1000
            let rest = UInt32(clamping: maximumDelay.components.attoseconds / 1_000_000_000_000_000)
            try writer.write(min(milliseconds &+ rest, 0x7fff) << 16, .big)
            try group.write(into: &writer)
            try writer.writeZeros(4)
        case .listenerReport(let report):
            try writer.write(143 << 24 as UInt32, .big)
            try report.write(into: &writer)
        case .echoRequest(let echo): try Self.write(128, 0, Self.rest(echo), into: &writer)
        case .echoReply(let echo): try Self.write(129, 0, Self.rest(echo), into: &writer)
        case .destinationUnreachable(let reason): try Self.write(1, reason.code, 0, into: &writer)
        case .packetTooBig(let mtu): try Self.write(2, 0, mtu, into: &writer)
        case .timeExceeded(let code): try Self.write(3, code, 0, into: &writer)
        case .parameterProblem(let code, let pointer): try Self.write(4, code, pointer, into: &writer)
        case .other(let type, let code): try Self.write(type, code, 0, into: &writer)
        }
    }

    private static func rest(_ echo: ICMPEcho) -> UInt32 { UInt32(echo.identifier) << 16 | UInt32(echo.sequenceNumber) }

    private static func write(_ type: UInt8, _ code: UInt8, _ rest: UInt32, into writer: inout ByteWriter) throws(FormatError) {
        try writer.write(UInt64(type) << 56 | UInt64(code) << 48 | UInt64(rest), .big)
    }
}

extension ICMPv6Message.Unreachable {
    init(code: UInt8) {
        self =
            switch code {
            case 0: .noRoute
            case 1, 5, 6: .prohibited
            case 3: .address
            case 4: .port
            default: .other(code)
            }
    }

    var code: UInt8 {
        switch self {
        case .noRoute: 0
        case .prohibited: 1
        case .address: 3
        case .port: 4
        case .other(let code): code
        }
    }
}

/// MLDv2 report, RFC 3810 §5.2: joins or leaves groups, with all sources.
public struct ListenerReport: Equatable, Sendable {
    /// Group records, those with sources too; more are refused.
    public static let recordLimit = 32

    public enum Change: UInt8, Sendable {
        /// MODE_IS_EXCLUDE: an answer to a query.
        case isMember = 2
        /// CHANGE_TO_INCLUDE_MODE without sources.
        case leave = 3
        /// CHANGE_TO_EXCLUDE_MODE without sources.
        case join = 4
    }

    public struct Record: Equatable, Sendable {
        public var change: Change
        public var group: IPv6Address

        public init(_ change: Change, _ group: IPv6Address) {
            self.change = change
            self.group = group
        }
    }

    /// ff02::16, RFC 3810 §5.2.14.
    public static let destination = IPv6Address(high: 0xff02_0000_0000_0000, low: 0x16)

    /// Records of other kinds are skipped in parsing.
    public var records: [Record]

    public init(_ records: [Record]) { self.records = records }

    var recordsByteCount: Int { records.count * 20 }

    init(parsing reader: inout ByteReader, recordCount: Int) throws(FormatError) {
        guard recordCount <= Self.recordLimit else { throw .invalid }
        records = []
        for _ in 0..<recordCount {
            let kind = try reader.read(UInt8.self, .big)
            let auxiliaryByteCount = Int(try reader.read(UInt8.self, .big)) * 4
            let sourceCount = Int(try reader.read(UInt16.self, .big))
            let group = try IPv6Address(parsing: &reader)
            try reader.skip(sourceCount * IPv6Address.byteCount + auxiliaryByteCount)
            guard group.isMulticast else { throw .invalid }
            if sourceCount == 0, let change = Change(rawValue: kind) { records.append(Record(change, group)) }
        }
        try reader.skip(reader.remainingByteCount)
    }

    func write(into writer: inout ByteWriter) throws(FormatError) {
        guard records.count <= Self.recordLimit else { throw .invalid }
        try writer.write(UInt32(records.count), .big)
        for record in records {
            try writer.write(UInt32(record.change.rawValue) << 24, .big)
            try record.group.write(into: &writer)
        }
    }
}
