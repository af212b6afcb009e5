import DHCPFormat
import DNSFormat
import NetFormats
import Time

/// What a server has granted.
public struct DHCPv4Lease: Equatable, Sendable {
    /// The address with the length of its network.
    public var prefix: IPv4Prefix
    public var server: IPv4Address
    /// Classless routes; if the server sent any, the default router is among them (RFC 3442).
    public var routes: [DHCPv4Route]
    public var nameServers: [IPv4Address]
    public var domainName: [UInt8]
    public var searchDomains: [DNSName]
    public var hostName: [UInt8]
    public var maximumTransmissionUnit: Int?
    /// T1
    public var renewal: Instant
    /// T2
    public var rebinding: Instant
    /// `distantFuture`: the lease has no end.
    public var expiry: Instant

    public var address: IPv4Address { prefix.address }

    /// Smaller MTUs are not believed: IPv4's own least is 68, but nothing works with it (RFC 1122 §3.3.3).
    static let mtuMinimum: UInt16 = 576

    /// Nil if an acknowledgment lacks what it must have, or grants an impossible address.
    init?(_ message: DHCPv4Message, requestedAt start: Instant) {
        let options = message.options
        let address = message.yourAddress
        guard let server = options.serverIdentifier, let leaseTime = options.leaseTime, leaseTime > .zero, Self.isHost(address),
            let prefix = Self.prefix(address, options.subnetMask)
        else { return nil }
        self.prefix = prefix
        self.server = server
        let defaults = options.routers.prefix(1).map { DHCPv4Route(network: IPv4Prefix(address: .unspecified, length: 0), router: $0) }
        routes = options.routes.isEmpty ? Array(defaults) : options.routes
        nameServers = options.nameServers
        domainName = options.domainName
        searchDomains = options.searchDomains
        hostName = options.hostName
        maximumTransmissionUnit = options.interfaceMTU.flatMap { $0 >= Self.mtuMinimum ? Int($0) : nil }
        guard leaseTime < .seconds(0xffff_ffff as Int64) else {
            (renewal, rebinding, expiry) = (.distantFuture, .distantFuture, .distantFuture)
            return
        }
        // §4.4.5: T1 is half, T2 seven eighths, if the server does not say otherwise, or says the impossible.
        let second = options.rebindingTime.flatMap { $0 > .zero && $0 < leaseTime ? $0 : nil } ?? leaseTime / 8 * 7
        let first = options.renewalTime.flatMap { $0 > .zero && $0 < second ? $0 : nil } ?? min(leaseTime / 2, second)
        expiry = start.advanced(by: leaseTime)
        rebinding = start.advanced(by: second)
        renewal = start.advanced(by: first)
    }

    static func isHost(_ address: IPv4Address) -> Bool {
        !address.isUnspecified && !address.isLoopback && !address.isMulticast && !address.isReserved && !address.isBroadcast
    }

    /// Without a mask the class decides (RFC 950 §2.1); with an impossible one there is no prefix.
    private static func prefix(_ address: IPv4Address, _ mask: IPv4Address?) -> IPv4Prefix? {
        if let mask { return IPv4Prefix(address: address, mask: mask) }
        let first = address.rawValue >> 24
        return IPv4Prefix(address: address, length: first < 128 ? 8 : first < 192 ? 16 : 24)
    }
}
