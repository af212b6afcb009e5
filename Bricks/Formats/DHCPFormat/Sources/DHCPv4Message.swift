import Bytes
import DNSFormat
import NetFormats

/// A DHCP message for Ethernet: RFC 2131 §2, with the options of RFC 2132 that a client or a small server uses.
public struct DHCPv4Message: Equatable, Sendable {
    public static let clientPort: UInt16 = 68
    public static let serverPort: UInt16 = 67
    /// What every client takes, RFC 2131 §2: 576 bytes of IP.
    public static let byteCountLimit = 548
    /// Shorter ones are filled up: BOOTP relays drop them (RFC 1542 §2.1).
    static let minimumByteCount = 300
    static let headerByteCount = 236
    /// RFC 2131 §3.
    static let cookie: UInt32 = 0x6382_5363

    /// Option 53, RFC 2132 §9.6.
    public enum Kind: UInt8, Sendable {
        case discover = 1, offer, request, decline, acknowledge, refuse, release, inform
    }

    public var kind: Kind
    /// xid
    public var transactionIdentifier: UInt32
    /// secs: since the client began.
    public var elapsed = Duration.zero
    /// The B flag: the client cannot take unicast before it has an address (§4.1).
    public var isBroadcast = false
    /// ciaddr
    public var clientAddress = IPv4Address.unspecified
    /// yiaddr
    public var yourAddress = IPv4Address.unspecified
    /// siaddr
    public var nextServer = IPv4Address.unspecified
    /// giaddr
    public var relay = IPv4Address.unspecified
    /// chaddr
    public var clientHardware: MACAddress
    public var options = DHCPv4Options()

    public init(_ kind: Kind, transactionIdentifier: UInt32, clientHardware: MACAddress) {
        self.kind = kind
        self.transactionIdentifier = transactionIdentifier
        self.clientHardware = clientHardware
    }

    /// op: the client's kinds are requests.
    public var isRequest: Bool {
        switch kind {
        case .discover, .request, .decline, .release, .inform: true
        case .offer, .acknowledge, .refuse: false
        }
    }

    /// Throws `invalid` for BOOTP without DHCP, for other hardware than Ethernet, and for options that do not fit.
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        guard reader.remainingByteCount >= Self.headerByteCount + 4 else { throw .truncated }
        let operation = try reader.read(UInt8.self, .big)
        guard try reader.read(UInt16.self, .big) == 0x0106 else { throw .invalid }
        try reader.skip(1)
        transactionIdentifier = try reader.read(UInt32.self, .big)
        elapsed = .seconds(Int64(try reader.read(UInt16.self, .big)))
        isBroadcast = try reader.read(UInt16.self, .big) & 0x8000 != 0
        clientAddress = try IPv4Address(parsing: &reader)
        yourAddress = try IPv4Address(parsing: &reader)
        nextServer = try IPv4Address(parsing: &reader)
        relay = try IPv4Address(parsing: &reader)
        clientHardware = try MACAddress(parsing: &reader)
        try reader.skip(10)
        let serverName = try reader.read(byteCount: 64)
        let file = try reader.read(byteCount: 128)
        guard try reader.read(UInt32.self, .big) == Self.cookie else { throw .invalid }
        var collected = DHCPv4OptionBytes()
        try collected.add(&reader)
        // Option 52, RFC 2132 §9.3: the file field comes first (RFC 2131 §4.1).
        let overload = collected.byte(52) ?? 0
        if overload & 1 != 0 {
            var field = ByteReader(file)
            try collected.add(&field)
        }
        if overload & 2 != 0 {
            var field = ByteReader(serverName)
            try collected.add(&field)
        }
        guard let kind = collected.byte(53).flatMap({ Kind(rawValue: $0) }) else { throw .invalid }
        self.kind = kind
        options = try DHCPv4Options(collected)
        guard operation == (isRequest ? 1 : 2) else { throw .invalid }
    }

    /// Names and file stay empty; options are not overloaded.
    public func write(into writer: inout ByteWriter) throws(FormatError) {
        let start = writer.offset
        try writer.write((isRequest ? 1 : 2) as UInt8, .big)
        try writer.write(0x0106 as UInt16, .big)
        try writer.write(0 as UInt8, .big)
        try writer.write(transactionIdentifier, .big)
        try writer.write(UInt16(clamping: elapsed.components.seconds), .big)
        try writer.write(isBroadcast ? 0x8000 : 0 as UInt16, .big)
        for address in [clientAddress, yourAddress, nextServer, relay] { try address.write(into: &writer) }
        try clientHardware.write(into: &writer)
        try writer.writeZeros(10 + 64 + 128)
        try writer.write(Self.cookie, .big)
        try options.write(kind, into: &writer)
        try writer.write(255 as UInt8, .big)
        try writer.writeZeros(max(0, Self.minimumByteCount - (writer.offset - start)))
    }

    /// The message as it is sent. Empty if its options do not fit 64 KiB.
    public var bytes: [UInt8] {
        var storage = [UInt8](repeating: 0, count: Self.headerByteCount + 8 + max(64, options.byteCountLimit))
        let count: Int
        do throws(FormatError) {
            var bytes = storage.mutableSpan
            var writer = ByteWriter(&bytes)
            try write(into: &writer)
            count = writer.offset
        } catch { return [] }
        storage.removeLast(storage.count - count)
        return storage
    }
}
