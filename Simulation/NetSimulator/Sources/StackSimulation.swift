import NetFormats
import NetStack
import NetworkLink
import Random
import TCP
import Time

/// Whole stacks on a switch, and connections between them, over IPv4 and IPv6. The seed decides all.
public struct StackSimulation {
    /// One connection: the application that opens it, and the one that accepts it.
    private struct Connection {
        var client: SimulatedApplication
        var server: SimulatedApplication
        var from: Int
        var to: Int
        var remote: SocketAddress
        var start: Instant
        var clientEnd: TCPEndpoint?
        var serverEnd: TCPEndpoint?
        var local: SocketAddress?
        var isClientOver = false
        var isServerOver = false
    }

    static let port: UInt16 = 80
    static let longest = Duration.seconds(7_200)
    static let stepLimit = 5_000_000

    public let seed: UInt64
    private var random: SplitMix
    private var now = Instant(nanoseconds: 1_000_000_000)
    private var network: SimulatedSwitch
    private let stacks: [NetStack]
    private var listeners: [TCPListeningEndpoint] = []
    private var connections: [Connection] = []
    public private(set) var frameCount = 0
    /// Connections whose peer was not found in time.
    public private(set) var unreachableCount = 0

    public init(seed: UInt64) throws(SimulationFailure) {
        self.seed = seed
        var random = SplitMix(state: seed &* 0x9e6c_63d0_876a_9a47)
        let count = random.number(in: 2...4)
        let offloads: LinkOffloads = random.pick([[], [.transmitChecksum], [.transmitChecksum, .segmentation4, .segmentation6]])
        let size = random.pick([1_500, 1_500, 1_500, 9_000, 1_280])
        let capacity = random.pick([4, 64, 10_000])
        let ports = (0..<count).map {
            SimulatedPort($0, maximumTransmissionUnit: size, offloads: offloads, capacity: capacity)
        }
        let links = ports.map { _ in SimulatedLink(Self.conditions(&random), seed: random.next()) }
        network = SimulatedSwitch(ports: ports, links: links)
        let start = now
        stacks = ports.map { _ in NetStack(seed: SipHash.Key(using: &random), now: start) }
        self.random = random
        for index in 0..<count {
            let interface = stacks[index].add(ports[index])
            _ = stacks[index].assign(Self.address(index, isIPv6: false), prefixLength: 24, to: interface, isUnique: true)
            _ = stacks[index].assign(Self.address(index, isIPv6: true), prefixLength: 64, to: interface, isUnique: true)
        }
        do throws(TCPOpenFailure) {
            for stack in stacks { listeners.append(try stack.listenTCP(port: Self.port)) }
        } catch { throw failure("nobody can listen: \(error)") }
        for number in 0..<random.magnitude(in: 1...16) { addConnection(number) }
    }

    private static func conditions(_ random: inout SplitMix) -> LinkConditions {
        var conditions = LinkConditions()
        conditions.delay = .microseconds(random.magnitude(in: 10...50_000))
        conditions.rate = random.happens(million / 2) ? 0 : random.magnitude(in: 2_000_000...1_000_000_000)
        conditions.queueByteCount = random.magnitude(in: 70_000...1_000_000)
        conditions.maximumPacketByteCount = 70_000
        if random.happens(million / 2) { conditions.loss = random.pick([1_000, 10_000, 30_000]) }
        if random.happens(million / 3) { conditions.reordering = random.pick([10_000, 100_000]) }
        if random.happens(million / 4) { conditions.duplication = random.pick([1_000, 50_000]) }
        if random.happens(million / 4) { conditions.corruption = random.pick([1_000, 10_000]) }
        return conditions
    }

    private static func address(_ index: Int, isIPv6: Bool) -> IPAddress {
        isIPv6 ? .v6(IPv6Address(high: 0xfd00 << 48, low: UInt64(index + 1))) : .v4(IPv4Address(10, 0, 0, UInt8(index + 1)))
    }

    private mutating func addConnection(_ number: Int) {
        let from = random.number(in: 0...stacks.count - 1)
        // To itself too: that is the loopback.
        let to = random.number(in: 0...stacks.count - 1)
        var behaviours = (ConnectionSimulation.behaviour(&random), ConnectionSimulation.behaviour(&random))
        behaviours.0.abortsAfter = nil
        behaviours.1.abortsAfter = nil
        if !behaviours.1.finishesFirst { behaviours.0.finishesFirst = true }
        let patterns = (StreamPattern(seed: random.next()), StreamPattern(seed: random.next()))
        connections.append(
            Connection(
                client: SimulatedApplication(behaviour: behaviours.0, outgoing: patterns.0, incoming: patterns.1, seed: random.next()),
                server: SimulatedApplication(behaviour: behaviours.1, outgoing: patterns.1, incoming: patterns.0, seed: random.next()),
                from: from, to: to,
                remote: SocketAddress(address: Self.address(to, isIPv6: random.happens(million / 2)), port: Self.port),
                start: now.advanced(by: .milliseconds(random.magnitude(in: 1...5_000)))))
    }

    /// Runs until all connections are over and forgotten.
    public mutating func run() throws(SimulationFailure) -> Duration {
        let begin = now
        var steps = 0
        while true {
            steps += 1
            if steps > Self.stepLimit { throw failure("no end after \(steps) steps") }
            try settle()
            if connections.allSatisfy({ $0.isClientOver && $0.isServerOver }), stacks.allSatisfy({ $0.connectionCount == 0 }) { break }
            let next = nextTime
            guard next < .distantFuture else { throw failure("a stall: nothing is on its way and no time is set") }
            now = max(next, now.advanced(by: .nanoseconds(1)))
            if begin.duration(to: now) > Self.longest { throw failure("no end after two hours: \(states)") }
            network.deliver(now: now)
        }
        return begin.duration(to: now)
    }

    private var nextTime: Instant {
        var next = network.nextArrival
        for stack in stacks { next = min(next, stack.nextDeadline) }
        for connection in connections {
            if connection.start > now { next = min(next, connection.start) }
            for application in [connection.client, connection.server] where application.pausedUntil > now {
                next = min(next, application.pausedUntil)
            }
        }
        return next
    }

    /// Lets everybody work at this moment until nobody has anything to do.
    private mutating func settle() throws(SimulationFailure) {
        var isIdle = false
        var rounds = 0
        while !isIdle {
            rounds += 1
            if rounds > 100_000 { throw failure("the stacks do not come to rest: \(states)") }
            isIdle = true
            for stack in stacks {
                stack.advance(to: now)
                if stack.receive() > 0 { isIdle = false }
            }
            try act()
            for stack in stacks {
                stack.transmit()
                if stack.isBusy { isIdle = false }
            }
            for port in network.ports { frameCount += port.sent.count }
            network.collect(now: now)
        }
    }

    private mutating func act() throws(SimulationFailure) {
        accept()
        for index in connections.indices {
            if connections[index].clientEnd == nil, !connections[index].isClientOver, connections[index].start <= now { open(index) }
            if var end = connections[index].clientEnd, !connections[index].isClientOver {
                if let wrong = connections[index].client.act(on: &end, now: now) { throw failure("client \(index) reads \(wrong)") }
                if let wrong = end.control.inconsistency { throw failure("client \(index)'s \(wrong)") }
                try look(index, end, isClient: true)
            }
            if var end = connections[index].serverEnd, !connections[index].isServerOver {
                if let wrong = connections[index].server.act(on: &end, now: now) { throw failure("server \(index) reads \(wrong)") }
                if let wrong = end.control.inconsistency { throw failure("server \(index)'s \(wrong)") }
                try look(index, end, isClient: false)
            }
        }
    }

    private mutating func open(_ index: Int) {
        let connection = connections[index]
        guard let end = try? stacks[connection.from].connectTCP(to: connection.remote) else {
            // No address is ready yet: a moment later.
            connections[index].start = now.advanced(by: .milliseconds(100))
            return
        }
        connections[index].clientEnd = end
        connections[index].local = end.local
    }

    private mutating func accept() {
        for (place, listener) in listeners.enumerated() {
            while let end = listener.accept() {
                let index = connections.firstIndex { $0.to == place && $0.local == end.remote && $0.remote.address == end.local.address }
                if let index { connections[index].serverEnd = end } else { end.abort() }
            }
        }
    }

    /// Whether an end is over, and rightly so.
    private mutating func look(_ index: Int, _ end: TCPEndpoint, isClient: Bool) throws(SimulationFailure) {
        let control = end.control
        if let reason = control.failure {
            guard isClient, reason == .unreachable else { throw failure("connection \(index) failed: \(reason), \(states)") }
            unreachableCount += 1
            connections[index].isClientOver = true
            connections[index].isServerOver = true
            return
        }
        guard control.isClosed || control.isTimeWait else { return }
        let application = isClient ? connections[index].client : connections[index].server
        let other = isClient ? connections[index].server : connections[index].client
        guard control.readableByteCount == 0 else { return }
        if application.read != other.behaviour.byteCount {
            throw failure("connection \(index) ended with \(application.read) of \(other.behaviour.byteCount) bytes, \(states)")
        }
        if isClient { connections[index].isClientOver = true } else { connections[index].isServerOver = true }
    }

    private var states: String {
        var text = ""
        for (index, connection) in connections.enumerated() where !(connection.isClientOver && connection.isServerOver) {
            let ends = [connection.clientEnd, connection.serverEnd].map { end in end.map { "\($0.control.state)" } ?? "none" }
            text += " \(index): \(ends[0]), \(ends[1]), read \(connection.client.read) and \(connection.server.read);"
        }
        return text
    }

    private func failure(_ reason: String) -> SimulationFailure { SimulationFailure(seed: seed, time: now, reason: reason) }
}
