/// TYPE and QTYPE, RFC 1035 §3.2.2 (IANA, "Domain Name System Parameters").
public struct DNSType: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static var a: DNSType { DNSType(rawValue: 1) }
    public static var ns: DNSType { DNSType(rawValue: 2) }
    public static var cname: DNSType { DNSType(rawValue: 5) }
    public static var soa: DNSType { DNSType(rawValue: 6) }
    public static var ptr: DNSType { DNSType(rawValue: 12) }
    public static var txt: DNSType { DNSType(rawValue: 16) }
    /// RFC 3596 §2.1.
    public static var aaaa: DNSType { DNSType(rawValue: 28) }
    /// RFC 2782.
    public static var srv: DNSType { DNSType(rawValue: 33) }
    /// RFC 6891 §6.1.
    public static var opt: DNSType { DNSType(rawValue: 41) }
    /// RFC 4034 §4.
    public static var nsec: DNSType { DNSType(rawValue: 47) }
    /// QTYPE "*".
    public static var any: DNSType { DNSType(rawValue: 255) }
}

/// CLASS and QCLASS without mDNS' highest bit, RFC 1035 §3.2.4.
public struct DNSClass: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static var internet: DNSClass { DNSClass(rawValue: 1) }
    public static var any: DNSClass { DNSClass(rawValue: 255) }
}

/// RCODE, RFC 1035 §4.1.1, without the bits of EDNS.
public struct DNSResponseCode: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue & 0xf }

    public static var success: DNSResponseCode { DNSResponseCode(rawValue: 0) }
    public static var formatError: DNSResponseCode { DNSResponseCode(rawValue: 1) }
    public static var serverFailure: DNSResponseCode { DNSResponseCode(rawValue: 2) }
    /// NXDOMAIN
    public static var nameError: DNSResponseCode { DNSResponseCode(rawValue: 3) }
    public static var notImplemented: DNSResponseCode { DNSResponseCode(rawValue: 4) }
    public static var refused: DNSResponseCode { DNSResponseCode(rawValue: 5) }
}
