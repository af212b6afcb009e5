import Bytes
import Neighbors
import NetFormats
import NetworkLink

extension NetStack {
    // MARK: ARP, RFC 826

    func receiveARP(_ reader: inout ByteReader, from interface: NetworkInterface) {
        guard !interface.isLoopback, let packet = try? ARPPacket(parsing: &reader), !packet.senderHardware.isMulticast,
            !packet.sender.isMulticast, !packet.sender.isBroadcast
        else { return drop(interface, .malformed) }
        let sender = IPAddress.v4(packet.sender)
        let isForUs = interface.owns(.v4(packet.target))
        // Somebody else claims our address: defend it (RFC 5227 §2.4).
        if interface.owns(sender) {
            if packet.senderHardware != interface.macAddress { announce(packet.sender, on: interface) }
            return
        }
        if !packet.sender.isUnspecified {
            let packets =
                switch packet.operation {
                case .request: interface.neighbors.learn(sender, packet.senderHardware, wanted: isForUs, now: now)
                case .reply where isForUs: interface.neighbors.confirm(sender, packet.senderHardware, now: now)
                case .reply: interface.neighbors.learn(sender, packet.senderHardware, wanted: false, now: now)
                }
            send(packets, to: packet.senderHardware, on: interface)
            noteDeadline(interface.neighbors.nextDeadline)
        }
        if isForUs, packet.operation == .request {
            let reply = ARPPacket(
                operation: .reply, senderHardware: interface.macAddress, sender: packet.target, targetHardware: packet.senderHardware,
                target: packet.sender)
            send(reply, to: packet.senderHardware, on: interface)
        }
    }

    private func send(_ packet: ARPPacket, to destination: MACAddress, on interface: NetworkInterface) {
        var frame = HeaderBuffer()
        let isWritten = frame.append { writer throws(FormatError) in
            try EthernetHeader(destination: destination, source: interface.macAddress, type: .arp).write(into: &writer)
            try packet.write(into: &writer)
        }
        if isWritten { _ = put(frame.bytes, RawSpan(), RawSpan(), .none, on: interface) }
    }

    /// Tells everybody where `address` is (RFC 5227 §2.3).
    func announce(_ address: IPv4Address, on interface: NetworkInterface) {
        guard !interface.isLoopback else { return }
        let packet = ARPPacket(
            operation: .request, senderHardware: interface.macAddress, sender: address, targetHardware: MACAddress(rawValue: 0),
            target: address)
        send(packet, to: .broadcast, on: interface)
    }

    // MARK: Neighbor discovery, RFC 4861 §7.2

    func handle(_ message: NeighborSolicitation, _ arrival: Arrival) {
        let interface = arrival.interface
        let target = IPAddress.v6(message.target)
        guard let index = interface.addresses.firstIndex(where: { $0.address == target }) else { return }
        let isOptimistic = interface.addresses[index].isOptimistic
        // Somebody else tries the same address (RFC 4862 §5.4.3).
        if isOptimistic && arrival.source.isUnspecified { return loseAddress(at: index, of: interface) }
        if let link = message.sourceLinkLayer, !arrival.source.isUnspecified {
            send(interface.neighbors.learn(arrival.source, link, wanted: true, now: now), to: link, on: interface)
            noteDeadline(interface.neighbors.nextDeadline)
        }
        var answer = NeighborAdvertisement(target: message.target, targetLinkLayer: interface.macAddress)
        answer.isOverride = !isOptimistic
        answer.isSolicited = !arrival.source.isUnspecified
        let destination = arrival.source.isUnspecified ? IPAddress.v6(.allNodes) : arrival.source
        let hop = Hop(interface: interface, nextHop: destination, source: target)
        send(.neighborAdvertisement(answer), RawSpan(), to: destination, over: hop, hopLimit: 255)
    }

    func handle(_ message: NeighborAdvertisement, _ arrival: Arrival) {
        let interface = arrival.interface
        let target = IPAddress.v6(message.target)
        if let index = interface.addresses.firstIndex(where: { $0.address == target }) {
            if interface.addresses[index].isOptimistic { loseAddress(at: index, of: interface) }
            return
        }
        let packets: [NeighborCache.QueuedPacket]
        if message.isSolicited {
            packets = interface.neighbors.confirm(target, message.targetLinkLayer, isOverride: message.isOverride, now: now)
        } else if let link = message.targetLinkLayer, message.isOverride {
            packets = interface.neighbors.learn(target, link, wanted: false, now: now)
        } else {
            return
        }
        noteDeadline(interface.neighbors.nextDeadline)
        guard !packets.isEmpty, let link = interface.neighbors.lookup(target, now: now) else { return }
        send(packets, to: link, on: interface)
    }

    // MARK: Both

    /// Asks all of the link who has `address`.
    func solicit(_ address: IPAddress, on interface: NetworkInterface) {
        switch address {
        case .v4(let target):
            guard case .v4(let source)? = interface.source(for: address) else { return }
            let packet = ARPPacket(
                operation: .request, senderHardware: interface.macAddress, sender: source, targetHardware: MACAddress(rawValue: 0),
                target: target)
            send(packet, to: .broadcast, on: interface)
        case .v6(let target): solicit(target, at: .v6(target.solicitedNodeMulticast), on: interface)
        }
    }

    private func solicit(_ target: IPv6Address, at destination: IPAddress, on interface: NetworkInterface) {
        guard let source = interface.source(for: .v6(target)) else { return }
        let message = NeighborSolicitation(target: target, sourceLinkLayer: interface.macAddress)
        let hop = Hop(interface: interface, nextHop: destination, source: source)
        send(.neighborSolicitation(message), RawSpan(), to: destination, over: hop, hopLimit: 255)
    }

    private func probe(_ address: IPAddress, at link: MACAddress, on interface: NetworkInterface) {
        switch address {
        case .v4(let target):
            guard case .v4(let source)? = interface.source(for: address) else { return }
            let packet = ARPPacket(
                operation: .request, senderHardware: interface.macAddress, sender: source, targetHardware: link, target: target)
            send(packet, to: link, on: interface)
        case .v6(let target): solicit(target, at: address, on: interface)
        }
    }

    func maintainNeighbors() {
        for interface in interfaces {
            var actions: [NeighborCache.Action] = []
            interface.neighbors.tick(now: now) { actions.append($0) }
            for action in actions {
                switch action {
                case .solicit(let address): solicit(address, on: interface)
                case .probe(let address, let link): probe(address, at: link, on: interface)
                case .unreachable(let address, let packets): giveUp(packets, at: address)
                }
            }
            noteDeadline(interface.neighbors.nextDeadline)
        }
    }

    /// Nobody has the next hop's address: whoever sent the packets learns it at once (RFC 1122 §3.3.3, Linux's EHOSTUNREACH).
    private func giveUp(_ packets: [NeighborCache.QueuedPacket], at address: IPAddress) {
        for packet in packets {
            var reader = ByteReader(packet.bytes.raw)
            let quoted = packet.isIPv6 ? try? QuotedPacket(parsingIPv6: &reader) : try? QuotedPacket(parsingIPv4: &reader)
            guard let quoted, let transport = quoted.transport else { continue }
            if quoted.protocol == .tcp {
                failConnection(quoted, transport, .unreachable)
            } else if quoted.protocol == .udp {
                failDatagrams(quoted, transport, .unreachable)
            }
        }
    }
}
