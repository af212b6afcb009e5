import NetFormats
import Time

/// A way to a network: straight over the link, or through a gateway on it.
public struct Route {
    public var prefix: Prefix
    /// nil: the network is on the link.
    public var gateway: IPAddress?
    public var interface: NetworkInterface
    /// Until when it holds: a router's own lifetime, a lease.
    public var validUntil = Instant.distantFuture
    var isDynamic = false

    public init(prefix: Prefix, gateway: IPAddress?, interface: NetworkInterface) {
        self.prefix = prefix
        self.gateway = gateway
        self.interface = interface
    }

    /// A network of either family.
    public enum Prefix: Equatable, Sendable {
        case v4(IPv4Prefix)
        case v6(IPv6Prefix)

        public static var any4: Prefix { .v4(IPv4Prefix(address: .unspecified, length: 0)) }
        public static var any6: Prefix { .v6(IPv6Prefix(address: .unspecified, length: 0)) }

        func contains(_ address: IPAddress) -> Bool {
            switch (self, address) {
            case (.v4(let prefix), .v4(let address)): prefix.contains(address)
            case (.v6(let prefix), .v6(let address)): prefix.contains(address)
            case (.v4, .v6), (.v6, .v4): false
            }
        }

        var length: Int {
            switch self {
            case .v4(let prefix): prefix.length
            case .v6(let prefix): prefix.length
            }
        }

        public init(_ address: IPAddress, length: Int) {
            switch address {
            case .v4(let address): self = .v4(IPv4Prefix(address: IPv4Prefix(address: address, length: length).network, length: length))
            case .v6(let address): self = .v6(IPv6Prefix(address: IPv6Prefix(address: address, length: length).network, length: length))
            }
        }
    }
}

/// Where a packet goes next.
struct Hop {
    var interface: NetworkInterface
    var nextHop: IPAddress
    var source: IPAddress
}

extension NetStack {
    /// Routes of the stack; more are refused.
    public static let maximumRouteCount = 256

    /// Adds a route, or changes the one to the same network over the same interface and gateway.
    public func add(_ route: Route) {
        routeGeneration &+= 1
        for index in routes.indices {
            let known = routes[index]
            if known.prefix == route.prefix && known.gateway == route.gateway && known.interface === route.interface {
                routes[index] = route
                return
            }
        }
        guard routes.count < Self.maximumRouteCount else { return }
        // Longest first, so that the first match is the best.
        var position = 0
        while position < routes.count, routes[position].prefix.length >= route.prefix.length { position += 1 }
        routes.insert(route, at: position)
        noteDeadline(route.validUntil)
    }

    public func removeRoutes(where isUnwanted: (Route) -> Bool) {
        routes.removeAll(where: isUnwanted)
        routeGeneration &+= 1
    }

    /// The way to `destination`, nil if there is none. `zone` says which link, for an address that several links may know.
    func hop(to destination: IPAddress, zone: UInt32 = 0, source: IPAddress? = nil) -> Hop? {
        if destination.isLoopback || owner(of: destination) != nil {
            return Hop(interface: loopback, nextHop: destination, source: source ?? destination)
        }
        if destination.isMulticast || isLimitedBroadcast(destination) || (destination.isIPv6 && destination.isLinkLocal) {
            return linkHop(to: destination, zone: zone, source: source)
        }
        for route in routes where route.prefix.contains(destination) && (zone == 0 || route.interface.index == zone) {
            guard let own = source ?? route.interface.source(for: destination) else { continue }
            return Hop(interface: route.interface, nextHop: route.gateway ?? destination, source: own)
        }
        return nil
    }

    private func linkHop(to destination: IPAddress, zone: UInt32, source: IPAddress?) -> Hop? {
        for interface in interfaces where !interface.isLoopback && (zone == 0 || interface.index == zone) {
            guard let own = source ?? interface.source(for: destination) else { continue }
            return Hop(interface: interface, nextHop: destination, source: own)
        }
        return nil
    }

    private func isLimitedBroadcast(_ address: IPAddress) -> Bool {
        if case .v4(let address) = address { address == .broadcast } else { false }
    }

    /// The address of this host that packets to `destination` come from; nil: there is no way.
    public func source(for destination: SocketAddress) -> IPAddress? { hop(to: destination.address, zone: destination.zone)?.source }

    /// Whether `address` is one of this host's.
    public func hasAddress(_ address: IPAddress) -> Bool { owner(of: address) != nil }

    /// The interface that has `address`, loopback included.
    func owner(of address: IPAddress) -> NetworkInterface? {
        for interface in interfaces where interface.owns(address) { return interface }
        return nil
    }
}
