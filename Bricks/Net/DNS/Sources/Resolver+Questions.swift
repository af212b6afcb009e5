import Bytes
import DNSFormat
import NetFormats
import Random
import Time

/// A question on its way.
struct PendingQuestion: Sendable {
    enum Path: Equatable {
        case datagram(sourcePort: UInt16)
        case stream
        case multicast
    }

    var query: Query
    var identifier: QueryIdentifier
    /// What is asked now: the name itself, or where its aliases have led.
    var name: DNSName
    var aliasCount = 0
    /// The least of the aliases.
    var lifetime = ResolverCache.lifetimeLimit
    var messageIdentifier: UInt16 = 0
    var path: Path
    /// Servers and rounds, counted together.
    var attempt = 0
    var deadline: Instant
    var hasExtension = true
    var isUnsent = true
}

extension Resolver {
    private var serverCount: Int { min(configuration.servers.count, Self.serverLimit) }

    /// Nil if the servers have been taken away meanwhile.
    private func server(_ question: PendingQuestion) -> SocketAddress? {
        serverCount > 0 ? configuration.servers[question.attempt % serverCount] : nil
    }

    /// Other servers: questions to the old ones are asked again, by the next `tick`.
    mutating func restartQuestions() {
        for index in questions.indices where questions[index].path != .multicast {
            questions[index].attempt = -1
            questions[index].deadline = .start
        }
    }

    /// Nil, and a question on its way; or why there is none.
    mutating func ask(_ query: Query, _ now: Instant) -> Finding? {
        if questions.contains(where: { $0.query == query }) { return nil }
        guard query.candidate.isMulticast || serverCount > 0 else { return .noServers }
        var question = PendingQuestion(
            query: query, identifier: QueryIdentifier(rawValue: nextIdentifier), name: query.candidate.name,
            path: query.candidate.isMulticast ? .multicast : .datagram(sourcePort: 0), deadline: now)
        nextIdentifier += 1
        prepare(&question, now)
        questions.append(question)
        return nil
    }

    /// A new identifier and port for each message (RFC 5452 §9.2).
    private mutating func prepare(_ question: inout PendingQuestion, _ now: Instant) {
        question.isUnsent = true
        let number = random.next()
        switch question.path {
        case .multicast:
            // RFC 6762 §18.1.
            question.messageIdentifier = 0
            question.deadline = now.advanced(by: Self.multicastWait * (1 << question.attempt))
        case .stream:
            question.messageIdentifier = UInt16(truncatingIfNeeded: number)
            question.deadline = now.advanced(by: Self.streamWait)
        case .datagram:
            question.messageIdentifier = UInt16(truncatingIfNeeded: number)
            question.path = .datagram(sourcePort: UInt16(49_152 + number >> 16 % 16_384))
            question.deadline = now.advanced(by: Self.firstWait * (1 << (question.attempt / max(1, serverCount))))
        }
    }

    /// The next server or round, or the end. The question at `index` may be removed.
    mutating func retry(_ index: Int, _ finding: Finding, _ now: Instant) {
        var question = questions[index]
        question.attempt += 1
        if question.path == .stream { question.path = .datagram(sourcePort: 0) }
        let isMulticast = question.path == .multicast
        let limit = isMulticast ? Self.multicastRoundLimit : Self.roundLimit * serverCount
        guard question.attempt < limit else {
            questions.remove(at: index)
            return conclude(question.query, isMulticast ? .nameNotFound : serverCount > 0 ? finding : .noServers)
        }
        // Another server may know other aliases.
        question.name = question.query.candidate.name
        question.aliasCount = 0
        question.lifetime = ResolverCache.lifetimeLimit
        prepare(&question, now)
        questions[index] = question
    }

    private static var group: SocketAddress { SocketAddress(IPv4Address.multicastDNS, port: DNSMessage.multicastPort) }

    public mutating func nextTransmission(now: Instant) -> ResolverTransmission? {
        guard let index = questions.firstIndex(where: { $0.isUnsent }) else { return nil }
        questions[index].isUnsent = false
        let question = questions[index]
        guard let destination = question.path == .multicast ? Self.group : server(question) else { return nil }
        var message = DNSMessage(
            identifier: question.messageIdentifier,
            query: DNSQuestion(name: question.name, type: question.query.type, prefersUnicast: question.path == .multicast))
        if !question.hasExtension || question.path == .multicast { message.edns = nil }
        switch question.path {
        case .multicast:
            message.isRecursionDesired = false
            return ResolverTransmission(transport: .multicast, destination: destination, bytes: message.bytes())
        case .stream:
            let bytes = message.bytes()
            let prefix = [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xff)]
            return ResolverTransmission(transport: .stream(question.identifier), destination: destination, bytes: prefix + bytes)
        case .datagram(let sourcePort):
            return ResolverTransmission(
                transport: .datagram(sourcePort: sourcePort), destination: destination, bytes: message.bytes())
        }
    }

    /// Whether answers are awaited on `port`.
    public func isWaiting(onPort port: UInt16) -> Bool {
        questions.contains { $0.path == .datagram(sourcePort: port) || port == DNSMessage.multicastPort && $0.path == .multicast }
    }

    /// A datagram that came to `port`, which a transmission has named, or to 5353.
    public mutating func handle(_ datagram: RawSpan, from source: SocketAddress, toPort port: UInt16, now: Instant) {
        var reader = ByteReader(datagram)
        guard let message = try? DNSMessage(parsing: &reader), message.isResponse else { return }
        if port == DNSMessage.multicastPort, source.port == DNSMessage.multicastPort {
            handleMulticast(message, now)
        } else if let index = questions.firstIndex(where: { isAnswered($0, by: message, from: source, toPort: port) }) {
            handle(message, index, now)
        }
        settle(now)
    }

    /// RFC 5452 §9.1: all that was sent comes back. The question's case included.
    private func isAnswered(_ question: PendingQuestion, by message: DNSMessage, from source: SocketAddress, toPort port: UInt16) -> Bool {
        guard question.path == .datagram(sourcePort: port), !question.isUnsent, message.identifier == question.messageIdentifier else {
            return false
        }
        return source == server(question) && Self.repeats(message, question)
    }

    /// Servers leave the question out of an error now and then.
    private static func repeats(_ message: DNSMessage, _ question: PendingQuestion) -> Bool {
        guard let asked = message.questions.first else {
            return message.responseCode != .success && message.responseCode != .nameError
        }
        return message.questions.count == 1 && asked.name == question.name && asked.type == question.query.type
    }

    /// The answer to `identifier`, without its length.
    public mutating func handle(stream bytes: RawSpan, of identifier: QueryIdentifier, now: Instant) {
        guard let index = questions.firstIndex(where: { $0.identifier == identifier && $0.path == .stream }) else { return }
        var reader = ByteReader(bytes)
        if let message = try? DNSMessage(parsing: &reader), message.isResponse, message.identifier == questions[index].messageIdentifier,
            Self.repeats(message, questions[index]), !message.isTruncated
        {
            handle(message, index, now)
        } else {
            retry(index, .serverFailure, now)
        }
        settle(now)
    }

    /// The connection for `identifier` was refused or broke.
    public mutating func streamFailed(_ identifier: QueryIdentifier, now: Instant) {
        guard let index = questions.firstIndex(where: { $0.identifier == identifier && $0.path == .stream }) else { return }
        retry(index, .serverFailure, now)
        settle(now)
    }

    private mutating func handle(_ message: DNSMessage, _ index: Int, _ now: Instant) {
        var question = questions[index]
        switch message.responseCode {
        case .success, .nameError: break
        case .formatError where question.hasExtension, .notImplemented where question.hasExtension:
            // RFC 6891 §7: a server that does not know EDNS.
            question.hasExtension = false
            prepare(&question, now)
            questions[index] = question
            return
        default: return retry(index, .serverFailure, now)
        }
        if message.isTruncated {
            question.path = .stream
            prepare(&question, now)
            questions[index] = question
            return
        }
        let chain = AliasChain(message, question.name, question.query.type, limit: Self.aliasLimit - question.aliasCount)
        guard let chain else { return retry(index, .serverFailure, now) }
        let lifetime = min(question.lifetime, chain.lifetime)
        if !chain.addresses.isEmpty {
            return finish(index, .addresses(chain.addresses), lifetime, now)
        }
        if chain.aliasCount > 0, message.responseCode == .success {
            // The server did not follow its own alias: it is asked for the end.
            question.name = chain.name
            question.aliasCount += chain.aliasCount
            question.lifetime = lifetime
            prepare(&question, now)
            questions[index] = question
            return
        }
        let negative = min(lifetime, Self.negativeLifetime(message))
        finish(index, message.responseCode == .nameError ? .nameNotFound : .noAddress, negative, now)
    }

    private mutating func finish(_ index: Int, _ finding: Finding, _ lifetime: Duration, _ now: Instant) {
        let query = questions[index].query
        questions.remove(at: index)
        cache.insert(query, finding, lifetime: lifetime, now: now)
        conclude(query, finding)
    }

    /// RFC 2308 §5: the SOA's own lifetime or its minimum; without one nothing is kept.
    private static func negativeLifetime(_ message: DNSMessage) -> Duration {
        for record in message.authorities {
            if case .soa(let soa) = record.data { return min(record.timeToLive, soa.minimum) }
        }
        return .zero
    }

    /// RFC 6762 §6: any record of the name answers, whoever asked. One answer may hold both kinds.
    private mutating func handleMulticast(_ message: DNSMessage, _ now: Instant) {
        for index in questions.indices.reversed() where questions[index].path == .multicast {
            let question = questions[index]
            var merged = message
            merged.answers += message.additionals
            guard let chain = AliasChain(merged, question.name, question.query.type, limit: Self.aliasLimit) else { continue }
            if !chain.addresses.isEmpty {
                finish(index, .addresses(chain.addresses), chain.lifetime, now)
            } else if Self.denies(merged, question) {
                finish(index, .noAddress, .seconds(10), now)
            }
        }
    }

    /// RFC 6762 §6.1: an NSEC record of the name without the type's bit.
    private static func denies(_ message: DNSMessage, _ question: PendingQuestion) -> Bool {
        message.answers.contains { record in
            guard record.name == question.name, case .other(.nsec, let bytes) = record.data else { return false }
            return NegativeAnswer.lacks(question.query.type, bytes)
        }
    }
}
