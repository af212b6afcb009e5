import Bytes
import IP
import NetFormats
import NetworkLink
import TCP
import Time

extension NetStack {
    func receiveTCP(_ bytes: RawSpan, _ arrival: Arrival) {
        guard arrival.isUnicast else { return drop(arrival.interface, .malformed) }
        var reader = ByteReader(bytes)
        guard let header = try? TCPHeader(parsing: &reader) else { return drop(arrival.interface, .malformed) }
        guard isChecksumRight(bytes, .tcp, arrival) else { return }
        let key = FlowKey(
            local: arrival.destination, remote: arrival.source, localPort: header.destinationPort, remotePort: header.sourcePort)
        let hash = key.hash(self.key)
        if let endpoint = find(key, hash) {
            if isPremature(header, for: endpoint) { return }
            if !endpoint.control.canBeReplaced(by: header) {
                let events = endpoint.control.handle(header, reader.unread, now: now)
                markReady(endpoint)
                return dispatch(events, endpoint)
            }
            // A new connection may follow one in TIME-WAIT at once (RFC 9293 §3.6.1, RFC 6191).
            remove(endpoint)
        }
        let local = SocketAddress(address: arrival.destination, port: header.destinationPort, zone: arrival.zone)
        let remote = SocketAddress(address: arrival.source, port: header.sourcePort, zone: arrival.zone)
        if let listener = tcp.listener(port: local.port, address: local.address) {
            receive(header, reader.unread, for: listener, local: local, remote: remote, arrival)
        } else {
            refuse(header, payloadByteCount: reader.remainingByteCount, local: local, remote: remote, arrival)
        }
    }

    // MARK: Listening, RFC 9293 §3.10.7.2

    /// The end of a handshake finds the backlog full. Left unheard, it comes again with the answer to our next SYN-ACK, as
    /// on Linux; a reset would tell a client that believes itself connected that the server is gone.
    private func isPremature(_ header: TCPHeader, for endpoint: TCPEndpoint) -> Bool {
        guard let listener = endpoint.listener, listener.waitingCount >= listener.backlog else { return false }
        if header.flags.contains(.rst) { return false }
        counts.synDropped += 1
        return true
    }

    private func receive(
        _ header: TCPHeader, _ payload: RawSpan, for listener: TCPListeningEndpoint, local: SocketAddress, remote: SocketAddress,
        _ arrival: Arrival
    ) {
        if header.flags.contains(.rst) { return }
        if header.flags.contains(.ack) {
            return acceptCookie(header, payload, for: listener, local: local, remote: remote, arrival)
        }
        guard header.flags.contains(.syn), !header.flags.contains(.fin) else { return }
        guard listener.waitingCount < listener.backlog else {
            counts.synDropped += 1
            return
        }
        var configuration = listener.configuration
        configuration.maximumSegmentSize = segmentSize(on: arrival.interface, to: remote.address)
        let isFull = tcp.count >= self.configuration.maximumConnectionCount && !dropTimeWait()
        guard !isFull, listener.halfOpenCount < TCPListeningEndpoint.halfOpenLimit else {
            return sendCookie(header, configuration, local: local, remote: remote, arrival)
        }
        let control = TCPControlBlock(
            accepting: header, local: local, remote: remote,
            initialSequenceNumber: sequences.initialSequenceNumber(local: local, remote: remote, now: now),
            timestampOffset: sequences.timestampOffset(local: local, remote: remote), configuration: configuration, now: now)
        let endpoint = insert(control)
        endpoint.listener = listener
        listener.halfOpenCount += 1
        markReady(endpoint)
    }

    /// Answers a SYN without keeping anything of it (RFC 4987 §3.6).
    private func sendCookie(
        _ syn: TCPHeader, _ configuration: TCPControlBlock.Configuration, local: SocketAddress, remote: SocketAddress, _ arrival: Arrival
    ) {
        guard let hop = hop(to: remote.address, zone: remote.zone, source: local.address) else { return }
        let answer = cookies.answer(
            to: syn, local: local, remote: remote, timestampOffset: sequences.timestampOffset(local: local, remote: remote),
            window: 0xffff, windowScale: configuration.receiveScale, maximumSegmentSize: UInt16(clamping: configuration.maximumSegmentSize),
            now: now)
        counts.cookiesSent += 1
        sendSegment(answer, RawSpan(), from: local, to: remote, over: hop)
    }

    private func acceptCookie(
        _ header: TCPHeader, _ payload: RawSpan, for listener: TCPListeningEndpoint, local: SocketAddress, remote: SocketAddress,
        _ arrival: Arrival
    ) {
        guard !header.flags.contains(.syn), let contents = cookies.contents(of: header, local: local, remote: remote, now: now) else {
            return refuse(header, payloadByteCount: payload.byteCount, local: local, remote: remote, arrival)
        }
        guard listener.waitingCount < listener.backlog, tcp.count < configuration.maximumConnectionCount || dropTimeWait() else {
            counts.synDropped += 1
            return
        }
        counts.cookiesAccepted += 1
        var configuration = listener.configuration
        configuration.maximumSegmentSize = segmentSize(on: arrival.interface, to: remote.address)
        let control = TCPControlBlock(
            acceptingCookie: contents, acknowledgment: header, local: local, remote: remote,
            timestampOffset: sequences.timestampOffset(local: local, remote: remote), configuration: configuration, now: now)
        let endpoint = insert(control)
        queue(endpoint, for: listener)
        dispatch(endpoint.control.handle(header, payload, now: now), endpoint)
        markReady(endpoint)
    }

    /// RFC 9293 §3.10.7.1: nobody is there.
    private func refuse(
        _ header: TCPHeader, payloadByteCount: Int, local: SocketAddress, remote: SocketAddress, _ arrival: Arrival
    ) {
        guard remote.port != 0, let reset = TCPHeader.reset(answering: header, payloadByteCount: payloadByteCount) else { return }
        counts.connectionsRefused += 1
        guard resetBucket.take(now: now), let hop = hop(to: remote.address, zone: remote.zone, source: local.address) else { return }
        counts.resetsSent += 1
        sendSegment(reset, RawSpan(), from: local, to: remote, over: hop)
    }

    // MARK: What the network says

    private func endpoint(_ quoted: QuotedPacket, _ transport: QuotedTransportHeader) -> TCPEndpoint? {
        let key = FlowKey(
            local: quoted.source, remote: quoted.destination, localPort: transport.sourcePort, remotePort: transport.destinationPort)
        return find(key, key.hash(self.key))
    }

    func failConnection(_ quoted: QuotedPacket, _ transport: QuotedTransportHeader, _ reason: NetworkUnreachable) {
        guard let endpoint = endpoint(quoted, transport) else { return }
        let error: TCPNetworkError = reason == .refused ? .refused : .unreachable
        dispatch(endpoint.control.handle(error, quoting: transport.sequenceNumber, now: now), endpoint)
        markReady(endpoint)
    }

    /// Whether a quoted segment is one that we may have sent: its sequence number is in flight (RFC 5927 §4.1).
    func isInFlight(_ quoted: QuotedPacket, _ transport: QuotedTransportHeader) -> Bool {
        guard let endpoint = endpoint(quoted, transport) else { return false }
        return endpoint.control.isInFlight(transport.sequenceNumber)
    }

    /// The path to `destination` carries packets of `byteCount` at most.
    func shrinkSegments(_ quoted: QuotedPacket, _ transport: QuotedTransportHeader, byteCount: Int) {
        routeGeneration &+= 1
        guard let endpoint = endpoint(quoted, transport) else { return }
        let headers = (quoted.destination.isIPv6 ? IPv6Header.byteCount : IPv4Header.byteCount) + TCPHeader.byteCount
        let error = TCPNetworkError.tooBig(maximumSegmentSize: byteCount - headers)
        dispatch(endpoint.control.handle(error, quoting: transport.sequenceNumber, now: now), endpoint)
        markReady(endpoint)
    }

    /// An address is gone, and with it its connections.
    func failConnections(from address: IPAddress) {
        for endpoint in tcp.endpoints {
            guard let endpoint, endpoint.local.address == address else { continue }
            endpoint.control.abort()
            dispatch([.failed, .closed], endpoint)
            markReady(endpoint)
        }
    }
}
