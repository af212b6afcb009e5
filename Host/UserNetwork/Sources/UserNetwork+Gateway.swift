import Bytes
import DHCP
import DHCPFormat
import DNSFormat
import Glibc
import NetFormats

extension UserNetwork {
    /// How often the instance is asked for while a client waits and it has not been heard yet.
    static let probeInterval = Duration.milliseconds(100)
    /// RFC 4861 §6.2.1: MaxRtrAdvInterval, AdvDefaultLifetime.
    static let advertisementInterval = Duration.seconds(600)
    static let routerLifetime = Duration.seconds(1800)

    static func dhcpConfiguration(_ configuration: UserNetworkConfiguration) -> DHCPv4Server.Configuration {
        var dhcp = DHCPv4Server.Configuration(
            address: UserNetworkLayout.gateway, prefix: UserNetworkLayout.prefix, firstAddress: UserNetworkLayout.instance,
            addressCount: 16)
        dhcp.routers = [UserNetworkLayout.gateway]
        dhcp.nameServers = [UserNetworkLayout.nameServer]
        dhcp.searchDomains = configuration.searchDomains
        dhcp.interfaceMTU = UInt16(clamping: configuration.maximumTransmissionUnit)
        return dhcp
    }

    // MARK: ARP

    func handleARP(_ reader: inout ByteReader) {
        guard let packet = try? ARPPacket(parsing: &reader) else { return }
        let isOwn = packet.target == UserNetworkLayout.gateway || packet.target == UserNetworkLayout.nameServer
        if packet.operation == .request, isOwn {
            send(
                ARPPacket(
                    operation: .reply, senderHardware: UserNetworkLayout.gatewayHardware, sender: packet.target,
                    targetHardware: packet.senderHardware, target: packet.sender), to: packet.senderHardware)
        }
        if UserNetworkLayout.prefix.contains(packet.sender), packet.sender == UserNetworkLayout.instance || instanceIPv4 == nil {
            instanceIPv4 = packet.sender
            acceptWaiting()
        }
    }

    private func send(_ packet: ARPPacket, to hardware: MACAddress) {
        var storage = InlineArray<64, UInt8>(repeating: 0)
        let end: Int
        do throws(FormatError) {
            var bytes = storage.mutableSpan
            var writer = ByteWriter(&bytes)
            if configuration.framing == .virtio { try writer.writeZeros(12) }
            try EthernetHeader(destination: hardware, source: UserNetworkLayout.gatewayHardware, type: .arp).write(into: &writer)
            try packet.write(into: &writer)
            end = writer.offset
        } catch { return }
        let whole = ByteReader(storage.span).unread
        _ = link.send(whole.extracting(first: end), whole.extracting(first: 0), whole.extracting(first: 0), at: wallTime)
    }

    /// Asks for the instance that clients of published ports wait for. What it finds in its socket when it starts, it answers.
    func probeInstance() {
        guard instanceIPv4 == nil, listeners.contains(where: \.isWaiting) else {
            nextProbe = .distantFuture
            return
        }
        nextProbe = now.advanced(by: Self.probeInterval)
        send(
            ARPPacket(
                operation: .request, senderHardware: UserNetworkLayout.gatewayHardware, sender: UserNetworkLayout.gateway,
                targetHardware: MACAddress(rawValue: 0), target: UserNetworkLayout.instance), to: .broadcast)
    }

    // MARK: ICMPv6

    func handleICMPv6(_ reader: inout ByteReader, _ header: IPv6Header) {
        guard let message = try? ICMPv6Message(parsing: &reader, of: header) else { return }
        switch message {
        case .routerSolicitation:
            advertiseRouter(to: header.source.isUnspecified ? .allNodes : header.source)
        case .neighborSolicitation(let solicitation):
            let own = [UserNetworkLayout.gateway6, UserNetworkLayout.nameServer6, UserNetworkLayout.router6]
            guard own.contains(solicitation.target) else { return }
            var answer = NeighborAdvertisement(target: solicitation.target, targetLinkLayer: UserNetworkLayout.gatewayHardware)
            answer.isRouter = true
            answer.isOverride = true
            answer.isSolicited = !header.source.isUnspecified
            let destination = header.source.isUnspecified ? IPv6Address.allNodes : header.source
            transmit(.neighborAdvertisement(answer), from: solicitation.target, to: destination, hopLimit: 255)
        case .echoRequest(let echo):
            let end = SocketAddress(header.source, port: echo.identifier)
            handleEcho(end, SocketAddress(header.destination, port: 0), echo, reader.unread)
        case .echoReply, .destinationUnreachable, .packetTooBig, .timeExceeded, .parameterProblem, .routerAdvertisement,
            .neighborAdvertisement, .listenerQuery, .listenerReport, .other:
            return
        }
    }

    func advertiseRouter(to destination: IPv6Address) {
        nextAdvertisement = now.advanced(by: Self.advertisementInterval)
        var advertisement = RouterAdvertisement(routerLifetime: Self.routerLifetime)
        advertisement.sourceLinkLayer = UserNetworkLayout.gatewayHardware
        advertisement.maximumTransmissionUnit = UInt32(configuration.maximumTransmissionUnit)
        advertisement.prefixes = [
            NDPPrefix(prefix: UserNetworkLayout.prefix6, validLifetime: .seconds(86_400), preferredLifetime: .seconds(14_400))
        ]
        advertisement.nameServers = [NDPNameServers(lifetime: Self.routerLifetime, addresses: [UserNetworkLayout.nameServer6])]
        let names = configuration.searchDomains.flatMap(\.wire)
        if !names.isEmpty { advertisement.searchDomains = [NDPSearchDomains(lifetime: Self.routerLifetime, names: names)] }
        transmit(.routerAdvertisement(advertisement), from: UserNetworkLayout.router6, to: destination, hopLimit: 255)
    }

    func transmit(
        _ message: ICMPv6Message, from source: IPv6Address, to destination: IPv6Address, hopLimit: UInt8 = 64, quoting bytes: [UInt8] = []
    ) {
        let payload = ByteReader(bytes.span).unread
        let packet = OutgoingPacket(
            source: .v6(source), destination: .v6(destination), transport: .icmpv6, headerByteCount: message.byteCount,
            payloadByteCount: payload.byteCount, hopLimit: hopLimit,
            hardware: destination.isMulticast ? MACAddress(multicast: destination) : nil)
        // Larger than the room for headers: written to one piece.
        var body = [UInt8](repeating: 0, count: message.byteCount)
        do throws(FormatError) {
            var span = body.mutableSpan
            var writer = ByteWriter(&span)
            try message.write(into: &writer, source: source, destination: destination, followedBy: payload)
        } catch { return }
        transmit(packet, ByteReader(body.span).unread, payload) { (_) throws(FormatError) in }
    }

    // MARK: ICMPv4

    func handleICMPv4(_ reader: inout ByteReader, _ source: IPAddress, _ destination: IPAddress) {
        guard let message = try? ICMPv4Message(parsing: &reader), case .echoRequest(let echo) = message else { return }
        let end = SocketAddress(address: source, port: echo.identifier)
        handleEcho(end, SocketAddress(address: destination, port: 0), echo, reader.unread)
    }

    func transmit(_ message: ICMPv4Message, from source: IPv4Address, to destination: IPv4Address, _ payload: RawSpan) {
        let packet = OutgoingPacket(
            source: .v4(source), destination: .v4(destination), transport: .icmp, headerByteCount: ICMPv4Message.byteCount,
            payloadByteCount: payload.byteCount)
        transmit(packet, payload, payload.extracting(first: 0)) { (writer) throws(FormatError) in
            try message.write(into: &writer, followedBy: payload)
        }
    }

    /// Tells the instance that what it sent did not arrive: `error` is the host's, `quotation` the first eight bytes it sent.
    func reportUnreachable(_ key: FlowKey, _ error: Int32, _ quotation: [UInt8]) {
        let byteCount = max(quotation.count, 8)
        var bytes: [UInt8] = []
        switch (key.instance.address, key.remote.address) {
        case (.v4(let source), .v4(let destination)):
            bytes = Self.written(IPv4Header.byteCount) { (writer) throws(FormatError) in
                try IPv4Header(source: source, destination: destination, protocol: key.transport, payloadByteCount: byteCount)
                    .write(into: &writer)
            }
            bytes += quotation
            let reason: ICMPv4Message.Unreachable =
                switch error {
                case ECONNREFUSED: .port
                case ENETUNREACH: .network
                case EACCES, EPERM: .prohibited
                default: .host
                }
            transmit(.destinationUnreachable(reason), from: UserNetworkLayout.gateway, to: source, ByteReader(bytes.span).unread)
        case (.v6(let source), .v6(let destination)):
            bytes = Self.written(IPv6Header.byteCount) { (writer) throws(FormatError) in
                try IPv6Header(source: source, destination: destination, nextHeader: key.transport, payloadByteCount: byteCount)
                    .write(into: &writer)
            }
            let reason: ICMPv6Message.Unreachable =
                switch error {
                case ECONNREFUSED: .port
                case ENETUNREACH: .noRoute
                case EACCES, EPERM: .prohibited
                default: .address
                }
            transmit(.destinationUnreachable(reason), from: UserNetworkLayout.gateway6, to: source, quoting: bytes + quotation)
        case (.v4, .v6), (.v6, .v4): return
        }
    }

    static func written(_ byteCount: Int, _ body: (inout ByteWriter) throws(FormatError) -> Void) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        do throws(FormatError) {
            var span = bytes.mutableSpan
            var writer = ByteWriter(&span)
            try body(&writer)
        } catch { return [] }
        return bytes
    }
}
