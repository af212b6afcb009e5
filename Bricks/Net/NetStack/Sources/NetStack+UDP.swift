import Bytes
import NetFormats
import NetworkLink

extension NetStack {
    /// RFC 6056 §2.1, and what Linux uses.
    static let ephemeralPorts: ClosedRange<UInt16> = 32_768...60_999

    /// Takes a UDP port; 0: a free one. `isShared`: others may have it too.
    public func bindUDP(
        port: UInt16 = 0, address: IPAddress? = nil, family: UDPEndpoint.Family = .both, isShared: Bool = false
    ) throws(UDPFailure) -> UDPEndpoint {
        if let address, owner(of: address) == nil, !address.isMulticast { throw .addressNotAvailable }
        let chosen = try port == 0 ? freeUDPPort() : port
        for other in udp.endpoints[chosen] ?? [] where !isShared {
            let overlaps = other.localAddress == nil || address == nil || other.localAddress == address
            let isSameFamily = other.family == family || other.family == .both || family == .both
            if overlaps && isSameFamily && other.remote == nil { throw .addressInUse }
        }
        let endpoint = UDPEndpoint(localPort: chosen, localAddress: address, family: family)
        udp.endpoints[chosen, default: []].append(endpoint)
        return endpoint
    }

    private func freeUDPPort() throws(UDPFailure) -> UInt16 {
        let count = Self.ephemeralPorts.count
        let start = Int(random() % UInt64(count))
        for step in 0..<count {
            let port = Self.ephemeralPorts.lowerBound + UInt16((start + step) % count)
            if udp.endpoints[port] == nil { return port }
        }
        throw .addressInUse
    }

    public func connect(_ endpoint: UDPEndpoint, to remote: SocketAddress) throws(UDPFailure) {
        guard hop(to: remote.address, zone: remote.zone, source: endpoint.localAddress) != nil else { throw .unreachable }
        endpoint.remote = remote
    }

    /// Takes datagrams from anybody again.
    public func disconnect(_ endpoint: UDPEndpoint) {
        endpoint.remote = nil
        endpoint.failure = nil
    }

    public func close(_ endpoint: UDPEndpoint) {
        endpoint.observer = nil
        udp.endpoints[endpoint.localPort]?.removeAll { $0 === endpoint }
        if udp.endpoints[endpoint.localPort]?.isEmpty == true { udp.endpoints[endpoint.localPort] = nil }
    }

    /// Sends one datagram. `source` is the address it seems to come from, else the route's own.
    public func send(
        _ payload: RawSpan, from endpoint: UDPEndpoint, to destination: SocketAddress, source: IPAddress? = nil, hopLimit: UInt8 = 64
    ) throws(UDPFailure) {
        guard payload.byteCount <= 65_535 - UDPHeader.byteCount - (destination.address.isIPv6 ? 0 : IPv4Header.byteCount) else {
            throw .tooLong
        }
        guard endpoint.family.takes(destination.address),
            let hop = hop(to: destination.address, zone: destination.zone, source: source ?? endpoint.localAddress)
        else {
            counts.noRoute += 1
            throw .unreachable
        }
        var options = PacketOptions(transport: .udp, isDontFragment: false)
        options.hopLimit = destination.address.isMulticast ? min(hopLimit, 255) : hopLimit
        guard sendUDP(payload, endpoint.localPort, destination, options, over: hop) else { throw .busy }
    }

    /// Writes header and payload into one buffer, which every datagram uses again.
    func sendUDP(
        _ payload: RawSpan, _ localPort: UInt16, _ destination: SocketAddress, _ options: PacketOptions, over hop: Hop
    ) -> Bool {
        var header = UDPHeader(sourcePort: localPort, destinationPort: destination.port, payloadByteCount: payload.byteCount)
        var checksum = InternetChecksum.pseudoHeader(
            source: hop.source, destination: destination.address, protocol: .udp, byteCount: UDPHeader.byteCount + payload.byteCount)
        checksum.add(header.sourcePort)
        checksum.add(header.destinationPort)
        checksum.add(UInt16(UDPHeader.byteCount + payload.byteCount))
        checksum.add(payload)
        header.checksum = checksum.valueForUDP
        var bytes = udp.scratch
        udp.scratch = []
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: repeatElement(0, count: UDPHeader.byteCount))
        guard Self.write(&bytes, { writer throws(FormatError) in try header.write(into: &writer) }) else { return false }
        bytes.append(payload)
        let isSent = send(bytes.raw, options, to: destination.address, over: hop)
        if bytes.capacity <= 4096 { udp.scratch = bytes }
        return isSent
    }

    func receiveUDP(_ bytes: RawSpan, _ arrival: Arrival, _ packet: RawSpan) {
        var reader = ByteReader(bytes)
        guard let header = try? UDPHeader(parsing: &reader), let payload = try? reader.read(byteCount: header.payloadByteCount) else {
            return drop(arrival.interface, .malformed)
        }
        if header.checksum == 0 {
            // Left out, which IPv6 forbids (RFC 8200 §8.1).
            guard !arrival.source.isIPv6 || arrival.offload.isChecksumValid else { return drop(arrival.interface, .badChecksums) }
        } else {
            let covered = bytes.extracting(first: UDPHeader.byteCount + header.payloadByteCount)
            guard isChecksumRight(covered, .udp, arrival) else { return }
        }
        let source = SocketAddress(address: arrival.source, port: header.sourcePort, zone: arrival.zone)
        let origin = DatagramOrigin(source: source, destination: arrival.destination, interface: arrival.interface.index)
        if takeConfiguration(payload, header, origin, on: arrival.interface) { return }
        guard let endpoint = udp.find(localPort: header.destinationPort, local: arrival.destination, remote: source) else {
            counts.datagramsDropped += 1
            guard arrival.isUnicast else { return }
            return arrival.source.isIPv6
                ? sendError(.destinationUnreachable(.port) as ICMPv6Message, about: packet, arrival)
                : sendError(.destinationUnreachable(.port) as ICMPv4Message, about: packet, arrival)
        }
        let isTaken = endpoint.queue.append(
            payload, from: origin, byteLimit: UDPEndpoint.queuedByteLimit, countLimit: UDPEndpoint.queuedCountLimit)
        if isTaken {
            endpoint.observer?.endpointChanged()
        } else {
            endpoint.dropped += 1
            counts.datagramsDropped += 1
        }
    }

    /// Only a connected endpoint can know whom an error concerns (RFC 1122 §4.1.3.3).
    func failDatagrams(_ quoted: QuotedPacket, _ transport: QuotedTransportHeader, _ reason: NetworkUnreachable) {
        let remote = SocketAddress(address: quoted.destination, port: transport.destinationPort)
        guard let endpoint = udp.find(localPort: transport.sourcePort, local: quoted.source, remote: remote), endpoint.remote != nil else {
            return
        }
        endpoint.failure = reason == .refused ? .refused : .unreachable
        endpoint.observer?.endpointChanged()
    }
}
