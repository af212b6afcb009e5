/// What follows an IP header: a protocol of IPv4, a next header of IPv6 (IANA, "Assigned Internet Protocol Numbers").
public struct IPProtocol: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// RFC 8200 §4.3.
    @inlinable public static var hopByHop: IPProtocol { IPProtocol(rawValue: 0) }
    /// RFC 792.
    @inlinable public static var icmp: IPProtocol { IPProtocol(rawValue: 1) }
    /// RFC 3376.
    @inlinable public static var igmp: IPProtocol { IPProtocol(rawValue: 2) }
    /// RFC 9293.
    @inlinable public static var tcp: IPProtocol { IPProtocol(rawValue: 6) }
    /// RFC 768.
    @inlinable public static var udp: IPProtocol { IPProtocol(rawValue: 17) }
    /// RFC 8200 §4.4.
    @inlinable public static var routing: IPProtocol { IPProtocol(rawValue: 43) }
    /// RFC 8200 §4.5.
    @inlinable public static var fragment: IPProtocol { IPProtocol(rawValue: 44) }
    /// RFC 4443.
    @inlinable public static var icmpv6: IPProtocol { IPProtocol(rawValue: 58) }
    /// RFC 8200 §4.7.
    @inlinable public static var noNextHeader: IPProtocol { IPProtocol(rawValue: 59) }
    /// RFC 8200 §4.6.
    @inlinable public static var destinationOptions: IPProtocol { IPProtocol(rawValue: 60) }
}

/// What follows an Ethernet header (IANA, "IEEE 802 Numbers").
public struct EtherType: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// RFC 894.
    @inlinable public static var ipv4: EtherType { EtherType(rawValue: 0x0800) }
    /// RFC 826.
    @inlinable public static var arp: EtherType { EtherType(rawValue: 0x0806) }
    /// RFC 2464 §3.
    @inlinable public static var ipv6: EtherType { EtherType(rawValue: 0x86dd) }
}
