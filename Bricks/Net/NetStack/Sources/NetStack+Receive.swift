import Bytes
import IP
import NetFormats
import NetworkLink

/// What the layers below transport know of a packet that arrived.
struct Arrival {
    var source: IPAddress
    var destination: IPAddress
    var interface: NetworkInterface
    var offload: ReceiveOffload
    var hopLimit: UInt8
    /// Sent to this host alone, below and above: only then may an error answer it (RFC 1122 §3.2.2, RFC 4443 §2.4 e).
    var isUnicast: Bool

    /// The zone of a link-local source.
    var zone: UInt32 { source.isIPv6 && source.isLinkLocal ? interface.index : 0 }
}

/// Why a packet goes no further.
enum DropReason {
    case malformed
    case badChecksums
    case notForUs
    case unknownProtocols
}

extension NetStack {
    /// Takes in one Ethernet frame. Whatever its bytes, it is handled or counted as dropped.
    public func receive(_ frame: RawSpan, _ offload: ReceiveOffload, from interface: NetworkInterface) {
        interface.counts.received += 1
        interface.counts.receivedBytes += frame.byteCount
        var reader = ByteReader(frame)
        guard let header = try? EthernetHeader(parsing: &reader) else { return drop(interface, .malformed) }
        let isForUs = header.destination == interface.macAddress || header.destination.isMulticast
        guard isForUs else { return drop(interface, .notForUs) }
        switch header.type {
        case .ipv4: receiveIPv4(&reader, offload, isLinkUnicast: !header.destination.isMulticast, from: interface)
        case .ipv6: receiveIPv6(&reader, offload, isLinkUnicast: !header.destination.isMulticast, from: interface)
        case .arp: receiveARP(&reader, from: interface)
        default: drop(interface, .unknownProtocols)
        }
    }

    func drop(_ interface: NetworkInterface, _ reason: DropReason) {
        interface.counts.dropped += 1
        switch reason {
        case .malformed: counts.malformed += 1
        case .badChecksums: counts.badChecksums += 1
        case .notForUs: counts.notForUs += 1
        case .unknownProtocols: counts.unknownProtocols += 1
        }
    }

    // MARK: IPv4

    private func receiveIPv4(
        _ reader: inout ByteReader, _ offload: ReceiveOffload, isLinkUnicast: Bool, from interface: NetworkInterface
    ) {
        let packet = reader.unread
        guard let header = try? IPv4Header(parsing: &reader), let payload = try? reader.read(byteCount: header.payloadByteCount) else {
            return drop(interface, .malformed)
        }
        counts.packetsReceived += 1
        // RFC 1122 §3.2.1.3: no host is a group, or everybody; nor comes the loopback over a wire.
        guard !header.source.isMulticast, !header.source.isBroadcast,
            interface.isLoopback || !(header.source.isLoopback || header.destination.isLoopback)
        else { return drop(interface, .malformed) }
        let destination = IPAddress.v4(header.destination)
        let isOwn = interface.owns(destination) || (header.destination.isLoopback && interface.isLoopback) || isOwnElsewhere(destination)
        let isBroadcast = header.destination.isBroadcast || isDirectedBroadcast(header.destination, on: interface)
        guard isOwn || isBroadcast || interface.isMember(of: destination) || isConfiguring(interface, destination) else {
            return drop(interface, .notForUs)
        }
        let arrival = Arrival(
            source: .v4(header.source), destination: destination, interface: interface, offload: offload, hopLimit: header.timeToLive,
            isUnicast: isOwn && isLinkUnicast && !header.source.isUnspecified)
        guard header.isFragment else { return deliver(payload, header.protocol, arrival, packet) }
        let key = Reassembler.Key(
            source: arrival.source, destination: destination, identification: UInt32(header.identification),
            transport: header.protocol.rawValue)
        reassemble(
            payload, at: header.fragmentOffset, isLast: !header.hasMoreFragments, transport: header.protocol, key, arrival, packet)
    }

    /// A weak host: a packet for an address of another interface is ours as well (RFC 1122 §3.3.4.2), but for the loopback's.
    private func isOwnElsewhere(_ destination: IPAddress) -> Bool {
        for interface in interfaces where interface.owns(destination) { return !destination.isLoopback || interface.isLoopback }
        return false
    }

    // MARK: IPv6

    private func receiveIPv6(
        _ reader: inout ByteReader, _ offload: ReceiveOffload, isLinkUnicast: Bool, from interface: NetworkInterface
    ) {
        let packet = reader.unread
        guard let header = try? IPv6Header(parsing: &reader), let payload = try? reader.read(byteCount: header.payloadByteCount) else {
            return drop(interface, .malformed)
        }
        counts.packetsReceived += 1
        guard !header.source.isMulticast, interface.isLoopback || !(header.source.isLoopback || header.destination.isLoopback) else {
            return drop(interface, .malformed)
        }
        let destination = IPAddress.v6(header.destination)
        let isOwn = interface.owns(destination) || isOwnElsewhere(destination)
        guard isOwn || interface.isMember(of: destination) else { return drop(interface, .notForUs) }
        let arrival = Arrival(
            source: .v6(header.source), destination: destination, interface: interface, offload: offload, hopLimit: header.hopLimit,
            isUnicast: isOwn && isLinkUnicast && !header.source.isUnspecified)
        var upperReader = ByteReader(payload)
        let upper: IPv6UpperLayer
        do throws(IPv6HeaderProblem) {
            upper = try IPv6UpperLayer(parsing: &upperReader, of: header)
        } catch {
            return refuse(error, arrival, packet)
        }
        if let fragment = upper.fragment {
            let key = Reassembler.Key(
                source: arrival.source, destination: destination, identification: fragment.identification, transport: 0)
            reassemble(
                upperReader.unread, at: fragment.offset, isLast: !fragment.hasMoreFragments, transport: fragment.nextHeader, key, arrival,
                packet)
        } else if upper.protocol == .icmpv6 {
            receiveICMPv6(upperReader.unread, header, arrival)
        } else {
            deliver(upperReader.unread, upper.protocol, arrival, packet, nextHeaderOffset: upper.nextHeaderOffset)
        }
    }

    private func refuse(_ problem: IPv6HeaderProblem, _ arrival: Arrival, _ packet: RawSpan) {
        switch problem {
        case .discard: drop(arrival.interface, .malformed)
        case .parameter(let code, let pointer, let isGroupAnswered):
            drop(arrival.interface, .malformed)
            guard arrival.isUnicast || isGroupAnswered else { return }
            sendError(.parameterProblem(code: code, pointer: UInt32(pointer)), about: packet, arrival)
        }
    }

    // MARK: Both

    private func reassemble(
        _ payload: RawSpan, at offset: Int, isLast: Bool, transport: IPProtocol, _ key: Reassembler.Key, _ arrival: Arrival,
        _ packet: RawSpan
    ) {
        switch reassembler.insert(payload, at: offset, isLast: isLast, transport: transport.rawValue, of: key, now: now) {
        case .incomplete: noteDeadline(reassembler.nextDeadline)
        case .refused: drop(arrival.interface, .malformed)
        case .complete(let bytes, let transport):
            var whole = arrival
            whole.offload = .none
            deliverReassembled(bytes.raw, IPProtocol(rawValue: transport), whole, packet)
        }
    }

    private func deliverReassembled(_ payload: RawSpan, _ transport: IPProtocol, _ arrival: Arrival, _ packet: RawSpan) {
        guard transport == .icmpv6, case .v6(let source) = arrival.source, case .v6(let destination) = arrival.destination else {
            return deliver(payload, transport, arrival, packet)
        }
        // Neighbor discovery never comes in fragments (RFC 6980 §5): the hop limit that it needs is taken away.
        var header = IPv6Header(source: source, destination: destination, nextHeader: .icmpv6, payloadByteCount: payload.byteCount)
        header.hopLimit = min(arrival.hopLimit, 254)
        receiveICMPv6(payload, header, arrival)
    }

    private func deliver(
        _ payload: RawSpan, _ transport: IPProtocol, _ arrival: Arrival, _ packet: RawSpan, nextHeaderOffset: Int = 6
    ) {
        switch transport {
        case .tcp: receiveTCP(payload, arrival)
        case .udp: receiveUDP(payload, arrival, packet)
        case .icmp where !arrival.source.isIPv6: receiveICMPv4(payload, arrival)
        case .noNextHeader where arrival.source.isIPv6: break
        default:
            drop(arrival.interface, .unknownProtocols)
            guard arrival.isUnicast else { return }
            if arrival.source.isIPv6 {
                sendError(.parameterProblem(code: 1, pointer: UInt32(nextHeaderOffset)), about: packet, arrival)
            } else {
                sendError(.destinationUnreachable(.protocol), about: packet, arrival)
            }
        }
    }

    /// The checksum of TCP and UDP, unless the link vouches for it.
    func isChecksumRight(_ payload: RawSpan, _ transport: IPProtocol, _ arrival: Arrival) -> Bool {
        if arrival.offload.isChecksumValid { return true }
        var checksum = InternetChecksum.pseudoHeader(
            source: arrival.source, destination: arrival.destination, protocol: transport, byteCount: payload.byteCount)
        checksum.add(payload)
        guard checksum.value == 0 else {
            drop(arrival.interface, .badChecksums)
            return false
        }
        return true
    }

    func maintainReassembly() {
        reassembler.tick(now: now)
        noteDeadline(reassembler.nextDeadline)
    }
}
