import Bytes
import NetFormats

/// RFC 1035 §4.1.2.
public struct DNSQuestion: Hashable, Sendable {
    public var name: DNSName
    public var type: DNSType
    public var recordClass: DNSClass
    /// mDNS: the answer may come by unicast (RFC 6762 §5.4).
    public var prefersUnicast: Bool

    public init(name: DNSName, type: DNSType, recordClass: DNSClass = .internet, prefersUnicast: Bool = false) {
        self.name = name
        self.type = type
        self.recordClass = recordClass
        self.prefersUnicast = prefersUnicast
    }
}

/// Where a service is, RFC 2782.
public struct DNSService: Equatable, Sendable {
    public var priority: UInt16
    public var weight: UInt16
    public var port: UInt16
    public var target: DNSName

    public init(priority: UInt16, weight: UInt16, port: UInt16, target: DNSName) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}

/// RFC 1035 §3.3.13.
public struct DNSStartOfAuthority: Equatable, Sendable {
    public var primary: DNSName
    public var mailbox: DNSName
    public var serial: UInt32
    public var refresh: Duration
    public var retry: Duration
    public var expire: Duration
    /// How long a negative answer is kept, RFC 2308 §4.
    public var minimum: Duration

    public init(
        primary: DNSName, mailbox: DNSName, serial: UInt32, refresh: Duration, retry: Duration, expire: Duration, minimum: Duration
    ) {
        self.primary = primary
        self.mailbox = mailbox
        self.serial = serial
        self.refresh = refresh
        self.retry = retry
        self.expire = expire
        self.minimum = minimum
    }
}

/// RDATA.
public enum DNSData: Equatable, Sendable {
    case a(IPv4Address)
    case aaaa(IPv6Address)
    case cname(DNSName)
    case ns(DNSName)
    case ptr(DNSName)
    case srv(DNSService)
    /// Strings of up to 255 bytes, RFC 1035 §3.3.14.
    case txt([[UInt8]])
    case soa(DNSStartOfAuthority)
    /// As on the wire; names inside must not be compressed (RFC 3597 §4).
    case other(DNSType, [UInt8])

    public var type: DNSType {
        switch self {
        case .a: .a
        case .aaaa: .aaaa
        case .cname: .cname
        case .ns: .ns
        case .ptr: .ptr
        case .srv: .srv
        case .txt: .txt
        case .soa: .soa
        case .other(let type, _): type
        }
    }
}

/// RFC 1035 §4.1.3.
public struct DNSRecord: Equatable, Sendable {
    public var name: DNSName
    public var recordClass: DNSClass
    /// mDNS: other records of this name, type and class are out of date (RFC 6762 §10.2).
    public var isCacheFlush: Bool
    /// Whole seconds below 2^31 (RFC 2181 §8).
    public var timeToLive: Duration
    public var data: DNSData

    public var type: DNSType { data.type }

    public init(name: DNSName, timeToLive: Duration, data: DNSData, recordClass: DNSClass = .internet, isCacheFlush: Bool = false) {
        self.name = name
        self.recordClass = recordClass
        self.isCacheFlush = isCacheFlush
        self.timeToLive = timeToLive
        self.data = data
    }
}

/// EDNS, RFC 6891 §6.1: what the OPT record says. Its options are skipped.
public struct DNSExtension: Equatable, Sendable {
    /// The largest UDP message that the sender takes.
    public var messageByteCountLimit: UInt16
    /// The upper eight bits of the response code.
    public var extendedResponseCode: UInt8 = 0
    public var version: UInt8 = 0
    /// DO, RFC 3225 §3.
    public var wantsSignatures = false

    public init(messageByteCountLimit: UInt16 = 1232) { self.messageByteCountLimit = messageByteCountLimit }
}
