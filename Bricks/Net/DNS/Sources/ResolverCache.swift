import DNSFormat
import NetFormats
import Time

/// What one question about one name brought.
enum Finding: Equatable {
    case addresses([IPAddress])
    case noAddress
    case nameNotFound
    case serverFailure
    case timedOut
    case noServers
}

/// A name and what is wanted of it.
struct Query: Equatable {
    var candidate: Resolver.Candidate
    var type: DNSType
}

/// Answers and refusals, each for its time.
struct ResolverCache {
    /// RFC 2308 §5 and §7.1: nothing is kept longer, whatever a server says.
    static let lifetimeLimit = Duration.seconds(86_400)
    static let negativeLifetimeLimit = Duration.seconds(300)

    private struct Entry {
        var query: Query
        var finding: Finding
        var expiry: Instant
    }

    private var entries: [Entry] = []
    let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.count }

    func finding(_ query: Query, now: Instant) -> Finding? {
        entries.first { $0.expiry > now && $0.query == query }?.finding
    }

    /// When the cache is full, what ends first makes room.
    mutating func insert(_ query: Query, _ finding: Finding, lifetime: Duration, now: Instant) {
        guard lifetime > .zero else { return }
        let bound = if case .addresses = finding { Self.lifetimeLimit } else { Self.negativeLifetimeLimit }
        entries.removeAll { $0.expiry <= now || $0.query == query }
        if entries.count >= limit, let first = entries.indices.min(by: { entries[$0].expiry < entries[$1].expiry }) {
            entries.swapAt(first, entries.count - 1)
            entries.removeLast()
        }
        entries.append(Entry(query: query, finding: finding, expiry: now.advanced(by: min(lifetime, bound))))
    }

    mutating func removeAll() { entries = [] }
}
