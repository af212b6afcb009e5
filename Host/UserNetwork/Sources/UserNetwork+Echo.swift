import Bytes
import Glibc
import NetFormats

extension UserNetwork {
    /// An echo request of the instance: to the gateway itself, or to the world by a socket for echo.
    func handleEcho(_ instance: SocketAddress, _ remote: SocketAddress, _ echo: ICMPEcho, _ data: RawSpan) {
        if isGateway(remote.address) { return reply(remote.address, instance.address, echo, data) }
        guard let target = hostAddress(remote), !remote.address.isMulticast else { return }
        let transport = remote.address.isIPv6 ? IPProtocol.icmpv6 : .icmp
        let key = FlowKey(transport: transport, instance: instance, remote: remote)
        guard let flow = echoFlow(key, target), let socket = flow.socket else { return }
        flow.lastUse = now
        // The kernel puts in its identifier and the checksum.
        let header = Self.written(8) { (writer) throws(FormatError) in
            try writer.write(remote.address.isIPv6 ? 128 : 8 as UInt8, .big)
            try writer.writeZeros(3)
            try writer.write(echo.identifier, .big)
            try writer.write(echo.sequenceNumber, .big)
        }
        if case .failed(let error) = socket.send(ByteReader(header.span).unread, data) {
            reportUnreachable(key, error, header)
        }
    }

    private func isGateway(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let address): address == UserNetworkLayout.gateway || address == UserNetworkLayout.nameServer
        case .v6(let address):
            address == UserNetworkLayout.gateway6 || address == UserNetworkLayout.nameServer6 || address == UserNetworkLayout.router6
        }
    }

    private func echoFlow(_ key: FlowKey, _ target: SocketAddress) -> DatagramFlow? {
        if let number = flows[key] { return datagramFlows[number] }
        // Where the host's ping_group_range forbids it, echo leads nowhere.
        guard let socket = HostSocket(.echo, isIPv6: key.remote.address.isIPv6) else { return nil }
        if case .failed(let error) = socket.connect(to: target) {
            socket.close()
            reportUnreachable(key, error, [UInt8](repeating: 0, count: 8))
            return nil
        }
        let flow = DatagramFlow(key: key, kind: .echo(socket), now: now)
        return add(flow) ? flow : nil
    }

    /// What an echo socket has received: an ICMP message.
    func deliverEcho(_ message: RawSpan, to flow: DatagramFlow) {
        var reader = ByteReader(message)
        guard let type = try? reader.read(UInt8.self, .big), type == (flow.key.remote.address.isIPv6 ? 129 : 0),
            (try? reader.skip(5)) != nil, let sequence = try? reader.read(UInt16.self, .big)
        else { return }
        let echo = ICMPEcho(identifier: flow.key.instance.port, sequenceNumber: sequence)
        reply(flow.key.remote.address, flow.key.instance.address, echo, reader.unread)
    }

    private func reply(_ source: IPAddress, _ destination: IPAddress, _ echo: ICMPEcho, _ data: RawSpan) {
        switch (source, destination) {
        case (.v4(let source), .v4(let destination)): transmit(.echoReply(echo), from: source, to: destination, data)
        case (.v6(let source), .v6(let destination)):
            let packet = OutgoingPacket(
                source: .v6(source), destination: .v6(destination), transport: .icmpv6, headerByteCount: ICMPv6Message.byteCount,
                payloadByteCount: data.byteCount)
            transmit(packet, data, data.extracting(first: 0)) { (writer) throws(FormatError) in
                try ICMPv6Message.echoReply(echo).write(into: &writer, source: source, destination: destination, followedBy: data)
            }
        case (.v4, .v6), (.v6, .v4): return
        }
    }
}
