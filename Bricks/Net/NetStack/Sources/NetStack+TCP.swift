import Bytes
import Containers
import IP
import Neighbors
import NetFormats
import NetworkLink
import TCP
import Time

extension NetStack {
    // MARK: Open and close

    /// Takes connections to `port`; 0: a free one. `address` nil: to any address of the host. `isShared`: others may listen there too.
    public func listenTCP(
        port: UInt16, address: IPAddress? = nil, family: UDPEndpoint.Family = .both, backlog: Int = 1024, isShared: Bool = false
    ) throws(TCPOpenFailure) -> TCPListeningEndpoint {
        if let address, owner(of: address) == nil { throw .addressNotAvailable }
        let chosen = try port == 0 ? freeListeningPort() : port
        let local = SocketAddress(address: address ?? .v6(.unspecified), port: chosen)
        for other in tcp.listeners[chosen] ?? [] where other.local.address == local.address && !isShared {
            if other.family == family || other.family == .both || family == .both { throw .addressInUse }
        }
        let listener = TCPListeningEndpoint(local: local, family: family, backlog: backlog, configuration: configuration.tcp)
        tcp.listeners[chosen, default: []].append(listener)
        return listener
    }

    private func freeListeningPort() throws(TCPOpenFailure) -> UInt16 {
        for _ in 0..<Self.ephemeralPorts.count {
            let port = Self.ephemeralPorts.lowerBound + UInt16(random() % UInt64(Self.ephemeralPorts.count))
            if tcp.listeners[port] == nil { return port }
        }
        throw .addressInUse
    }

    /// Takes no more connections; those that nobody accepted are reset.
    public func close(_ listener: TCPListeningEndpoint) {
        listener.observer = nil
        tcp.listeners[listener.local.port]?.removeAll { $0 === listener }
        if tcp.listeners[listener.local.port]?.isEmpty == true { tcp.listeners[listener.local.port] = nil }
        while let endpoint = listener.accept() { endpoint.abort() }
        for endpoint in tcp.endpoints {
            guard let endpoint, endpoint.listener === listener else { continue }
            endpoint.listener = nil
            endpoint.abort()
        }
    }

    /// Begins a connection, from a port of its own choice if `localPort` is 0. The outcome is an event: `established`, or `failed`.
    public func connectTCP(
        to remote: SocketAddress, from localAddress: IPAddress? = nil, localPort: UInt16 = 0,
        configuration: TCPControlBlock.Configuration? = nil
    ) throws(TCPOpenFailure) -> TCPEndpoint {
        if let localAddress, owner(of: localAddress) == nil { throw .addressNotAvailable }
        guard remote.port != 0, !remote.address.isMulticast,
            let hop = hop(to: remote.address, zone: remote.zone, source: localAddress)
        else {
            counts.noRoute += 1
            throw .unreachable
        }
        guard tcp.count < self.configuration.maximumConnectionCount || dropTimeWait() else { throw .tooManyConnections }
        let local = SocketAddress(address: hop.source, port: try port(localPort, for: remote, from: hop.source), zone: remote.zone)
        var configuration = configuration ?? self.configuration.tcp
        configuration.maximumSegmentSize = segmentSize(on: hop.interface, to: remote.address)
        let control = TCPControlBlock(
            connectingFrom: local, to: remote,
            initialSequenceNumber: sequences.initialSequenceNumber(local: local, remote: remote, now: now),
            timestampOffset: sequences.timestampOffset(local: local, remote: remote), configuration: configuration, now: now)
        let endpoint = insert(control)
        markReady(endpoint)
        return endpoint
    }

    private func port(_ wanted: UInt16, for remote: SocketAddress, from local: IPAddress) throws(TCPOpenFailure) -> UInt16 {
        if wanted == 0 { return try freePort(for: remote, from: local) }
        let key = FlowKey(local: local, remote: remote.address, localPort: wanted, remotePort: remote.port)
        if let other = find(key, key.hash(self.key)) {
            guard other.control.isTimeWait else { throw .addressInUse }
            remove(other)
        }
        return wanted
    }

    /// RFC 6056 §3.3.3: begins at a place that depends on the peer, so that nobody else can foretell it.
    private func freePort(for remote: SocketAddress, from local: IPAddress) throws(TCPOpenFailure) -> UInt16 {
        let count = Self.ephemeralPorts.count
        let start = Int(random() % UInt64(count))
        for step in 0..<count {
            let port = Self.ephemeralPorts.lowerBound + UInt16((start + step) % count)
            if tcp.listeners[port] != nil { continue }
            let key = FlowKey(local: local, remote: remote.address, localPort: port, remotePort: remote.port)
            if find(key, key.hash(self.key)) == nil { return port }
        }
        throw .addressInUse
    }

    // MARK: The table

    func find(_ key: FlowKey, _ hash: UInt32) -> TCPEndpoint? {
        let slot = tcp.flows.find(hash) { slot in tcp.endpoints[slot]?.key == key }
        return slot.flatMap { tcp.endpoints[$0] }
    }

    func insert(_ control: TCPControlBlock) -> TCPEndpoint {
        let slot: Int
        if let free = tcp.free.popLast() {
            slot = Int(free)
        } else {
            slot = tcp.endpoints.count
            tcp.endpoints.append(nil)
        }
        let key = FlowKey(
            local: control.local.address, remote: control.remote.address, localPort: control.local.port, remotePort: control.remote.port)
        let hash = key.hash(self.key)
        let endpoint = TCPEndpoint(control, stack: self, slot: slot, hash: hash)
        tcp.endpoints[slot] = endpoint
        tcp.flows.insert(hash, slot: slot)
        tcp.count += 1
        setBufferLimit()
        schedule(endpoint)
        return endpoint
    }

    func remove(_ endpoint: TCPEndpoint) {
        guard tcp.endpoints[endpoint.slot] === endpoint else { return }
        if let listener = endpoint.listener {
            listener.halfOpenCount -= 1
            endpoint.listener = nil
        }
        tcp.endpoints[endpoint.slot] = nil
        tcp.free.append(Int32(endpoint.slot))
        tcp.flows.remove(endpoint.hash, slot: endpoint.slot)
        tcp.timers.remove(endpoint.slot)
        tcp.count -= 1
        endpoint.observer = nil
        endpoint.path = nil
    }

    /// All connections together may hold `bufferByteLimit`: each one its part of it, but never less than two segments.
    private func setBufferLimit() {
        // Half of them busy at once is much; each has two buffers.
        let part = configuration.bufferByteLimit / max(2, tcp.count)
        var limit = 4 << 20
        while limit > part, limit > 4096 { limit >>= 1 }
        guard limit != tcp.bufferLimit else { return }
        tcp.bufferLimit = limit
        tcp.limitGeneration &+= 1
    }

    func markReady(_ endpoint: TCPEndpoint) {
        guard !endpoint.isReady else { return }
        endpoint.isReady = true
        tcp.ready.append(Int32(endpoint.slot))
    }

    func schedule(_ endpoint: TCPEndpoint) {
        guard let deadline = endpoint.control.nextDeadline else { return }
        tcp.timers.schedule(endpoint.slot, at: deadline)
    }

    func tickConnections() {
        while let slot = tcp.timers.removeDue(now: now) {
            guard let endpoint = tcp.endpoints[slot] else { continue }
            guard let deadline = endpoint.control.nextDeadline else { continue }
            if deadline > now {
                tcp.timers.schedule(slot, at: deadline)
                continue
            }
            dispatch(endpoint.control.tick(now: now), endpoint)
            markReady(endpoint)
        }
    }

    // MARK: Events

    func dispatch(_ events: TCPEvents, _ endpoint: TCPEndpoint) {
        guard !events.isEmpty else { return }
        if events.contains(.transmit) { markReady(endpoint) }
        if let listener = endpoint.listener, events.contains(.established) {
            endpoint.listener = nil
            listener.halfOpenCount -= 1
            queue(endpoint, for: listener)
        }
        endpoint.events.formUnion(events)
        if events != .transmit { endpoint.observer?.endpointChanged() }
        if endpoint.control.isTimeWait { noteTimeWait(endpoint) }
    }

    func queue(_ endpoint: TCPEndpoint, for listener: TCPListeningEndpoint) {
        guard listener.waitingCount < listener.backlog else {
            endpoint.abort()
            return
        }
        listener.accepted.append(endpoint)
        listener.observer?.endpointChanged()
    }

    private func noteTimeWait(_ endpoint: TCPEndpoint) {
        guard !endpoint.isInTimeWaitList else { return }
        endpoint.isInTimeWaitList = true
        tcp.timeWait.append((Int32(endpoint.slot), endpoint.hash))
        if tcp.timeWait.count - tcp.timeWaitFirst > configuration.maximumTimeWaitCount { _ = dropTimeWait() }
    }

    /// Forgets the oldest connection in TIME-WAIT. False if there is none.
    func dropTimeWait() -> Bool {
        while tcp.timeWaitFirst < tcp.timeWait.count {
            let (slot, hash) = tcp.timeWait[tcp.timeWaitFirst]
            tcp.timeWaitFirst += 1
            if tcp.timeWaitFirst * 2 > tcp.timeWait.count {
                tcp.timeWait.removeFirst(tcp.timeWaitFirst)
                tcp.timeWaitFirst = 0
            }
            guard let endpoint = tcp.endpoints[Int(slot)], endpoint.hash == hash, endpoint.control.isTimeWait else { continue }
            remove(endpoint)
            return true
        }
        return false
    }

    /// Removes a connection that is over once its last segment is sent.
    private func removeIfOver(_ endpoint: TCPEndpoint) {
        if endpoint.control.isClosed { remove(endpoint) }
    }

    // MARK: Out

    /// Segments of one connection in one turn; others come next.
    private static let segmentsPerTurn = 16

    func transmitConnections() {
        // Those that are marked meanwhile are for the next turn.
        let slots = tcp.ready
        guard !slots.isEmpty else { return }
        tcp.ready = []
        for slot in slots {
            guard let endpoint = tcp.endpoints[Int(slot)], endpoint.isReady else { continue }
            endpoint.isReady = false
            transmit(endpoint)
        }
        if tcp.ready.isEmpty {
            var empty = slots
            empty.removeAll(keepingCapacity: true)
            tcp.ready = empty
        }
    }

    private func transmit(_ endpoint: TCPEndpoint) {
        if endpoint.limitGeneration != tcp.limitGeneration {
            endpoint.limitGeneration = tcp.limitGeneration
            endpoint.control.setBufferLimits(receive: tcp.bufferLimit, send: tcp.bufferLimit)
        }
        guard let path = path(of: endpoint) else { return transmitUnresolved(endpoint) }
        var budget = Self.segmentsPerTurn
        let limit = superSegmentLimit(path)
        while budget > 0, let transmission = endpoint.control.nextTransmission(now: now, maximumByteCount: limit) {
            guard send(transmission, of: endpoint, over: path) else {
                // The link is full: the same again in a moment, which is the endpoint's deadline.
                endpoint.control.withdraw(transmission, now: now)
                break
            }
            budget -= 1
        }
        if budget == 0 { markReady(endpoint) }
        schedule(endpoint)
        removeIfOver(endpoint)
    }

    /// The link-layer address is not known: one segment goes to the queue of the neighbor, and asks for it.
    private func transmitUnresolved(_ endpoint: TCPEndpoint) {
        defer {
            schedule(endpoint)
            removeIfOver(endpoint)
        }
        guard let hop = hop(to: endpoint.remote.address, zone: endpoint.remote.zone, source: endpoint.local.address) else {
            // As if lost: retries see whether the route comes back.
            _ = endpoint.control.nextTransmission(now: now, maximumByteCount: 0)
            counts.noRoute += 1
            return
        }
        guard let transmission = endpoint.control.nextTransmission(now: now, maximumByteCount: 0) else { return }
        endpoint.control.payload(of: transmission).withBytes { first, rest in
            var bytes: [UInt8] = []
            bytes.append(first)
            bytes.append(rest)
            sendSegment(transmission.header, bytes.raw, from: endpoint.local, to: endpoint.remote, over: hop)
        }
    }

    private func path(of endpoint: TCPEndpoint) -> TCPPath? {
        if let path = endpoint.path, path.routeGeneration == routeGeneration,
            path.neighborGeneration == path.hop.interface.neighbors.generation
        {
            return path
        }
        guard let hop = hop(to: endpoint.remote.address, zone: endpoint.remote.zone, source: endpoint.local.address),
            let link = linkAddress(of: hop, for: endpoint.remote.address)
        else {
            endpoint.path = nil
            return nil
        }
        let learned = pathMTUs.lookup(endpoint.remote.address, now: now) ?? hop.interface.maximumTransmissionUnit
        let path = TCPPath(
            routeGeneration: routeGeneration, neighborGeneration: hop.interface.neighbors.generation, hop: hop, link: link,
            maximumTransmissionUnit: min(learned, hop.interface.maximumTransmissionUnit))
        endpoint.path = path
        return path
    }

    /// How much payload one frame may carry: a segment, or what the link cuts into segments itself.
    private func superSegmentLimit(_ path: TCPPath) -> Int {
        let offload: LinkOffloads = path.hop.source.isIPv6 ? .segmentation6 : .segmentation4
        // An IP packet of 65,535 bytes with the longest headers.
        return path.hop.interface.offloads.contains(offload) ? 65_535 - 40 - 60 : 0
    }

    /// False if the link has no room.
    private func send(_ transmission: TCPTransmission, of endpoint: TCPEndpoint, over path: TCPPath) -> Bool {
        let interface = path.hop.interface
        let isIPv6 = endpoint.remote.address.isIPv6
        let tcpCount = transmission.header.byteCount
        var frame = HeaderBuffer()
        let isWritten = frame.append { writer throws(FormatError) in
            try EthernetHeader(destination: path.link, source: interface.macAddress, type: isIPv6 ? .ipv6 : .ipv4).write(into: &writer)
        }
        let options = PacketOptions(transport: .tcp)
        guard isWritten,
            appendIP(options, tcpCount + transmission.byteCount, from: endpoint.local.address, to: endpoint.remote.address, &frame)
        else { return true }
        let tcpStart = frame.count
        guard frame.append({ writer throws(FormatError) in try transmission.header.write(into: &writer) }) else { return true }
        var checksum = InternetChecksum.pseudoHeader(
            source: endpoint.local.address, destination: endpoint.remote.address, protocol: .tcp,
            byteCount: tcpCount + transmission.byteCount)
        let isPartial = interface.offloads.contains(.transmitChecksum)
        var offload = TransmitOffload.none
        if isPartial {
            frame.store(checksum.partialValue, at: tcpStart + TCPHeader.checksumOffset)
            offload = TransmitOffload(checksumStart: tcpStart, checksumOffset: TCPHeader.checksumOffset, isIPv6: isIPv6)
            if transmission.byteCount > transmission.segmentSize {
                offload.segmentSize = transmission.segmentSize
                offload.headerByteCount = frame.count
            }
        } else {
            checksum.add(frame.bytes.extracting(droppingFirst: tcpStart))
        }
        return endpoint.control.payload(of: transmission).withBytes { first, rest in
            if !isPartial {
                checksum.add(first)
                checksum.add(rest)
                frame.store(checksum.value, at: tcpStart + TCPHeader.checksumOffset)
            }
            return put(frame.bytes, first, rest, offload, on: interface)
        }
    }

    /// Sends a segment that belongs to no connection, or has to wait for its neighbor.
    func sendSegment(
        _ header: TCPHeader, _ payload: RawSpan, from local: SocketAddress, to remote: SocketAddress, over hop: Hop
    ) {
        var bytes = [UInt8](repeating: 0, count: header.byteCount)
        guard Self.write(&bytes, { writer throws(FormatError) in try header.write(into: &writer) }) else { return }
        bytes.append(payload)
        var checksum = InternetChecksum.pseudoHeader(
            source: local.address, destination: remote.address, protocol: .tcp, byteCount: bytes.count)
        checksum.add(bytes.raw)
        let value = checksum.value
        bytes[TCPHeader.checksumOffset] = UInt8(value >> 8)
        bytes[TCPHeader.checksumOffset + 1] = UInt8(truncatingIfNeeded: value)
        var outward = hop
        outward.source = local.address
        send(bytes.raw, PacketOptions(transport: .tcp), to: remote.address, over: outward)
    }

    /// MSS that a link allows, RFC 9293 §3.7.1 and RFC 6691.
    func segmentSize(on interface: NetworkInterface, to destination: IPAddress) -> Int {
        let mtu = min(pathMTUs.lookup(destination, now: now) ?? .max, interface.maximumTransmissionUnit)
        return max(mtu, 128) - (destination.isIPv6 ? IPv6Header.byteCount : IPv4Header.byteCount) - TCPHeader.byteCount
    }
}

extension NetStack {
    /// Connections in any state.
    public var connectionCount: Int { tcp.count }
}
