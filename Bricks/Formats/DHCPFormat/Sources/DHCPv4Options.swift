import Bytes
import DNSFormat
import NetFormats

/// A classless static route, RFC 3442; no router: the network is on the link.
public struct DHCPv4Route: Equatable, Sendable {
    public var network: IPv4Prefix
    public var router: IPv4Address

    public init(network: IPv4Prefix, router: IPv4Address) {
        self.network = network
        self.router = router
    }
}

/// Options by the section of RFC 2132 that numbers them. Absent ones are nil or empty.
public struct DHCPv4Options: Equatable, Sendable {
    /// Addresses, routes or names of one option; more are not read.
    public static let listLimit = 16

    /// 1, §3.3.
    public var subnetMask: IPv4Address?
    /// 3, §3.5, the preferred one first.
    public var routers: [IPv4Address] = []
    /// 6, §3.8.
    public var nameServers: [IPv4Address] = []
    /// 12, §3.14: bytes, without a zero at the end.
    public var hostName: [UInt8] = []
    /// 15, §3.17.
    public var domainName: [UInt8] = []
    /// 26, §5.1.
    public var interfaceMTU: UInt16?
    /// 28, §5.3.
    public var broadcastAddress: IPv4Address?
    /// 50, §9.1.
    public var requestedAddress: IPv4Address?
    /// 51, §9.2: all ones has no end.
    public var leaseTime: Duration?
    /// 54, §9.7.
    public var serverIdentifier: IPv4Address?
    /// 55, §9.8: codes.
    public var parameterRequests: [UInt8] = []
    /// 57, §9.10: of UDP's payload.
    public var messageByteCountLimit: UInt16?
    /// 58, §9.11: T1.
    public var renewalTime: Duration?
    /// 59, §9.12: T2.
    public var rebindingTime: Duration?
    /// 61, §9.14: type and identifier.
    public var clientIdentifier: [UInt8] = []
    /// 119, RFC 3397.
    public var searchDomains: [DNSName] = []
    /// 121, RFC 3442; if there are any, `routers` is ignored.
    public var routes: [DHCPv4Route] = []

    public init() {}

    init(_ options: DHCPv4OptionBytes) throws(FormatError) {
        let limit = Self.listLimit
        subnetMask = try options.address(1)
        routers = try options.addresses(3, limit: limit)
        nameServers = try options.addresses(6, limit: limit)
        hostName = Self.text(options.bytes(12))
        domainName = Self.text(options.bytes(15))
        interfaceMTU = try options.halfword(26)
        broadcastAddress = try options.address(28)
        requestedAddress = try options.address(50)
        leaseTime = try options.duration(51)
        serverIdentifier = try options.address(54)
        parameterRequests = options.bytes(55) ?? []
        messageByteCountLimit = try options.halfword(57)
        renewalTime = try options.duration(58)
        rebindingTime = try options.duration(59)
        clientIdentifier = options.bytes(61) ?? []
        searchDomains = try Self.names(options.bytes(119) ?? [])
        routes = try Self.routes(options.bytes(121) ?? [])
    }

    /// RFC 2132 §2: zeros at the end are to be cut.
    private static func text(_ bytes: [UInt8]?) -> [UInt8] {
        guard var bytes else { return [] }
        while bytes.last == 0 { bytes.removeLast() }
        return bytes
    }

    private static func names(_ bytes: [UInt8]) throws(FormatError) -> [DNSName] {
        var names: [DNSName] = []
        var offset = 0
        while offset < bytes.count, names.count < listLimit {
            names.append(try DNSName(parsing: ByteReader(bytes.span).unread, at: &offset))
        }
        return names
    }

    /// RFC 3442: a length, as many octets of the network as it covers, a router.
    private static func routes(_ bytes: [UInt8]) throws(FormatError) -> [DHCPv4Route] {
        var reader = ByteReader(bytes.span)
        var routes: [DHCPv4Route] = []
        while reader.remainingByteCount > 0, routes.count < listLimit {
            let length = Int(try reader.read(UInt8.self, .big))
            guard length <= 32 else { throw .invalid }
            var network: UInt32 = 0
            for index in 0..<(length + 7) / 8 { network |= UInt32(try reader.read(UInt8.self, .big)) << UInt32(24 - index * 8) }
            // Bits behind the length are ignored.
            let prefix = IPv4Prefix(address: IPv4Address(rawValue: network), length: length)
            let masked = IPv4Prefix(address: prefix.network, length: length)
            routes.append(DHCPv4Route(network: masked, router: try IPv4Address(parsing: &reader)))
        }
        return routes
    }
}
