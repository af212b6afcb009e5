import Bytes

/// Prefix Information, RFC 4861 §4.6.2.
public struct NDPPrefix: Equatable, Sendable {
    public var prefix: IPv6Prefix
    public var isOnLink = true
    /// Addresses may be made from it (SLAAC).
    public var isAutonomous = true
    /// `ndpInfinity` has no end.
    public var validLifetime: Duration
    public var preferredLifetime: Duration

    public init(prefix: IPv6Prefix, validLifetime: Duration = .ndpInfinity, preferredLifetime: Duration = .ndpInfinity) {
        self.prefix = prefix
        self.validLifetime = validLifetime
        self.preferredLifetime = preferredLifetime
    }
}

/// Recursive DNS servers, RFC 8106 §5.1.
public struct NDPNameServers: Equatable, Sendable {
    public var lifetime: Duration
    public var addresses: [IPv6Address]

    public init(lifetime: Duration, addresses: [IPv6Address]) {
        self.lifetime = lifetime
        self.addresses = addresses
    }
}

/// DNS search list, RFC 8106 §5.2.
public struct NDPSearchDomains: Equatable, Sendable {
    public var lifetime: Duration
    /// Names in the encoding of RFC 1035 §3.1, without compression, filled up with zeros to a multiple of eight.
    public var names: [UInt8]

    public init(lifetime: Duration, names: [UInt8]) {
        self.lifetime = lifetime
        self.names = names + [UInt8](repeating: 0, count: -names.count & 7)
    }
}

extension Duration {
    /// All ones in a lifetime: no end (RFC 4861 §4.6.2).
    public static var ndpInfinity: Duration { .seconds(0xffff_ffff as Int64) }

    /// Whole seconds of 32 bits.
    var wireSeconds: UInt32 { UInt32(clamping: components.seconds) }
}

/// RFC 4861 §4.2.
public struct RouterAdvertisement: Equatable, Sendable {
    static let fixedByteCount = 16
    /// Of each kind of option; more are skipped.
    public static let optionLimit = 8

    /// 0: the sender does not say.
    public var hopLimit: UInt8 = 64
    /// M: addresses come from DHCPv6.
    public var isManaged = false
    /// O: other configuration comes from DHCPv6.
    public var hasOtherConfiguration = false
    /// Zero: not a default router. Up to 65,535 s.
    public var routerLifetime: Duration
    /// Up to 2^32 ms; zero: the sender does not say.
    public var reachableTime = Duration.zero
    public var retransmissionTime = Duration.zero
    public var sourceLinkLayer: MACAddress?
    public var maximumTransmissionUnit: UInt32?
    public var prefixes: [NDPPrefix] = []
    public var nameServers: [NDPNameServers] = []
    public var searchDomains: [NDPSearchDomains] = []

    public init(routerLifetime: Duration) { self.routerLifetime = routerLifetime }

    init(parsing reader: inout ByteReader, source: IPv6Address) throws(FormatError) {
        // §6.1.2.
        guard source.isLinkLocal else { throw .invalid }
        hopLimit = try reader.read(UInt8.self, .big)
        let flags = try reader.read(UInt8.self, .big)
        isManaged = flags & 0x80 != 0
        hasOtherConfiguration = flags & 0x40 != 0
        routerLifetime = .seconds(Int64(try reader.read(UInt16.self, .big)))
        reachableTime = .milliseconds(Int64(try reader.read(UInt32.self, .big)))
        retransmissionTime = .milliseconds(Int64(try reader.read(UInt32.self, .big)))
        let options = try NDPOptions(parsing: &reader)
        sourceLinkLayer = options.sourceLinkLayer
        maximumTransmissionUnit = options.maximumTransmissionUnit
        prefixes = options.prefixes
        nameServers = options.nameServers
        searchDomains = options.searchDomains
    }

    var optionsByteCount: Int {
        (sourceLinkLayer == nil ? 0 : 8) + (maximumTransmissionUnit == nil ? 0 : 8) + prefixes.count * 32
            + nameServers.reduce(0) { $0 + 8 + $1.addresses.count * 16 } + searchDomains.reduce(0) { $0 + 8 + $1.names.count }
    }

    func write(into writer: inout ByteWriter) throws(FormatError) {
        guard routerLifetime <= .seconds(0xffff), prefixes.count <= Self.optionLimit, nameServers.count <= Self.optionLimit,
            searchDomains.count <= Self.optionLimit
        else { throw .invalid }
        try writer.write(hopLimit, .big)
        try writer.write((isManaged ? 0x80 : 0) | (hasOtherConfiguration ? 0x40 : 0) as UInt8, .big)
        try writer.write(UInt16(truncatingIfNeeded: routerLifetime.wireSeconds), .big)
        try writer.write(Self.milliseconds(reachableTime), .big)
        try writer.write(Self.milliseconds(retransmissionTime), .big)
        if let sourceLinkLayer { try NDPOptions.write(1, sourceLinkLayer, into: &writer) }
        if let maximumTransmissionUnit {
            try writer.write(0x0501_0000 as UInt32, .big)
            try writer.write(maximumTransmissionUnit, .big)
        }
        for prefix in prefixes { try NDPOptions.write(prefix, into: &writer) }
        for servers in nameServers { try NDPOptions.write(servers, into: &writer) }
        for domains in searchDomains { try NDPOptions.write(domains, into: &writer) }
    }

    private static func milliseconds(_ duration: Duration) -> UInt32 {
        let (seconds, attoseconds) = duration.components
        let whole = UInt64(clamping: seconds) > 0xffff_ffff ? 0xffff_ffff : UInt64(clamping: seconds) * 1000
        return UInt32(clamping: whole + UInt64(clamping: attoseconds / 1_000_000_000_000_000))
    }
}
