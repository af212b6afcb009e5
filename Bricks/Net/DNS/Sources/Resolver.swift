import Bytes
import DNSFormat
import NetFormats
import Random
import Time

/// Finds the addresses of names: a stub resolver (RFC 1034 §5.3.1, RFC 1123 §6.1.3).
///
/// After every call, send what `nextTransmission` returns until it is nil, and take what `nextCompletion` returns.
public struct Resolver: Sendable {
    public static let lookUpLimit = 64
    public static let cacheLimit = 256
    public static let serverLimit = 4
    public static let searchLimit = 8
    /// CNAMEs on the way from a name to its addresses.
    public static let aliasLimit = 8
    /// Addresses of one name and kind.
    public static let addressLimit = 32
    /// Times that all servers are asked. The wait for an answer doubles from round to round.
    static let roundLimit = 3
    static let firstWait = Duration.seconds(1)
    /// For the answer over a connection.
    static let streamWait = Duration.seconds(5)
    /// Once a name has addresses of one kind, the other kind may take this long.
    static let companionWait = Duration.milliseconds(500)
    /// RFC 6762 §5.2: the second question comes a second later; an owner answers the first at once.
    static let multicastWait = Duration.milliseconds(500)
    static let multicastRoundLimit = 2

    /// One candidate's question of one type, with what came of it.
    struct Part: Sendable {
        var query: Query
        var finding: Finding?
    }

    struct LookUp: Sendable {
        var identifier: LookUpIdentifier
        var families: AddressFamilies
        /// Groups of candidates not yet tried.
        var remaining: [[Candidate]]
        var parts: [Part] = []
        /// The worst that a candidate brought, told if none brings an address.
        var failure: ResolverError?
        /// When to go on with one kind of addresses.
        var deadline: Instant?
    }

    public var configuration: Configuration {
        didSet {
            cache.removeAll()
            restartQuestions()
        }
    }
    var random: KeyedGenerator
    var cache = ResolverCache(limit: cacheLimit)
    var lookUps: [LookUp] = []
    var questions: [PendingQuestion] = []
    var completions: [LookUpCompletion] = []
    var nextIdentifier: UInt64 = 1

    /// `key` is secret: identifiers and ports come from it (RFC 5452 §9.2).
    public init(configuration: Configuration, key: SipHash.Key) {
        self.configuration = configuration
        random = KeyedGenerator(key: key)
    }

    /// A name, with or without a last dot, or an address.
    public mutating func lookUp(_ text: Span<UInt8>, _ families: AddressFamilies = [.ipv4, .ipv6], now: Instant) -> LookUpOutcome {
        if let address = IPAddress(parsing: text) { return Self.outcome([address], families) }
        guard let name = DNSName(parsing: text), !name.isRoot else { return .failed(.invalidName) }
        if let known = configuration.known(name) { return Self.outcome(known, families) }
        guard lookUps.count < Self.lookUpLimit else { return .failed(.busy) }
        let identifier = LookUpIdentifier(rawValue: nextIdentifier)
        nextIdentifier += 1
        let isAbsolute = text[text.count - 1] == UInt8(ascii: ".")
        lookUps.append(
            LookUp(identifier: identifier, families: families, remaining: configuration.candidates(name, isAbsolute: isAbsolute)))
        if let result = advance(lookUps.count - 1, now) {
            lookUps.removeLast()
            switch result {
            case .success(let addresses): return .addresses(addresses)
            case .failure(let error): return .failed(error)
            }
        }
        return .pending(identifier)
    }

    private static func outcome(_ addresses: [IPAddress], _ families: AddressFamilies) -> LookUpOutcome {
        let wanted = addresses.filter { families.contains($0.isIPv6 ? .ipv6 : .ipv4) }
        return wanted.isEmpty ? .failed(.noAddress) : .addresses(wanted)
    }

    /// The caller no longer waits. Its questions go on: their answers may be cached.
    public mutating func cancel(_ identifier: LookUpIdentifier) {
        lookUps.removeAll { $0.identifier == identifier }
        completions.removeAll { $0.identifier == identifier }
        dropUnwanted()
    }

    public mutating func nextCompletion() -> LookUpCompletion? { completions.isEmpty ? nil : completions.removeFirst() }

    public var nextDeadline: Instant? {
        var first: Instant?
        for question in questions { first = min(first ?? question.deadline, question.deadline) }
        for lookUp in lookUps {
            if let deadline = lookUp.deadline { first = min(first ?? deadline, deadline) }
        }
        return first
    }

    public mutating func tick(now: Instant) {
        // From the end: a question that ends is removed.
        for index in questions.indices.reversed() where questions[index].deadline <= now { retry(index, .timedOut, now) }
        settle(now)
    }

    /// Lets every lookup go on as far as it can.
    mutating func settle(_ now: Instant) {
        for index in lookUps.indices.reversed() {
            guard let result = advance(index, now) else { continue }
            completions.append(LookUpCompletion(identifier: lookUps[index].identifier, result: result))
            lookUps.remove(at: index)
        }
        dropUnwanted()
    }

    /// Nil: it waits.
    private mutating func advance(_ index: Int, _ now: Instant) -> Result<[IPAddress], ResolverError>? {
        // Each turn tries the next group of candidates.
        for _ in 0...(Self.searchLimit + 2) {
            if !lookUps[index].parts.isEmpty {
                if let addresses = lookUps[index].addresses(now) { return .success(addresses) }
                guard lookUps[index].isConcluded else { return nil }
                lookUps[index].collectFailure()
            }
            guard !lookUps[index].remaining.isEmpty else { break }
            let group = lookUps[index].remaining.removeFirst()
            lookUps[index].deadline = nil
            lookUps[index].parts = []
            for candidate in group {
                for (family, type) in [(AddressFamilies.ipv6, DNSType.aaaa), (.ipv4, .a)] where lookUps[index].families.contains(family) {
                    let query = Query(candidate: candidate, type: type)
                    lookUps[index].parts.append(Part(query: query, finding: cache.finding(query, now: now) ?? ask(query, now)))
                }
            }
        }
        return .failure(lookUps[index].failure ?? .nameNotFound)
    }

    /// Gives `finding` to all who wait for it.
    mutating func conclude(_ query: Query, _ finding: Finding) {
        for index in lookUps.indices {
            for part in lookUps[index].parts.indices
            where lookUps[index].parts[part].finding == nil && lookUps[index].parts[part].query == query {
                lookUps[index].parts[part].finding = finding
            }
        }
    }

    private mutating func dropUnwanted() {
        questions.removeAll { question in
            !lookUps.contains { $0.parts.contains { $0.finding == nil && $0.query == question.query } }
        }
    }
}

extension Resolver.LookUp {
    /// The addresses of a candidate whose questions are answered, or of one that has waited long enough for the other kind.
    fileprivate mutating func addresses(_ now: Instant) -> [IPAddress]? {
        var isWaiting = false
        for first in parts {
            let own = parts.filter { $0.query.candidate == first.query.candidate }
            var found: [IPAddress] = []
            for part in own {
                if case .addresses(let addresses) = part.finding { found += addresses }
            }
            guard !found.isEmpty else { continue }
            if own.allSatisfy({ $0.finding != nil }) { return found }
            if let deadline, deadline <= now { return found }
            isWaiting = true
        }
        if isWaiting, deadline == nil { deadline = now.advanced(by: Resolver.companionWait) }
        return nil
    }

    fileprivate var isConcluded: Bool { parts.allSatisfy { $0.finding != nil } }

    /// That a server could not be asked says more than that a name does not exist; and no address more than no name.
    fileprivate mutating func collectFailure() {
        for part in parts {
            switch part.finding {
            case .timedOut where !part.query.candidate.isMulticast: failure = .timedOut
            case .serverFailure where failure != .timedOut: failure = .serverFailure
            case .noServers where failure == nil || failure == .nameNotFound: failure = .noServers
            case .noAddress where failure == nil || failure == .nameNotFound: failure = .noAddress
            case .nameNotFound, .timedOut: failure = failure ?? .nameNotFound
            case .addresses, .serverFailure, .noServers, .noAddress, nil: break
            }
        }
    }
}
