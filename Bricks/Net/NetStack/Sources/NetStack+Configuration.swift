import Bytes
import DHCP
import DHCPFormat
import DNSFormat
import NetFormats
import NetworkLink
import Time

/// A name server, and what told of it: what tells again, or is gone, takes it away.
public struct NameServer: Equatable, Sendable {
    public enum Origin: Equatable, Sendable {
        case user
        case dhcp(interface: UInt32)
        case router(interface: UInt32)
        case dhcpv6(interface: UInt32)
    }

    public var address: IPAddress
    /// The link of a link-local address.
    public var zone: UInt32
    public var origin: Origin

    public init(address: IPAddress, zone: UInt32 = 0, origin: Origin = .user) {
        self.address = address
        self.zone = zone
        self.origin = origin
    }
}

/// How an interface comes by its configuration.
struct InterfaceConfiguration {
    var dhcp: DHCPv4Client?
    var dhcpv6: DHCPv6Client?
}

extension NetStack {
    /// Name servers and search domains; more are not kept.
    static let maximumNameServerCount = 8
    static let maximumSearchDomainCount = 8

    /// Begins to ask for an IPv4 address and what belongs to it (RFC 2131). `hostName` is told to the server.
    public func startDHCP(on interface: NetworkInterface, hostName: [UInt8] = []) {
        let configuration = DHCPv4Client.Configuration(hardware: interface.macAddress, hostName: hostName)
        interface.configuration.dhcp = DHCPv4Client(configuration: configuration, entropy: random(), now: now)
        noteDeadline(now)
    }

    /// Whether a way to `destination` may still turn up: a lease is waited for, or a router.
    public func mayBecomeReachable(_ destination: IPAddress) -> Bool {
        for interface in interfaces where !interface.isLoopback {
            if destination.isIPv6 ? interface.routerSearch.next != .distantFuture : isAwaitingLease(interface) { return true }
        }
        return false
    }

    public func isReachable(_ destination: SocketAddress) -> Bool { hop(to: destination.address, zone: destination.zone) != nil }

    /// Whether the interface still waits for its first IPv4 lease.
    public func isAwaitingLease(_ interface: NetworkInterface) -> Bool {
        guard let dhcp = interface.configuration.dhcp else { return false }
        return dhcp.lease == nil
    }

    public func addNameServer(_ server: NameServer) { replaceNameServers(from: nil, with: [server]) }

    public func addSearchDomain(_ name: DNSName) {
        guard searchDomains.count < Self.maximumSearchDomainCount, !searchDomains.contains(where: { $0 == name }) else { return }
        searchDomains.append(name)
        configurationGeneration &+= 1
    }

    // MARK: Messages

    /// Datagrams that are for the stack itself. False: for an endpoint, if there is one.
    func takeConfiguration(_ payload: RawSpan, _ header: UDPHeader, _ origin: DatagramOrigin, on interface: NetworkInterface) -> Bool {
        if header.destinationPort == DHCPv4Message.clientPort, !origin.destination.isIPv6, interface.configuration.dhcp != nil {
            var reader = ByteReader(payload)
            guard let message = try? DHCPv4Message(parsing: &reader) else { return true }
            if let actions = interface.configuration.dhcp?.handle(message, now: now) { carryOut(actions, on: interface) }
            return true
        }
        if header.destinationPort == DHCPv6Message.clientPort, origin.destination.isIPv6, interface.configuration.dhcpv6 != nil {
            var reader = ByteReader(payload)
            guard let message = try? DHCPv6Message(parsing: &reader) else { return true }
            if let information = interface.configuration.dhcpv6?.handle(message, now: now) {
                let servers = information.nameServers.map {
                    NameServer(address: .v6($0), zone: $0.isLinkLocal ? interface.index : 0, origin: .dhcpv6(interface: interface.index))
                }
                replaceNameServers(from: .dhcpv6(interface: interface.index), with: servers)
                for domain in information.searchDomains { addSearchDomain(domain) }
            }
            return true
        }
        return false
    }

    /// Whether `destination` may be an address that is just being given to us: a server may use it before we do (RFC 2131 §4.1).
    func isConfiguring(_ interface: NetworkInterface, _ destination: IPAddress) -> Bool { isAwaitingLease(interface) }

    func maintainConfiguration() {
        for interface in interfaces {
            if let actions = interface.configuration.dhcp?.tick(now: now) {
                carryOut(actions, on: interface)
                if let deadline = interface.configuration.dhcp?.nextDeadline { noteDeadline(deadline) }
            }
            if let source = interface.linkLocalAddress, let bytes = interface.configuration.dhcpv6?.tick(now: now) {
                let group = IPAddress.v6(DHCPv6Message.servers)
                let hop = Hop(interface: interface, nextHop: group, source: .v6(source))
                let destination = SocketAddress(address: group, port: DHCPv6Message.serverPort)
                _ = sendUDP(bytes.raw, DHCPv6Message.clientPort, destination, PacketOptions(transport: .udp, hopLimit: 1), over: hop)
            }
            if let deadline = interface.configuration.dhcpv6?.nextDeadline, interface.linkLocalAddress != nil { noteDeadline(deadline) }
        }
    }

    private func carryOut(_ actions: DHCPv4Actions, on interface: NetworkInterface) {
        switch actions.change {
        case .acquired(let lease): configure(lease, on: interface)
        case .lost: unconfigure(interface)
        case nil: break
        }
        if let message = actions.send {
            let destination = IPAddress.v4(message.destination)
            let link = Hop(interface: interface, nextHop: destination, source: .v4(message.source))
            // A server on another network is reached by the routes.
            let routed = message.destination.isBroadcast ? nil : hop(to: destination, source: .v4(message.source))
            let options = PacketOptions(transport: .udp, isDontFragment: false)
            let target = SocketAddress(address: destination, port: DHCPv4Message.serverPort)
            _ = sendUDP(message.bytes.raw, DHCPv4Message.clientPort, target, options, over: routed ?? link)
        }
        if let deadline = interface.configuration.dhcp?.nextDeadline { noteDeadline(deadline) }
    }

    private func configure(_ lease: DHCPv4Lease, on interface: NetworkInterface) {
        let address = IPAddress.v4(lease.address)
        for own in interface.addresses where own.isDynamic && !own.address.isIPv6 && own.address != address {
            remove(own.address, from: interface)
        }
        _ = add(address, prefixLength: lease.prefix.length, to: interface, isUnique: true, isDynamic: true)
        removeRoutes { $0.isDynamic && $0.interface === interface && $0.gateway?.isIPv6 == false }
        for known in lease.routes {
            // RFC 3442: a router of zeros means that the network is on the link.
            let gateway: IPAddress? = known.router.isUnspecified ? nil : .v4(known.router)
            var route = Route(prefix: .v4(known.network), gateway: gateway, interface: interface)
            route.isDynamic = true
            add(route)
        }
        if let mtu = lease.maximumTransmissionUnit {
            interface.maximumTransmissionUnit = min(mtu, interface.link.maximumTransmissionUnit)
        }
        let origin = NameServer.Origin.dhcp(interface: interface.index)
        replaceNameServers(from: origin, with: lease.nameServers.map { NameServer(address: .v4($0), origin: origin) })
        for domain in lease.searchDomains { addSearchDomain(domain) }
        if lease.searchDomains.isEmpty, let domain = DNSName(parsing: lease.domainName.span) { addSearchDomain(domain) }
    }

    private func unconfigure(_ interface: NetworkInterface) {
        for own in interface.addresses where own.isDynamic && !own.address.isIPv6 { remove(own.address, from: interface) }
        removeRoutes { $0.isDynamic && $0.interface === interface && $0.gateway?.isIPv6 == false }
        replaceNameServers(from: .dhcp(interface: interface.index), with: [])
    }

    // MARK: Names

    func noteNameServers(_ addresses: [IPv6Address], from interface: NetworkInterface) {
        let origin = NameServer.Origin.router(interface: interface.index)
        let servers = addresses.map { NameServer(address: .v6($0), zone: $0.isLinkLocal ? interface.index : 0, origin: origin) }
        replaceNameServers(from: origin, with: servers)
    }

    /// As RFC 8106 §5.2 packs them: names one after another, then zeros.
    func noteSearchDomains(_ names: [UInt8]) {
        let limit = Self.maximumSearchDomainCount
        for name in (try? DNSName.list(names, limit: limit)) ?? [] where !name.isRoot { addSearchDomain(name) }
    }

    /// `origin` nil: adds to what is there.
    private func replaceNameServers(from origin: NameServer.Origin?, with servers: [NameServer]) {
        var kept = nameServers.filter { $0.origin != origin }
        for server in servers where kept.count < Self.maximumNameServerCount && !kept.contains(where: { $0.address == server.address }) {
            kept.append(server)
        }
        guard kept != nameServers else { return }
        nameServers = kept
        configurationGeneration &+= 1
    }

    func startDHCPv6(on interface: NetworkInterface) {
        guard interface.configuration.dhcpv6 == nil else { return }
        interface.configuration.dhcpv6 = DHCPv6Client(hardware: interface.macAddress, entropy: random(), now: now)
        noteDeadline(now)
    }
}
