import NetFormats
import Time

/// The path MTU to destinations that told of one smaller than the link's (RFC 1191, RFC 8201).
public struct PathMTUCache {
    /// Destinations; beyond them the oldest entry goes.
    public static let maximumEntryCount = 256
    /// RFC 8201 §4: after this a larger one may be tried again.
    public static let timeToLive = Duration.seconds(600)
    /// The least that every IPv6 link carries (RFC 8200 §5), and for IPv4 the least that Linux believes (min_pmtu).
    public static let minimumIPv6 = 1280
    public static let minimumIPv4 = 552

    private struct Entry {
        var byteCount: Int
        var until: Instant
    }

    private var entries: [IPAddress: Entry] = [:]

    public init() {}

    /// nil: the link's own.
    public mutating func lookup(_ destination: IPAddress, now: Instant) -> Int? {
        guard !entries.isEmpty, let entry = entries[destination] else { return nil }
        guard entry.until > now else {
            entries[destination] = nil
            return nil
        }
        return entry.byteCount
    }

    /// A router said that packets to `destination` must be no longer than `byteCount`. Gives what is believed of that.
    public mutating func learn(_ destination: IPAddress, byteCount: Int, now: Instant) -> Int {
        let least =
            switch destination {
            case .v4: Self.minimumIPv4
            case .v6: Self.minimumIPv6
            }
        let believed = max(byteCount, least)
        if entries.count >= Self.maximumEntryCount, entries[destination] == nil {
            var oldest: (key: IPAddress, until: Instant)?
            for (key, entry) in entries where oldest == nil || entry.until < oldest!.until { oldest = (key, entry.until) }
            if let oldest { entries[oldest.key] = nil }
        }
        entries[destination] = Entry(byteCount: believed, until: now.advanced(by: Self.timeToLive))
        return believed
    }
}
