import Bytes
import DHCP
import DHCPFormat
import NetFormats
import NetStack
import NetworkLink
import Random
import Testing
import Time

struct NetStackConfigurationTests {
    /// Answers a host's DHCP over its link, as frames.
    final class Server {
        var logic: DHCPv4Server
        let link: WireLink
        var count = 0

        init(_ link: WireLink) {
            self.link = link
            var configuration = DHCPv4Server.Configuration(
                address: IPv4Address(192, 168, 7, 1), prefix: IPv4Prefix(address: IPv4Address(192, 168, 7, 0), length: 24),
                firstAddress: IPv4Address(192, 168, 7, 100), addressCount: 4)
            configuration.routers = [IPv4Address(192, 168, 7, 1)]
            configuration.nameServers = [IPv4Address(192, 168, 7, 53)]
            configuration.interfaceMTU = 1400
            logic = DHCPv4Server(configuration: configuration)
        }

        func work(_ network: TestNetwork) {
            _ = link.receive(limit: 100) { frame, _ in
                var reader = ByteReader(frame)
                guard let ethernet = try? EthernetHeader(parsing: &reader), ethernet.type == .ipv4,
                    let ip = try? IPv4Header(parsing: &reader), ip.protocol == .udp, let udp = try? UDPHeader(parsing: &reader),
                    udp.destinationPort == 67, let message = try? DHCPv4Message(parsing: &reader),
                    let reply = logic.handle(message, now: network.now)
                else { return }
                count += 1
                let payload = reply.message.bytes
                let headers = network.bytes(42) { writer throws(FormatError) in
                    try EthernetHeader(destination: reply.hardware, source: link.macAddress, type: .ipv4).write(into: &writer)
                    try IPv4Header(
                        source: IPv4Address(192, 168, 7, 1), destination: reply.destination, protocol: .udp,
                        payloadByteCount: 8 + payload.count
                    ).write(into: &writer)
                    try UDPHeader(sourcePort: 67, destinationPort: 68, payloadByteCount: payload.count).write(into: &writer)
                }
                _ = link.transmit(headers.raw, payload.raw, RawSpan(), .none)
            }
        }
    }

    @Test func `an address comes from a server, with the route, the name server and the MTU`() {
        let network = TestNetwork()
        let link = WireLink(0x0200_0000_0003), peer = WireLink(0x0200_0000_0004)
        (link.peer, peer.peer) = (peer, link)
        (link.network, peer.network) = (network, network)
        let server = Server(peer)
        let host = NetStack(seed: SipHash.Key(low: 5, high: 6), now: network.now)
        let interface = host.add(link)
        host.startDHCP(on: interface, hostName: Array("box".utf8))
        #expect(host.isAwaitingLease(interface))
        for _ in 0..<20 {
            host.advance(to: network.now)
            host.receive()
            host.transmit()
            server.work(network)
            network.now = network.now.advanced(by: .milliseconds(1))
        }
        #expect(server.count == 2 && !host.isAwaitingLease(interface))
        #expect(interface.addresses.contains { $0.address == .v4(IPv4Address(192, 168, 7, 100)) && $0.prefixLength == 24 })
        #expect(host.isReachable(SocketAddress(IPv4Address(8, 8, 8, 8), port: 53)))
        #expect(host.nameServers.map(\.address) == [.v4(IPv4Address(192, 168, 7, 53))])
        #expect(interface.maximumTransmissionUnit == 1400)
    }

    @Test func `a router's advertisement gives an address, a route and a name server`() {
        let network = TestNetwork()
        let interface = network.interfaces[1]
        network.b.startIPv6(on: interface)
        var message = RouterAdvertisement(routerLifetime: .seconds(1800))
        message.prefixes = [NDPPrefix(prefix: IPv6Prefix(address: IPv6Address(high: 0x2001_0db8_0000_0000, low: 0), length: 64))]
        message.nameServers = [NDPNameServers(lifetime: .seconds(600), addresses: [IPv6Address(high: 0x2001_0db8_0000_0000, low: 0x35)])]
        let router = IPv6Address(linkLocal: network.links[0].macAddress)
        let advertisement = ICMPv6Message.routerAdvertisement(message)
        let frame = network.bytes(54 + advertisement.byteCount) { writer throws(FormatError) in
            try EthernetHeader(destination: MACAddress(multicast: .allNodes), source: network.links[0].macAddress, type: .ipv6)
                .write(into: &writer)
            var header = IPv6Header(
                source: router, destination: .allNodes, nextHeader: .icmpv6, payloadByteCount: advertisement.byteCount)
            header.hopLimit = 255
            try header.write(into: &writer)
            try advertisement.write(into: &writer, source: router, destination: .allNodes, followedBy: RawSpan())
        }
        network.b.receive(frame.raw, .none, from: interface)
        let own = IPv6Address(prefix: 0x2001_0db8_0000_0000, interface: network.links[1].macAddress)
        #expect(interface.addresses.contains { $0.address == .v6(own) })
        #expect(network.b.isReachable(SocketAddress(IPv6Address(high: 0x2606_4700_0000_0000, low: 1), port: 80)))
        #expect(network.b.nameServers.count == 1)
        network.run(for: .seconds(1900))
        #expect(!network.b.isReachable(SocketAddress(IPv6Address(high: 0x2606_4700_0000_0000, low: 1), port: 80)))
    }

    @Test func `two hosts with one address: the younger one gives it up`() {
        let network = TestNetwork()
        let shared = IPv6Address(high: 0xfd00_0000_0000_0000, low: 99)
        network.a.assign(.v6(shared), prefixLength: 64, to: network.interfaces[0])
        network.b.assign(.v6(shared), prefixLength: 64, to: network.interfaces[1], isUnique: false)
        network.run(for: .seconds(3))
        #expect(!network.interfaces[1].addresses.contains { $0.address == .v6(shared) })
        #expect(network.interfaces[1].counts.duplicateAddresses == 1)
    }
}
