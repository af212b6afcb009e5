import Bytes
import DHCPFormat
import IP
import NetFormats
import TCP
import VirtioFormat

extension UserNetwork {
    /// A frame from the instance: hostile until shown otherwise.
    func handle(_ frame: RawSpan, _ offload: VirtioNetHeader) {
        var reader = ByteReader(frame)
        guard let ethernet = try? EthernetHeader(parsing: &reader), !ethernet.source.isMulticast else { return }
        guard ethernet.destination == UserNetworkLayout.gatewayHardware || ethernet.destination.isMulticast else { return }
        if instanceHardware != ethernet.source { instanceHardware = ethernet.source }
        let isVerified = offload.needsChecksum || offload.isChecksumValid
        switch ethernet.type {
        case .arp: handleARP(&reader)
        case .ipv4: handleIPv4(&reader, isVerified: isVerified)
        case .ipv6: handleIPv6(&reader, isVerified: isVerified)
        default: return
        }
    }

    private func handleIPv4(_ reader: inout ByteReader, isVerified: Bool) {
        guard let header = try? IPv4Header(parsing: &reader), let payload = try? reader.read(byteCount: header.payloadByteCount) else {
            return
        }
        learn(header.source)
        guard header.isFragment else {
            return handle(.v4(header.source), .v4(header.destination), header.protocol, payload, isVerified: isVerified)
        }
        let key = Reassembler.Key(
            source: .v4(header.source), destination: .v4(header.destination), identification: UInt32(header.identification),
            transport: header.protocol.rawValue)
        let outcome = reassembler.insert(
            payload, at: header.fragmentOffset, isLast: !header.hasMoreFragments, transport: header.protocol.rawValue, of: key, now: now)
        if case .complete(let bytes, let transport) = outcome {
            let whole = ByteReader(bytes.span).unread
            handle(.v4(header.source), .v4(header.destination), IPProtocol(rawValue: transport), whole, isVerified: false)
        }
    }

    private func handleIPv6(_ reader: inout ByteReader, isVerified: Bool) {
        guard let header = try? IPv6Header(parsing: &reader), let payload = try? reader.read(byteCount: header.payloadByteCount) else {
            return
        }
        learn(header.source)
        var rest = ByteReader(payload)
        guard let upper = try? IPv6UpperLayer(parsing: &rest, of: header) else { return }
        if upper.protocol == .icmpv6, upper.fragment == nil { return handleICMPv6(&rest, header) }
        guard let fragment = upper.fragment else {
            return handle(.v6(header.source), .v6(header.destination), upper.protocol, rest.unread, isVerified: isVerified)
        }
        let key = Reassembler.Key(
            source: .v6(header.source), destination: .v6(header.destination), identification: fragment.identification, transport: 0)
        let outcome = reassembler.insert(
            rest.unread, at: fragment.offset, isLast: !fragment.hasMoreFragments, transport: fragment.nextHeader.rawValue, of: key, now: now
        )
        guard case .complete(let bytes, let transport) = outcome else { return }
        if IPProtocol(rawValue: transport) == .icmpv6 {
            var whole = ByteReader(bytes.span)
            return handleICMPv6(&whole, header)
        }
        let whole = ByteReader(bytes.span).unread
        handle(.v6(header.source), .v6(header.destination), IPProtocol(rawValue: transport), whole, isVerified: false)
    }

    private func handle(
        _ source: IPAddress, _ destination: IPAddress, _ transport: IPProtocol, _ payload: RawSpan, isVerified: Bool
    ) {
        switch transport {
        case .tcp:
            guard isVerified || isIntact(payload, source, destination, .tcp) else { return }
            handleTCP(source, destination, payload)
        case .udp:
            var reader = ByteReader(payload)
            guard let header = try? UDPHeader(parsing: &reader) else { return }
            let hasNone = header.checksum == 0 && !source.isIPv6
            let length = UDPHeader.byteCount + header.payloadByteCount
            guard isVerified || hasNone || isIntact(payload.extracting(first: length), source, destination, .udp) else { return }
            handleUDP(source, destination, header, reader.unread.extracting(first: header.payloadByteCount))
        case .icmp:
            var reader = ByteReader(payload)
            handleICMPv4(&reader, source, destination)
        default: return
        }
    }

    private func isIntact(_ payload: RawSpan, _ source: IPAddress, _ destination: IPAddress, _ transport: IPProtocol) -> Bool {
        var checksum = InternetChecksum.pseudoHeader(
            source: source, destination: destination, protocol: transport, byteCount: payload.byteCount)
        checksum.add(payload)
        return checksum.value == 0
    }

    /// An address of the instance, as it uses it.
    private func learn(_ source: IPv4Address) {
        guard instanceIPv4 != source, UserNetworkLayout.prefix.contains(source), source != UserNetworkLayout.gateway else { return }
        // The one that everybody expects stays.
        if instanceIPv4 == nil || source == UserNetworkLayout.instance { instanceIPv4 = source }
        acceptWaiting()
    }

    private func learn(_ source: IPv6Address) {
        guard instanceIPv6 == nil, UserNetworkLayout.prefix6.contains(source), source != UserNetworkLayout.gateway6 else { return }
        instanceIPv6 = source
    }

    /// The host's address behind one that the instance knows; nil: there is none that it may reach.
    func hostAddress(_ remote: SocketAddress) -> SocketAddress? {
        switch configuration.reach {
        case .everywhere: return translated(remote)
        case .host: return translated(remote).flatMap { $0.address.isLoopback && !isNameServer(remote.address) ? $0 : nil }
        case .nobody: return nil
        }
    }

    private func translated(_ remote: SocketAddress) -> SocketAddress? {
        switch remote.address {
        case .v4(let address):
            if address == UserNetworkLayout.gateway { return SocketAddress(IPv4Address.loopback, port: remote.port) }
            if address == UserNetworkLayout.nameServer { return nameServer(remote.port) }
            let isForeign = !UserNetworkLayout.prefix.contains(address) && !address.isLoopback && !address.isMulticast
            return isForeign && address.rawValue >> 24 != 0 && !address.isReserved && !address.isBroadcast ? remote : nil
        case .v6(let address):
            if address == UserNetworkLayout.gateway6 || address == UserNetworkLayout.router6 {
                return SocketAddress(IPv6Address.loopback, port: remote.port)
            }
            if address == UserNetworkLayout.nameServer6 { return nameServer(remote.port) }
            let isForeign = !UserNetworkLayout.prefix6.contains(address) && !address.isLoopback && !address.isMulticast
            return isForeign && !address.isUnspecified && !address.isLinkLocal && address.mappedIPv4 == nil ? remote : nil
        }
    }

    private func nameServer(_ port: UInt16) -> SocketAddress? {
        port == 53 && !nameServers.isEmpty ? nameServers[nameServerIndex % nameServers.count] : nil
    }
}
