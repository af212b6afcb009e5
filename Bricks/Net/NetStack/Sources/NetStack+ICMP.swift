import Bytes
import IP
import NetFormats

extension NetStack {
    /// The most of a packet that an error quotes: the whole stays below the least MTU (RFC 1812 §4.3.2.3, RFC 4443 §2.4 c).
    private static let quotedByteCountIPv4 = 548
    private static let quotedByteCountIPv6 = 1232

    // MARK: In

    func receiveICMPv4(_ bytes: RawSpan, _ arrival: Arrival) {
        var reader = ByteReader(bytes)
        guard let message = try? ICMPv4Message(parsing: &reader) else { return drop(arrival.interface, .malformed) }
        switch message {
        case .echoRequest(let echo):
            // To a group or to everybody there is no answer (RFC 1122 §3.2.2.6).
            guard arrival.isUnicast else { return }
            reply(ICMPv4Message.echoReply(echo), reader.unread, arrival)
        case .destinationUnreachable(let reason):
            guard let quoted = try? QuotedPacket(parsingIPv4: &reader) else { return drop(arrival.interface, .malformed) }
            switch reason {
            case .fragmentationNeeded(let mtu): learnPathMTU(quoted, byteCount: Int(mtu))
            case .port, .protocol: fail(quoted, .refused)
            case .network, .host, .prohibited, .other: fail(quoted, .unreachable)
            }
        case .timeExceeded:
            guard let quoted = try? QuotedPacket(parsingIPv4: &reader) else { return drop(arrival.interface, .malformed) }
            fail(quoted, .unreachable)
        case .echoReply, .parameterProblem, .other: break
        }
    }

    func receiveICMPv6(_ bytes: RawSpan, _ header: IPv6Header, _ arrival: Arrival) {
        var reader = ByteReader(bytes)
        guard let message = try? ICMPv6Message(parsing: &reader, of: header) else { return drop(arrival.interface, .malformed) }
        switch message {
        case .neighborSolicitation(let message): return handle(message, arrival)
        case .neighborAdvertisement(let message): return handle(message, arrival)
        case .routerAdvertisement(let message): return handle(message, from: header.source, arrival)
        case .listenerQuery: return reportGroups(on: arrival.interface)
        case .echoRequest(let echo):
            guard !header.source.isUnspecified, arrival.interface.owns(arrival.destination) || header.destination.isMulticast else {
                return
            }
            reply(ICMPv6Message.echoReply(echo), reader.unread, arrival)
        case .destinationUnreachable(let reason):
            guard let quoted = try? QuotedPacket(parsingIPv6: &reader) else { return drop(arrival.interface, .malformed) }
            switch reason {
            case .port: fail(quoted, .refused)
            case .noRoute, .prohibited, .address, .other: fail(quoted, .unreachable)
            }
        case .packetTooBig(let mtu):
            guard let quoted = try? QuotedPacket(parsingIPv6: &reader) else { return drop(arrival.interface, .malformed) }
            learnPathMTU(quoted, byteCount: Int(mtu))
        case .timeExceeded, .parameterProblem:
            guard let quoted = try? QuotedPacket(parsingIPv6: &reader) else { return drop(arrival.interface, .malformed) }
            fail(quoted, .unreachable)
        case .echoReply, .routerSolicitation, .listenerReport, .other: break
        }
    }

    /// Only what a socket of ours can have sent is believed (RFC 5927 §4).
    private func fail(_ quoted: QuotedPacket, _ reason: NetworkUnreachable) {
        guard let transport = quoted.transport else { return }
        if quoted.protocol == .tcp {
            failConnection(quoted, transport, reason)
        } else if quoted.protocol == .udp {
            failDatagrams(quoted, transport, reason)
        }
    }

    private func learnPathMTU(_ quoted: QuotedPacket, byteCount: Int) {
        guard let transport = quoted.transport, owner(of: quoted.source) != nil else { return }
        // A router that does not tell: 1,280 is a size that nearly every path takes (RFC 1191 §5).
        let told = byteCount == 0 ? 1280 : byteCount
        if quoted.protocol == .tcp {
            guard isInFlight(quoted, transport) else { return }
        } else if quoted.protocol == .udp {
            guard udp.isUsed(localPort: transport.sourcePort) else { return }
        } else {
            return
        }
        let believed = pathMTUs.learn(quoted.destination, byteCount: told, now: now)
        if quoted.protocol == .tcp { shrinkSegments(quoted, transport, byteCount: believed) }
    }

    // MARK: Out

    /// The answer comes from the address that was asked, or from the interface's own if that was a group.
    private func reply(_ message: ICMPv4Message, _ data: RawSpan, _ arrival: Arrival) {
        guard let hop = hop(to: arrival.source, zone: arrival.zone, source: arrival.destination) else { return }
        var bytes = [UInt8](repeating: 0, count: ICMPv4Message.byteCount)
        guard Self.write(&bytes, { writer throws(FormatError) in try message.write(into: &writer, followedBy: data) }) else { return }
        bytes.append(data)
        send(bytes.raw, PacketOptions(transport: .icmp, isDontFragment: false), to: arrival.source, over: hop)
    }

    private func reply(_ message: ICMPv6Message, _ data: RawSpan, _ arrival: Arrival) {
        let source = arrival.destination.isMulticast ? arrival.interface.source(for: arrival.source) : arrival.destination
        guard let source, let hop = hop(to: arrival.source, zone: arrival.zone, source: source) else { return }
        send(message, data, to: arrival.source, over: hop)
    }

    /// Sends an ICMPv6 message from the hop's source.
    func send(_ message: ICMPv6Message, _ data: RawSpan, to destination: IPAddress, over hop: Hop, hopLimit: UInt8 = 64) {
        guard case .v6(let source) = hop.source, case .v6(let target) = destination else { return }
        var bytes = [UInt8](repeating: 0, count: message.byteCount)
        let isWritten = Self.write(&bytes) { writer throws(FormatError) in
            try message.write(into: &writer, source: source, destination: target, followedBy: data)
        }
        guard isWritten else { return }
        bytes.append(data)
        send(bytes.raw, PacketOptions(transport: .icmpv6, hopLimit: hopLimit), to: destination, over: hop)
    }

    /// Tells the sender of `packet` why it was not taken, unless that could start a storm.
    func sendError(_ message: ICMPv4Message, about packet: RawSpan, _ arrival: Arrival) {
        guard arrival.isUnicast, errorBucket.take(now: now) else { return }
        reply(message, packet.extracting(first: Self.quotedByteCountIPv4), arrival)
    }

    func sendError(_ message: ICMPv6Message, about packet: RawSpan, _ arrival: Arrival) {
        guard !arrival.source.isMulticast, !arrival.source.isUnspecified, errorBucket.take(now: now) else { return }
        reply(message, packet.extracting(first: Self.quotedByteCountIPv6), arrival)
    }

    static func write(_ bytes: inout [UInt8], _ body: (inout ByteWriter) throws(FormatError) -> Void) -> Bool {
        var span = bytes.mutableSpan
        var writer = ByteWriter(&span)
        do throws(FormatError) {
            try body(&writer)
            return true
        } catch {
            return false
        }
    }
}

/// Why a packet of ours did not arrive.
enum NetworkUnreachable {
    /// The host is there, but nobody at that port.
    case refused
    case unreachable
}
