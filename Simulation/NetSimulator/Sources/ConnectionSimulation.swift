import Bytes
import NetFormats
import Random
import TCP
import Time

/// Why a run is wrong, with all that is needed to see it again.
public struct SimulationFailure: Error, CustomStringConvertible, Equatable, Sendable {
    public var seed: UInt64
    public var time: Instant
    public var reason: String

    public var description: String { "seed \(seed), after \(time.nanoseconds / 1_000_000) ms: \(reason)" }
}

/// What a run came to: two runs of one seed have the same.
public struct SimulationOutcome: Equatable, Sendable {
    public var duration: Duration
    public var bytesToServer: Int
    public var bytesToClient: Int
    /// Until the last byte of either stream was read.
    public var transferDuration: Duration
    public var toServer: SimulatedLink.Statistics
    public var toClient: SimulatedLink.Statistics
    public var clientStatistics: TCPStatistics
    public var serverStatistics: TCPStatistics
}

/// Two control blocks and a link between them. The seed decides all.
public struct ConnectionSimulation: Sendable {
    static let clientAddress = SocketAddress(address: .v4(IPv4Address(192, 0, 2, 1)), port: 40_000)
    static let serverAddress = SocketAddress(address: .v4(IPv4Address(192, 0, 2, 2)), port: 80)
    /// A day: every retry and every timer has had its time.
    static let longest = Duration.seconds(86_400)
    static let stepLimit = 20_000_000

    public let seed: UInt64
    var now = Instant(nanoseconds: 5_000_000_000)
    let start: Instant
    var client: SimulatedHost
    var server: SimulatedHost?
    var serverConfiguration: TCPControlBlock.Configuration
    var serverBehaviour: Behaviour
    var toServer: SimulatedLink
    var toClient: SimulatedLink
    /// Another size of packets from some time on.
    var sizeChange: (time: Instant, byteCount: Int)?
    /// Nothing gets through in this time.
    var blackout: (start: Instant, end: Instant)?
    /// The chance, at each step, that both control blocks are saved and restored.
    var saving = 0
    var random: SplitMix
    /// Every packet is printed.
    public var isTracing = false
    var lastRead: Instant
    /// A connection may fail here: somebody aborts, or the link is worse than the retries allow for.
    var mayFail = false

    var configuration: TCPControlBlock.Configuration { serverConfiguration }

    init(
        seed: UInt64, configuration: TCPControlBlock.Configuration, server: TCPControlBlock.Configuration,
        conditions: (LinkConditions, LinkConditions)
    ) {
        self.seed = seed
        start = now
        lastRead = now
        random = SplitMix(state: seed)
        serverConfiguration = server
        serverBehaviour = Behaviour()
        toServer = SimulatedLink(conditions.0, seed: random.next())
        toClient = SimulatedLink(conditions.1, seed: random.next())
        let control = TCPControlBlock(
            connectingFrom: Self.clientAddress, to: Self.serverAddress,
            initialSequenceNumber: SequenceNumber(rawValue: UInt32(truncatingIfNeeded: random.next())),
            timestampOffset: UInt32(truncatingIfNeeded: random.next()), configuration: configuration, now: now)
        client = SimulatedHost(
            control: control,
            application: SimulatedApplication(
                behaviour: Behaviour(), outgoing: StreamPattern(seed: seed), incoming: StreamPattern(seed: ~seed), seed: random.next()),
            maximumByteCount: 0, coalesces: false)
    }

    /// Runs to the end of both connections.
    public mutating func run() throws(SimulationFailure) -> SimulationOutcome {
        var steps = 0
        while !(client.isDone && (server?.isDone ?? mayFail)) || toServer.nextArrival != nil || toClient.nextArrival != nil {
            steps += 1
            if steps > Self.stepLimit { throw failure("no end after \(steps) steps: \(states)") }
            try act()
            send()
            guard let next = nextTime else {
                if client.isDone, server?.isDone ?? true { break }
                throw failure("a stall: nothing is on its way and no time is set, \(states)")
            }
            now = max(now, next)
            if start.duration(to: now) > Self.longest { throw failure("no end after a day: \(states)") }
            change()
            if random.happens(saving) { try save() }
            try deliver()
            tick()
        }
        try check()
        return SimulationOutcome(
            duration: start.duration(to: now), bytesToServer: server?.application.read ?? 0, bytesToClient: client.application.read,
            transferDuration: start.duration(to: lastRead), toServer: toServer.statistics, toClient: toClient.statistics,
            clientStatistics: client.control.statistics, serverStatistics: server?.control.statistics ?? TCPStatistics())
    }

    private var nextTime: Instant? {
        var next = min(toServer.nextArrival ?? .distantFuture, toClient.nextArrival ?? .distantFuture)
        for host in [client, server] {
            guard let host else { continue }
            next = min(next, host.control.nextDeadline ?? .distantFuture)
            if host.application.pausedUntil > now { next = min(next, host.application.pausedUntil) }
        }
        return next == .distantFuture ? nil : next
    }

    private mutating func act() throws(SimulationFailure) {
        let before = (client.application.read, server?.application.read)
        if let wrong = client.act(now: now) { throw failure("the client reads \(wrong)") }
        if let wrong = server?.act(now: now) { throw failure("the server reads \(wrong)") }
        if before != (client.application.read, server?.application.read) { lastRead = now }
        try checkMemory(client, client.control.configuredLimits)
        if let server { try checkMemory(server, server.control.configuredLimits) }
        if let wrong = client.control.inconsistency { throw failure("the client's \(wrong), \(states)") }
        if let wrong = server?.control.inconsistency { throw failure("the server's \(wrong), \(states)") }
    }

    /// A ring is a power of two.
    private func checkMemory(_ host: SimulatedHost, _ limits: (receive: Int, send: Int)) throws(SimulationFailure) {
        let bound = 2 * (limits.receive + limits.send) + 2_048
        if host.control.bufferedCapacity > bound { throw failure("\(host.control.bufferedCapacity) bytes are buffered") }
    }

    private mutating func send() {
        let isBlack = blackout.map { now >= $0.start && now < $0.end } ?? false
        let trace = isTracing ? start : nil
        client.send(over: &toServer, isBlack: isBlack, trace: trace, now: now)
        server?.send(over: &toClient, isBlack: isBlack, trace: trace, now: now)
    }

    private mutating func change() {
        guard let change = sizeChange, change.time <= now else { return }
        toServer.conditions.maximumPacketByteCount = change.byteCount
        toClient.conditions.maximumPacketByteCount = change.byteCount
        sizeChange = nil
    }

    private mutating func save() throws(SimulationFailure) {
        do throws(FormatError) {
            client.control = try restored(client.control)
            if var host = server {
                host.control = try restored(host.control)
                server = host
            }
        } catch { throw failure("a state is not restored: \(error), \(states)") }
    }

    private func restored(_ control: TCPControlBlock) throws(FormatError) -> TCPControlBlock {
        var bytes = [UInt8](repeating: 0, count: control.savedByteCount(now: now))
        var span = bytes.mutableSpan
        var writer = ByteWriter(&span)
        try control.save(into: &writer, now: now)
        var reader = ByteReader(bytes.rawBytes)
        return try TCPControlBlock(restoring: &reader, now: now)
    }

    private mutating func tick() {
        if let deadline = client.control.nextDeadline, deadline <= now { _ = client.control.tick(now: now) }
        if let deadline = server?.control.nextDeadline, deadline <= now { _ = server?.control.tick(now: now) }
    }

    private mutating func check() throws(SimulationFailure) {
        for (name, host) in [("client", client), ("server", server)] {
            guard let host else { continue }
            if let failure = host.control.failure, !mayFail { throw self.failure("the \(name)'s connection failed: \(failure)") }
        }
        if !mayFail, let server {
            if server.application.read != client.application.behaviour.byteCount {
                throw failure("the server has \(server.application.read) bytes")
            }
            if client.application.read != server.application.behaviour.byteCount {
                throw failure("the client has \(client.application.read) bytes")
            }
        }
    }

    /// What the seed stands for, in words.
    public var summary: String {
        """
        to the server: \(toServer.conditions)
        to the client: \(toClient.conditions)
        client: \(client.control.segmentSize), \(client.application.behaviour),
        at once \(client.maximumByteCount), joined \(client.coalesces)
        server: \(serverConfiguration), \(serverBehaviour)
        """
    }

    func failure(_ reason: String) -> SimulationFailure { SimulationFailure(seed: seed, time: now, reason: reason) }

    private var states: String {
        let far = server.map { "\($0.control.state), \($0.application.written) written, \($0.application.read) read" } ?? "none"
        return "client \(client.control.state), \(client.application.written) written, \(client.application.read) read; server \(far)"
    }
}

// MARK: Arrivals

extension ConnectionSimulation {
    private mutating func deliver() throws(SimulationFailure) {
        var batch: (header: TCPHeader, payload: [UInt8])?
        while let packet = toServer.receive(now: now) {
            guard let segment = Packet.parse(packet, from: Self.clientAddress, to: Self.serverAddress) else { continue }
            if server == nil { accept(segment.header) } else { give(segment, &batch, toServer: true) }
        }
        flush(&batch, toServer: true)
        while let packet = toClient.receive(now: now) {
            guard let segment = Packet.parse(packet, from: Self.serverAddress, to: Self.clientAddress) else { continue }
            give(segment, &batch, toServer: false)
        }
        flush(&batch, toServer: false)
    }

    private mutating func accept(_ header: TCPHeader) {
        guard header.flags == .syn else { return }
        let control = TCPControlBlock(
            accepting: header, local: Self.serverAddress, remote: Self.clientAddress,
            initialSequenceNumber: SequenceNumber(rawValue: UInt32(truncatingIfNeeded: random.next())),
            timestampOffset: UInt32(truncatingIfNeeded: random.next()), configuration: serverConfiguration, now: now)
        server = SimulatedHost(
            control: control,
            application: SimulatedApplication(
                behaviour: serverBehaviour, outgoing: StreamPattern(seed: ~seed), incoming: StreamPattern(seed: seed), seed: random.next()),
            maximumByteCount: client.maximumByteCount, coalesces: client.coalesces)
    }

    /// Hands a segment on, or keeps it to be joined with the next: as large receive offload does.
    private mutating func give(
        _ segment: (header: TCPHeader, payload: ArraySlice<UInt8>), _ batch: inout (header: TCPHeader, payload: [UInt8])?, toServer: Bool
    ) {
        guard client.coalesces, !segment.payload.isEmpty, segment.header.flags.isSubset(of: [.ack, .psh]),
            segment.header.options.sackBlocks.isEmpty
        else {
            flush(&batch, toServer: toServer)
            return handle(segment.header, Array(segment.payload), toServer: toServer)
        }
        if var joined = batch {
            if joined.header.sequenceNumber + joined.payload.count == segment.header.sequenceNumber,
                joined.header.acknowledgmentNumber == segment.header.acknowledgmentNumber, joined.header.window == segment.header.window,
                joined.header.options == segment.header.options, joined.payload.count + segment.payload.count < 65_000
            {
                joined.payload += segment.payload
                batch = joined
                return
            }
            flush(&batch, toServer: toServer)
        }
        batch = (segment.header, Array(segment.payload))
    }

    private mutating func flush(_ batch: inout (header: TCPHeader, payload: [UInt8])?, toServer: Bool) {
        guard let joined = batch else { return }
        batch = nil
        handle(joined.header, joined.payload, toServer: toServer)
    }

    private mutating func handle(_ header: TCPHeader, _ payload: [UInt8], toServer: Bool) {
        let isClosed = toServer ? server?.control.isClosed ?? true : client.control.isClosed
        if isClosed { return refuse(header, byteCount: payload.count, toServer: toServer) }
        if toServer {
            _ = server?.control.handle(header, payload.rawBytes, now: now)
        } else {
            _ = client.control.handle(header, payload.rawBytes, now: now)
        }
    }

    /// A stack without that connection.
    private mutating func refuse(_ header: TCPHeader, byteCount: Int, toServer: Bool) {
        guard let reset = TCPHeader.reset(answering: header, payloadByteCount: byteCount) else { return }
        let ends = toServer ? (Self.serverAddress, Self.clientAddress) : (Self.clientAddress, Self.serverAddress)
        let packet = Packet.bytes(reset, [], from: ends.0, to: ends.1)
        if toServer { _ = toClient.send(packet, now: now) } else { _ = self.toServer.send(packet, now: now) }
    }
}
