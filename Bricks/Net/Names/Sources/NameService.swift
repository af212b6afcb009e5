import Bytes
import DNS
import DNSFormat
import NetFormats
import NetStack
import NetworkLink
import Random
import Sockets
import Time

/// Names of a network: a resolver with its cache, and the instance's own name on the link.
public final class NameService: NetworkService, @unchecked Sendable {
    /// Multicast DNS keeps to the link, and shows it (RFC 6762 §11).
    private static var multicastHopLimit: UInt8 { 255 }
    /// How long a name that the link may know waits for a server to be told of.
    private static var serverPatience: Duration { .milliseconds(200) }
    /// For an answer that was too long for a datagram.
    private static var streamTimeLimit: Duration { .seconds(5) }

    let network: Network
    private var resolver: Resolver
    private var responder: MulticastResponder?
    /// Ports of questions that wait for answers.
    private var questions: [UDPEndpoint] = []
    /// Port 5353, as soon as there is something to say or to ask there.
    private var multicast: UDPEndpoint?
    private var lookUps: [LookUp] = []
    private var configurationGeneration = UInt32.max
    private var addressGeneration = UInt32.max

    /// A task that waits for a name.
    final class LookUp {
        let identifier: LookUpIdentifier
        var result: Result<[IPAddress], ResolverError>?
        var waiting: WaitingTask?
        init(_ identifier: LookUpIdentifier) { self.identifier = identifier }
    }

    /// `hostName` is the instance's own name on the link, one label; empty: none.
    public init(_ network: Network, hostName: [UInt8], seed: SipHash.Key) {
        self.network = network
        resolver = Resolver(configuration: Resolver.Configuration(), key: seed)
        responder = hostName.isEmpty ? nil : MulticastResponder(host: hostName.span)
        super.init()
        if responder != nil { openMulticast() }
        network.add(self)
    }

    private var stack: NetStack { network.stack }

    // MARK: NetworkService

    public override var nextDeadline: Instant {
        min(resolver.nextDeadline ?? .distantFuture, responder?.nextDeadline ?? .distantFuture)
    }

    public override func advance(to now: Instant) {
        takeConfiguration()
        readMulticast()
        readAnswers()
        if let deadline = resolver.nextDeadline, deadline <= now { resolver.tick(now: now) }
        while let transmission = responder?.tick(now: now) { sendToGroups(transmission.bytes) }
        pump()
    }

    private func takeConfiguration() {
        if configurationGeneration != stack.configurationGeneration {
            configurationGeneration = stack.configurationGeneration
            var configuration = resolver.configuration
            configuration.servers = stack.nameServers.map {
                SocketAddress(address: $0.address, port: DNSMessage.port, zone: $0.zone)
            }
            configuration.searchDomains = stack.searchDomains
            resolver.configuration = configuration
        }
        guard responder != nil, addressGeneration != stack.addressGeneration else { return }
        addressGeneration = stack.addressGeneration
        var addresses: [IPAddress] = []
        for interface in stack.interfaces where !interface.isLoopback {
            for own in interface.addresses where !own.isOptimistic || !own.address.isLinkLocal { addresses.append(own.address) }
        }
        responder?.setAddresses(addresses, now: stack.now)
    }

    // MARK: Datagrams

    private func openMulticast() {
        guard multicast == nil else { return }
        multicast = try? stack.bindUDP(port: DNSMessage.multicastPort)
    }

    private func readMulticast() {
        guard let endpoint = multicast else { return }
        while let (bytes, origin) = endpoint.receive({ ([UInt8](copying: $0), $1) }) {
            resolver.handle(bytes.raw, from: origin.source, toPort: endpoint.localPort, now: stack.now)
            guard let answer = responder?.handle(bytes.raw, from: origin.source, now: stack.now) else { continue }
            let group: IPAddress = origin.source.address.isIPv6 ? .v6(.multicastDNS) : .v4(.multicastDNS)
            let destination = answer.destination ?? SocketAddress(address: group, port: DNSMessage.multicastPort, zone: origin.interface)
            try? stack.send(answer.bytes.raw, from: endpoint, to: destination, hopLimit: Self.multicastHopLimit)
        }
    }

    private func readAnswers() {
        var index = 0
        while index < questions.count {
            let endpoint = questions[index]
            while let (bytes, source) = endpoint.receive({ ([UInt8](copying: $0), $1.source) }) {
                resolver.handle(bytes.raw, from: source, toPort: endpoint.localPort, now: stack.now)
            }
            if resolver.isWaiting(onPort: endpoint.localPort) {
                index += 1
            } else {
                stack.close(endpoint)
                questions.remove(at: index)
            }
        }
    }

    private func sendToGroups(_ bytes: [UInt8]) {
        openMulticast()
        guard let endpoint = multicast else { return }
        for interface in stack.interfaces where !interface.isLoopback {
            for group in [IPAddress.v4(.multicastDNS), .v6(.multicastDNS)] {
                let destination = SocketAddress(address: group, port: DNSMessage.multicastPort, zone: interface.index)
                try? stack.send(bytes.raw, from: endpoint, to: destination, hopLimit: Self.multicastHopLimit)
            }
        }
    }

    /// Sends what the resolver has to send, and wakes the tasks whose names are known.
    private func pump() {
        while let transmission = resolver.nextTransmission(now: stack.now) {
            switch transmission.transport {
            case .multicast: sendToGroups(transmission.bytes)
            case .stream(let query): askByStream(transmission, query)
            case .datagram(let port):
                // A port that is taken is as good as a question that got lost: it is asked again, from another one.
                guard let endpoint = endpoint(port) else { continue }
                try? stack.send(transmission.bytes.raw, from: endpoint, to: transmission.destination)
            }
        }
        while let completion = resolver.nextCompletion() {
            for lookUp in lookUps where lookUp.identifier == completion.identifier {
                lookUp.result = completion.result
                lookUp.waiting?.wake()
            }
        }
    }

    private func endpoint(_ port: UInt16) -> UDPEndpoint? {
        if let known = questions.first(where: { $0.localPort == port }) { return known }
        guard let endpoint = try? stack.bindUDP(port: port) else { return nil }
        questions.append(endpoint)
        return endpoint
    }

    private func askByStream(_ transmission: ResolverTransmission, _ query: QueryIdentifier) {
        let network = network
        let deadline = stack.now.advanced(by: Self.streamTimeLimit)
        Task {
            let answer = await Self.exchange(transmission, on: network, deadline: deadline)
            if let answer {
                resolver.handle(stream: answer.raw, of: query, now: stack.now)
            } else {
                resolver.streamFailed(query, now: stack.now)
            }
            pump()
        }
    }

    /// RFC 1035 §4.2.2: two bytes of length before each message.
    private static func exchange(_ transmission: ResolverTransmission, on network: Network, deadline: Instant) async -> [UInt8]? {
        do throws(NetworkError) {
            let connection = try await TCPConnection.connect(to: transmission.destination, on: network, deadline: deadline)
            try await connection.send(transmission.bytes, deadline: deadline)
            var bytes: [UInt8] = []
            while bytes.count < 2 || bytes.count < 2 + (Int(bytes[0]) << 8 | Int(bytes[1])) {
                let piece = try await connection.receive(deadline: deadline)
                if piece.isEmpty { return nil }
                bytes += piece
            }
            return Array(bytes[2..<2 + (Int(bytes[0]) << 8 | Int(bytes[1]))])
        } catch {
            return nil
        }
    }

    // MARK: Names to addresses

    /// The addresses of `name`, IPv6 first; a literal is its own address.
    public func resolve(
        _ name: [UInt8], _ families: AddressFamilies = [.ipv4, .ipv6], deadline: Instant = .distantFuture
    ) async throws(NetworkError) -> [IPAddress] {
        if let literal = IPAddress(parsing: name.span) { return [literal] }
        // The link itself may know a name of one label, or of .local: no server is needed for those.
        let limit = Self.isOfLink(name) ? min(deadline, stack.now.advanced(by: Self.serverPatience)) : deadline
        try await network.waitForNameServer(until: limit)
        takeConfiguration()
        switch resolver.lookUp(name.span, families, now: stack.now) {
        case .addresses(let addresses): return addresses
        case .failed(let error): throw NetworkError(error)
        case .pending(let identifier): return try await wait(for: identifier, until: deadline)
        }
    }

    private static func isOfLink(_ name: [UInt8]) -> Bool {
        guard let parsed = DNSName(parsing: name.span), let local = DNSName("local") else { return false }
        return parsed.labelCount == 1 || parsed.isWithin(local)
    }

    private func wait(for identifier: LookUpIdentifier, until deadline: Instant) async throws(NetworkError) -> [IPAddress] {
        let lookUp = LookUp(identifier)
        lookUps.append(lookUp)
        defer { lookUps.removeAll { $0 === lookUp } }
        pump()
        while true {
            switch lookUp.result {
            case .success(let addresses): return addresses
            case .failure(let error): throw NetworkError(error)
            case nil: break
            }
            do throws(NetworkError) {
                try await network.wait(until: deadline) { lookUp.waiting = $0 }
            } catch {
                resolver.cancel(identifier)
                throw error
            }
        }
    }
}

extension NetworkError {
    init(_ error: ResolverError) {
        self =
            switch error {
            case .invalidName: .invalidName
            case .nameNotFound, .noAddress: .noSuchName
            case .serverFailure, .noServers: .resolverFailed
            case .timedOut: .timedOut
            case .busy: .busy
            }
    }
}
