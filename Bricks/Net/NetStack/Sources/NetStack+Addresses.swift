import Bytes
import Neighbors
import NetFormats
import NetworkLink
import Time

extension NetStack {
    /// RFC 4862 §5.1: how often an address is asked for before it is used, and how long each answer is waited for.
    static let duplicateProbeCount = 1
    static let duplicateProbeInterval = Duration.seconds(1)

    /// Gives `interface` an address, and the route to its network. An IPv6 address is asked for on the link, unless `isUnique`.
    ///
    /// False if the interface has as many as it may have.
    @discardableResult
    public func assign(_ address: IPAddress, prefixLength: Int, to interface: NetworkInterface, isUnique: Bool = true) -> Bool {
        add(address, prefixLength: prefixLength, to: interface, isUnique: isUnique, isDynamic: false)
    }

    func add(
        _ address: IPAddress, prefixLength: Int, to interface: NetworkInterface, isUnique: Bool, isDynamic: Bool,
        preferredUntil: Instant = .distantFuture, validUntil: Instant = .distantFuture
    ) -> Bool {
        if let index = interface.addresses.firstIndex(where: { $0.address == address }) {
            interface.addresses[index].preferredUntil = preferredUntil
            interface.addresses[index].validUntil = validUntil
            noteDeadline(validUntil)
            return true
        }
        guard interface.addresses.count < NetworkInterface.maximumAddressCount else { return false }
        let mustProbe = address.isIPv6 && !isUnique && !interface.isLoopback
        interface.addresses.append(
            NetworkInterface.Address(
                address: address, prefixLength: prefixLength, isOptimistic: mustProbe, preferredUntil: preferredUntil,
                validUntil: validUntil, probesLeft: mustProbe ? Self.duplicateProbeCount : 0, nextProbe: mustProbe ? now : .distantFuture,
                isDynamic: isDynamic))
        routeGeneration &+= 1
        noteDeadline(mustProbe ? now : validUntil)
        if !interface.isLoopback, prefixLength < address.byteCount * 8, !(address.isIPv6 && isDynamic) {
            var route = Route(prefix: Route.Prefix(address, length: prefixLength), gateway: nil, interface: interface)
            route.isDynamic = isDynamic
            add(route)
        }
        if case .v4(let own) = address { announce(own, on: interface) }
        if address.isIPv6 { reportGroups(on: interface) }
        return true
    }

    public func remove(_ address: IPAddress, from interface: NetworkInterface) {
        interface.addresses.removeAll { $0.address == address }
        routeGeneration &+= 1
        let kept = interface.addresses
        removeRoutes { route in
            route.interface === interface && route.gateway == nil && route.prefix.contains(address)
                && !kept.contains { route.prefix.contains($0.address) }
        }
        failConnections(from: address)
    }

    /// Begins what IPv6 does by itself: a link-local address, and the search for routers (RFC 4862 §4).
    public func startIPv6(on interface: NetworkInterface, isUnique: Bool = false) {
        guard !interface.isLoopback else { return }
        let address = IPv6Address(linkLocal: interface.macAddress)
        _ = add(.v6(address), prefixLength: 64, to: interface, isUnique: isUnique, isDynamic: false)
        interface.routerSearch.next = now
        noteDeadline(now)
    }

    /// Somebody else has the address (RFC 4862 §5.4.5).
    func loseAddress(at index: Int, of interface: NetworkInterface) {
        let address = interface.addresses[index].address
        interface.counts.duplicateAddresses += 1
        remove(address, from: interface)
    }

    // MARK: Routers

    /// RFC 4861 §6.3.4, RFC 4862 §5.5.3.
    func handle(_ message: RouterAdvertisement, from router: IPv6Address, _ arrival: Arrival) {
        let interface = arrival.interface
        interface.routerSearch.next = .distantFuture
        if let link = message.sourceLinkLayer {
            send(interface.neighbors.learn(.v6(router), link, wanted: true, now: now), to: link, on: interface)
        }
        if let mtu = message.maximumTransmissionUnit, Int(mtu) >= IPv6Header.minimumMTU {
            interface.maximumTransmissionUnit = min(Int(mtu), interface.link.maximumTransmissionUnit)
        }
        let gateway = IPAddress.v6(router)
        removeRoutes { $0.isDynamic && $0.interface === interface && $0.gateway == gateway && $0.prefix == .any6 }
        if message.routerLifetime > .zero {
            var route = Route(prefix: .any6, gateway: gateway, interface: interface)
            route.validUntil = now.advanced(by: message.routerLifetime)
            route.isDynamic = true
            add(route)
        }
        for prefix in message.prefixes where !prefix.prefix.address.isLinkLocal && !prefix.prefix.address.isMulticast {
            handle(prefix, on: interface)
        }
        for servers in message.nameServers { noteNameServers(servers.addresses, from: interface) }
        for domains in message.searchDomains { noteSearchDomains(domains.names) }
        if message.hasOtherConfiguration || message.isManaged { startDHCPv6(on: interface) }
    }

    private func handle(_ prefix: NDPPrefix, on interface: NetworkInterface) {
        let valid = end(of: prefix.validLifetime), preferred = end(of: prefix.preferredLifetime)
        if prefix.isOnLink {
            let network = Route.Prefix.v6(IPv6Prefix(address: prefix.prefix.network, length: prefix.prefix.length))
            if prefix.validLifetime == .zero {
                removeRoutes { $0.isDynamic && $0.interface === interface && $0.prefix == network && $0.gateway == nil }
            } else {
                var route = Route(prefix: network, gateway: nil, interface: interface)
                route.validUntil = valid
                route.isDynamic = true
                add(route)
            }
        }
        guard prefix.isAutonomous, prefix.prefix.length == 64, prefix.validLifetime > .zero else { return }
        let address = IPv6Address(prefix: prefix.prefix.network.high, interface: interface.macAddress)
        var until = valid
        // An unauthenticated message shortens a lifetime to two hours at least (RFC 4862 §5.5.3 e).
        if let known = interface.addresses.first(where: { $0.address == .v6(address) }) {
            guard known.isDynamic else { return }
            let floor = min(known.validUntil, now.advanced(by: .seconds(7_200)))
            until = max(valid, floor)
        }
        // The link-local address of the same interface identifier was unique, so this one is (RFC 4862 §5.4 allows to skip the test
        // only for it: we test).
        _ = add(
            .v6(address), prefixLength: 64, to: interface, isUnique: false, isDynamic: true, preferredUntil: preferred, validUntil: until)
    }

    private func end(of lifetime: Duration) -> Instant { lifetime == .ndpInfinity ? .distantFuture : now.advanced(by: lifetime) }

    // MARK: Due things

    func maintainAddresses() {
        for interface in interfaces {
            var index = 0
            while index < interface.addresses.count {
                let own = interface.addresses[index]
                if own.validUntil <= now {
                    remove(own.address, from: interface)
                    continue
                }
                if own.isOptimistic { advanceProbe(at: index, of: interface) }
                if index < interface.addresses.count {
                    noteDeadline(interface.addresses[index].validUntil)
                    noteDeadline(interface.addresses[index].nextProbe)
                }
                index += 1
            }
            searchRouters(on: interface)
        }
    }

    private func advanceProbe(at index: Int, of interface: NetworkInterface) {
        guard interface.addresses[index].nextProbe <= now, case .v6(let address) = interface.addresses[index].address else { return }
        guard interface.addresses[index].probesLeft > 0 else {
            interface.addresses[index].isOptimistic = false
            interface.addresses[index].nextProbe = .distantFuture
            // Now it may be told to others.
            routeGeneration &+= 1
            return
        }
        interface.addresses[index].probesLeft -= 1
        interface.addresses[index].nextProbe = now.advanced(by: Self.duplicateProbeInterval)
        let group = IPAddress.v6(address.solicitedNodeMulticast)
        let hop = Hop(interface: interface, nextHop: group, source: .v6(.unspecified))
        send(.neighborSolicitation(NeighborSolicitation(target: address)), RawSpan(), to: group, over: hop, hopLimit: 255)
    }

    private func searchRouters(on interface: NetworkInterface) {
        guard interface.routerSearch.next <= now else { return noteDeadline(interface.routerSearch.next) }
        guard interface.routerSearch.sent < RouterSearch.maximumCount else {
            interface.routerSearch.next = .distantFuture
            return
        }
        let source = interface.linkLocalAddress
        interface.routerSearch.sent += 1
        interface.routerSearch.next = now.advanced(by: RouterSearch.interval)
        noteDeadline(interface.routerSearch.next)
        let group = IPAddress.v6(.allRouters)
        let hop = Hop(interface: interface, nextHop: group, source: .v6(source ?? .unspecified))
        let message = NetFormats.RouterSolicitation(sourceLinkLayer: source == nil ? nil : interface.macAddress)
        send(.routerSolicitation(message), RawSpan(), to: group, over: hop, hopLimit: 255)
    }

    func maintainRoutes() {
        if routes.contains(where: { $0.validUntil <= now }) {
            let now = now
            removeRoutes { $0.validUntil <= now }
        }
        for route in routes { noteDeadline(route.validUntil) }
    }

    /// Tells the link which groups the interface listens to (RFC 3810 §5.2), for switches that look.
    func reportGroups(on interface: NetworkInterface) {
        guard !interface.isLoopback, let source = interface.linkLocalAddress else { return }
        var records: [ListenerReport.Record] = []
        for own in interface.addresses where records.count < ListenerReport.recordLimit {
            guard case .v6(let address) = own.address else { continue }
            let group = address.solicitedNodeMulticast
            if !records.contains(where: { $0.group == group }) { records.append(ListenerReport.Record(.join, group)) }
        }
        guard !records.isEmpty else { return }
        var bytes = [UInt8](repeating: 0, count: IPv6RouterAlertHeader.byteCount)
        guard Self.write(&bytes, { writer throws(FormatError) in try IPv6RouterAlertHeader.write(nextHeader: .icmpv6, into: &writer) })
        else { return }
        let message = ICMPv6Message.listenerReport(ListenerReport(records))
        var body = [UInt8](repeating: 0, count: message.byteCount)
        let isWritten = Self.write(&body) { writer throws(FormatError) in
            try message.write(into: &writer, source: source, destination: ListenerReport.destination, followedBy: RawSpan())
        }
        guard isWritten else { return }
        bytes.append(body.raw)
        let group = IPAddress.v6(ListenerReport.destination)
        let hop = Hop(interface: interface, nextHop: group, source: .v6(source))
        send(bytes.raw, PacketOptions(transport: .hopByHop, hopLimit: 1), to: group, over: hop)
    }
}
