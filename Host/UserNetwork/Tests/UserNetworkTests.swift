import Bytes
import DHCP
import DHCPFormat
import DNSFormat
import Glibc
import NetFormats
import Random
import Testing
import Time

@testable import UserNetwork

let guest4 = IPAddress.v4(UserNetworkLayout.instance)
let gateway4 = IPAddress.v4(UserNetworkLayout.gateway)
let guest6 = IPAddress.v6(IPv6Address(prefix: UserNetworkLayout.prefix6.address.high, interface: TestInstance.hardware))
let linkLocal = IPv6Address(linkLocal: TestInstance.hardware)

func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix(state: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

struct PublishedPortTests {
    @Test(
        arguments: [
            ("8080:80", nil, 8080, 80, .tcp), ("8080:80/tcp", nil, 8080, 80, .tcp), ("53:53/udp", nil, 53, 53, .udp),
            ("127.0.0.1:8080:80", "127.0.0.1", 8080, 80, .tcp), ("[::1]:8080:80/udp", "::1", 8080, 80, .udp),
        ] as [(String, String?, UInt16, UInt16, PublishedPort.Transport)])
    func `a port is understood`(text: String, address: String?, host: UInt16, guest: UInt16, transport: PublishedPort.Transport) {
        let expected = PublishedPort(hostAddress: address.flatMap { IPAddress($0) }, hostPort: host, guestPort: guest, transport: transport)
        #expect(PublishedPort(text) == expected)
    }

    @Test(arguments: [
        "", "80", ":80", "80:", "a:80", "80:b", "0:80", "80:0", "65536:80", "1:2:3", "::1:80:80", ":80:80", "[127.0.0.1]:1:2", "80:80/sctp",
        "+1:2",
    ])
    func `another form is refused`(text: String) { #expect(PublishedPort(text) == nil) }
}

@Suite(.serialized) struct GatewayTests {
    @Test func `the gateway and the name server are found by ARP, nobody else`() throws {
        let instance = try TestInstance()
        for target in [UserNetworkLayout.gateway, UserNetworkLayout.nameServer, IPv4Address(10, 0, 2, 77)] {
            let request = ARPPacket(
                operation: .request, senderHardware: TestInstance.hardware, sender: UserNetworkLayout.instance,
                targetHardware: MACAddress(rawValue: 0), target: target)
            instance.send(
                .arp, to: .broadcast, UserNetwork.written(28) { (writer) throws(FormatError) in try request.write(into: &writer) })
        }
        let replies = {
            instance.packets.compactMap { packet -> ARPPacket? in
                var reader = ByteReader(packet.bytes.span)
                return packet.type == .arp ? try? ARPPacket(parsing: &reader) : nil
            }
        }
        instance.wait { replies().count == 2 }
        usleep(20_000)
        instance.wait { true }
        #expect(replies().map(\.sender) == [UserNetworkLayout.gateway, UserNetworkLayout.nameServer])
        #expect(replies().allSatisfy { $0.operation == .reply && $0.senderHardware == UserNetworkLayout.gatewayHardware })
    }

    @Test(arguments: [InstanceFraming.virtio, .plain])
    func `an address is given by DHCP`(framing: InstanceFraming) throws {
        var configuration = UserNetworkConfiguration()
        configuration.framing = framing
        configuration.searchDomains = [DNSName("example.org")!]
        let instance = try TestInstance(configuration)
        var client = DHCPv4Client(configuration: .init(hardware: TestInstance.hardware), entropy: 1, now: HostClock.monotonic)
        func send(_ actions: DHCPv4Actions) {
            guard let send = actions.send else { return }
            instance.sendUDP(SocketAddress(send.source, port: 68), SocketAddress(send.destination, port: 67), send.bytes)
        }
        send(client.tick(now: HostClock.monotonic))
        instance.wait {
            for packet in instance.packets where packet.transport == .udp {
                var reader = ByteReader(packet.bytes.span)
                guard (try? UDPHeader(parsing: &reader)) != nil, let message = try? DHCPv4Message(parsing: &reader) else { continue }
                send(client.handle(message, now: HostClock.monotonic))
            }
            instance.packets = []
            return client.lease != nil
        }
        let lease = try #require(client.lease)
        #expect(lease.prefix.description == "10.0.2.15/24" && lease.nameServers == [UserNetworkLayout.nameServer])
        #expect(lease.routes.map(\.router) == [UserNetworkLayout.gateway] && lease.searchDomains == [DNSName("example.org")!])
    }

    func sendICMPv6(_ instance: TestInstance, _ message: ICMPv6Message, from source: IPv6Address, to destination: IPv6Address) {
        let bytes = UserNetwork.written(message.byteCount) { (writer) throws(FormatError) in
            try message.write(into: &writer, source: source, destination: destination, followedBy: ByteReader([UInt8]().span).unread)
        }
        instance.send(.v6(source), .v6(destination), .icmpv6, bytes, hopLimit: 255)
    }

    func icmpv6(_ packet: TestInstance.Packet) -> ICMPv6Message? {
        guard packet.type == .ipv6, packet.transport == .icmpv6 else { return nil }
        var frame = ByteReader(packet.frame.span)
        guard (try? frame.skip(14)) != nil, let header = try? IPv6Header(parsing: &frame) else { return nil }
        return try? ICMPv6Message(parsing: &frame, of: header)
    }

    @Test func `IPv6 configures itself from the router's advertisement`() throws {
        let instance = try TestInstance()
        sendICMPv6(instance, .routerSolicitation(RouterSolicitation()), from: .unspecified, to: .allRouters)
        sendICMPv6(
            instance,
            .neighborSolicitation(NeighborSolicitation(target: UserNetworkLayout.gateway6, sourceLinkLayer: TestInstance.hardware)),
            from: linkLocal, to: UserNetworkLayout.gateway6.solicitedNodeMulticast)
        sendICMPv6(instance, .echoRequest(ICMPEcho(identifier: 7, sequenceNumber: 9)), from: linkLocal, to: UserNetworkLayout.router6)
        instance.wait { instance.packets.compactMap(icmpv6).count == 3 }
        let messages = instance.packets.compactMap(icmpv6)
        guard case .routerAdvertisement(let advertisement) = messages.first else { throw FormatError.invalid }
        #expect(advertisement.prefixes.map(\.prefix) == [UserNetworkLayout.prefix6] && advertisement.maximumTransmissionUnit == 1500)
        #expect(advertisement.nameServers.flatMap(\.addresses) == [UserNetworkLayout.nameServer6])
        guard case .neighborAdvertisement(let neighbor) = messages[1] else { throw FormatError.invalid }
        #expect(neighbor.targetLinkLayer == UserNetworkLayout.gatewayHardware && neighbor.isSolicited && neighbor.isRouter)
        #expect(messages[2] == .echoReply(ICMPEcho(identifier: 7, sequenceNumber: 9)))
    }

    @Test func `the gateway answers echo`() throws {
        let instance = try TestInstance()
        let data: [UInt8] = [1, 2, 3]
        let bytes = UserNetwork.written(8) { (writer) throws(FormatError) in
            try ICMPv4Message.echoRequest(ICMPEcho(identifier: 5, sequenceNumber: 6)).write(
                into: &writer, followedBy: ByteReader(data.span).unread)
        }
        instance.send(guest4, gateway4, .icmp, bytes + data)
        instance.wait { instance.packets.contains { $0.transport == .icmp } }
        let packet = try #require(instance.packets.first { $0.transport == .icmp })
        var reader = ByteReader(packet.bytes.span)
        #expect(try ICMPv4Message(parsing: &reader) == .echoReply(ICMPEcho(identifier: 5, sequenceNumber: 6)))
        #expect(reader.remainingByteCount == 3)
    }
}
