import NetFormats
import NetworkLink
import Neighbors
import Time

/// One link of a stack, with its addresses. Belongs to its stack, which is the only one to change it.
public final class NetworkInterface {
    /// Addresses of one interface; more are refused.
    public static let maximumAddressCount = 32

    /// Of an address and its network.
    public struct Address {
        public let address: IPAddress
        public let prefixLength: Int
        /// In use, but still to be asked for: it goes if somebody else has it (RFC 4429).
        public internal(set) var isOptimistic: Bool
        /// When it may no longer be used for something new, and when it ends (RFC 4862 §5.5.4).
        public internal(set) var preferredUntil: Instant
        public internal(set) var validUntil: Instant
        var probesLeft: Int
        var nextProbe: Instant
        /// From router advertisements or DHCP, which may take it away again.
        var isDynamic: Bool

        func contains(_ other: IPAddress) -> Bool {
            switch (address, other) {
            case (.v4(let own), .v4(let other)): IPv4Prefix(address: own, length: prefixLength).contains(other)
            case (.v6(let own), .v6(let other)): IPv6Prefix(address: own, length: prefixLength).contains(other)
            case (.v4, .v6), (.v6, .v4): false
            }
        }
    }

    /// From 1; also the zone of link-local addresses.
    public let index: UInt32
    public let link: any NetworkLink
    public let isLoopback: Bool
    public internal(set) var addresses: [Address] = []
    public internal(set) var maximumTransmissionUnit: Int
    /// Frames by what became of them.
    public internal(set) var counts = InterfaceCounts()
    let macAddress: MACAddress
    let offloads: LinkOffloads
    var neighbors = NeighborCache()
    /// Solicits routers until one answers (RFC 4861 §6.3.7).
    var routerSearch = RouterSearch()
    var configuration = InterfaceConfiguration()

    init(index: UInt32, link: any NetworkLink, isLoopback: Bool) {
        self.index = index
        self.link = link
        self.isLoopback = isLoopback
        macAddress = link.macAddress
        offloads = link.offloads
        maximumTransmissionUnit = link.maximumTransmissionUnit
    }

    func owns(_ address: IPAddress) -> Bool {
        for own in addresses where own.address == address { return true }
        return false
    }

    /// The interface's own address for packets to `destination`: of its network if there is one, else any of the same scope
    /// (RFC 6724 §5, rules 2, 3 and 8).
    func source(for destination: IPAddress) -> IPAddress? {
        var best: (address: IPAddress, score: Int)?
        for own in addresses where own.address.isIPv6 == destination.isIPv6 {
            var score = own.contains(destination) ? 4 : 0
            if own.address.isLinkLocal == destination.isLinkLocal { score += 8 }
            if own.preferredUntil == .distantFuture || !own.isDynamic { score += 1 }
            if let best, best.score >= score { continue }
            best = (own.address, score)
        }
        return best?.address
    }

    var linkLocalAddress: IPv6Address? {
        for own in addresses {
            if case .v6(let address) = own.address, address.isLinkLocal { return address }
        }
        return nil
    }

    /// 224.0.0.1, RFC 1112 §4; and the groups of multicast DNS, RFC 6762 §3.
    static var allHosts: IPv4Address { IPv4Address(224, 0, 0, 1) }
    static var multicastDNSv4: IPv4Address { IPv4Address(224, 0, 0, 251) }
    static var multicastDNSv6: IPv6Address { IPv6Address(high: 0xff02_0000_0000_0000, low: 0xfb) }

    /// Whether the interface listens to `group` (RFC 4861 §2.3, RFC 1112 §4).
    func isMember(of group: IPAddress) -> Bool {
        switch group {
        case .v4(let group): return group == Self.allHosts || group == Self.multicastDNSv4
        case .v6(let group):
            if group == .allNodes || group == Self.multicastDNSv6 { return true }
            for own in addresses {
                if case .v6(let address) = own.address, address.solicitedNodeMulticast == group { return true }
            }
            return false
        }
    }
}

/// Frames of one interface since it was added.
public struct InterfaceCounts: Equatable, Sendable {
    public var received = 0
    public var receivedBytes = 0
    public var transmitted = 0
    public var transmittedBytes = 0
    /// Malformed, not for us, or of a protocol that nobody here speaks.
    public var dropped = 0
    /// There was no room in the link.
    public var transmitDropped = 0
    /// Addresses of ours that somebody else turned out to have.
    public var duplicateAddresses = 0

    public init() {}
}

/// RFC 4861 §6.3.7: three solicitations, four seconds apart.
struct RouterSearch {
    static let interval = Duration.seconds(4)
    static let maximumCount = 3
    var sent = 0
    var next = Instant.distantFuture
}
