import NetFormats
import Time

/// Which link-layer address an IP neighbor has, and whether it is still there: RFC 4861 §7.3 for IPv6, and the same for ARP.
///
/// Not a protocol: it says when to ask, and is told of answers.
public struct NeighborCache {
    /// RETRANS_TIMER, RFC 4861 §10.
    public static let retransmissionInterval = Duration.seconds(1)
    /// REACHABLE_TIME, RFC 4861 §10.
    public static let reachableTime = Duration.seconds(30)
    /// DELAY_FIRST_PROBE_TIME, RFC 4861 §10.
    public static let delayBeforeProbe = Duration.seconds(5)
    /// MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT, RFC 4861 §10.
    public static let maximumSolicitations = 3
    /// Entries; beyond them the one used longest ago goes, incomplete ones first.
    public static let maximumEntryCount = 512
    /// Packets that wait for one neighbor; the oldest goes first (RFC 4861 §7.2.2).
    public static let maximumQueuedPackets = 16

    /// A packet without its Ethernet header, kept until its next hop is known.
    public struct QueuedPacket {
        public var bytes: [UInt8]
        public var isIPv6: Bool
        public init(bytes: [UInt8], isIPv6: Bool) {
            self.bytes = bytes
            self.isIPv6 = isIPv6
        }
    }

    /// What the owner must do.
    public enum Action {
        /// Ask everybody on the link.
        case solicit(IPAddress)
        /// Ask the neighbor itself.
        case probe(IPAddress, MACAddress)
        /// Nobody answered: these packets cannot be delivered.
        case unreachable(IPAddress, [QueuedPacket])
    }

    private enum State {
        case incomplete(Incomplete)
        case reachable(until: Instant)
        case stale
        case delayed(until: Instant)
        case probing(sent: Int, next: Instant)
    }

    private struct Incomplete {
        var sent = 1
        var next: Instant
        var packets: [QueuedPacket] = []
    }

    private struct Entry {
        var address: IPAddress
        var link: MACAddress
        var state: State
        var isRouter = false
        var lastUse: Instant
    }

    private var entries: [IPAddress: Entry] = [:]
    /// Changes whenever an address that `lookup` gave may no longer be right, so that callers may keep it as long.
    public private(set) var generation: UInt32 = 1
    public private(set) var nextDeadline = Instant.distantFuture

    public init() {}

    public var count: Int { entries.count }

    /// The link-layer address of `address` if it is known; using it may start a check whether the neighbor is still there.
    public mutating func lookup(_ address: IPAddress, now: Instant) -> MACAddress? {
        guard var entry = entries[address] else { return nil }
        entry.lastUse = now
        switch entry.state {
        case .incomplete: return nil
        case .stale:
            entry.state = .delayed(until: now.advanced(by: Self.delayBeforeProbe))
            noteDeadline(now.advanced(by: Self.delayBeforeProbe))
        case .reachable, .delayed, .probing: break
        }
        entries[address] = entry
        return entry.link
    }

    /// Keeps `packet` until the neighbor is known. True if the neighbor must be solicited now.
    public mutating func enqueue(_ packet: QueuedPacket, for address: IPAddress, now: Instant) -> Bool {
        if var entry = entries[address], case .incomplete(var incomplete) = entry.state {
            if incomplete.packets.count >= Self.maximumQueuedPackets { incomplete.packets.removeFirst() }
            incomplete.packets.append(packet)
            entry.state = .incomplete(incomplete)
            entries[address] = entry
            return false
        }
        makeRoom()
        let next = now.advanced(by: Self.retransmissionInterval)
        let incomplete = Incomplete(next: next, packets: [packet])
        entries[address] = Entry(address: address, link: MACAddress(rawValue: 0), state: .incomplete(incomplete), lastUse: now)
        noteDeadline(next)
        return true
    }

    /// Somebody said where `address` is without being asked (RFC 826; RFC 4861 §7.2.3): gives the packets that waited for it.
    ///
    /// Only an entry that is there, or one that is `wanted` (it spoke to us), is written: nobody can fill the cache with strangers.
    public mutating func learn(_ address: IPAddress, _ link: MACAddress, wanted: Bool, now: Instant) -> [QueuedPacket] {
        guard var entry = entries[address] else {
            guard wanted else { return [] }
            makeRoom()
            entries[address] = Entry(address: address, link: link, state: .stale, lastUse: now)
            return []
        }
        var packets: [QueuedPacket] = []
        switch entry.state {
        case .incomplete(let incomplete):
            packets = incomplete.packets
            entry.state = .stale
        case .reachable, .stale, .delayed, .probing:
            guard entry.link != link else { return [] }
            entry.state = .stale
        }
        entry.link = link
        entries[address] = entry
        generation &+= 1
        return packets
    }

    /// An answer to a solicitation of ours: the neighbor is there (RFC 4861 §7.2.5). Gives the packets that waited for it.
    public mutating func confirm(_ address: IPAddress, _ link: MACAddress?, isOverride: Bool = true, now: Instant) -> [QueuedPacket] {
        guard var entry = entries[address] else { return [] }
        let until = now.advanced(by: Self.reachableTime)
        var packets: [QueuedPacket] = []
        switch entry.state {
        case .incomplete(let incomplete):
            guard let link else { return [] }
            packets = incomplete.packets
            entry.link = link
        case .reachable, .stale, .delayed, .probing:
            if let link, link != entry.link {
                guard isOverride else {
                    if case .reachable = entry.state { entry.state = .stale }
                    entries[address] = entry
                    return []
                }
                entry.link = link
            }
        }
        entry.state = .reachable(until: until)
        entries[address] = entry
        generation &+= 1
        noteDeadline(until)
        return packets
    }

    /// Does what is due, and gives each thing that the owner must do to `body`.
    public mutating func tick(now: Instant, _ body: (Action) -> Void) {
        guard nextDeadline <= now else { return }
        nextDeadline = .distantFuture
        var actions: [Action] = []
        for address in entries.keys.map({ $0 }) { advance(address, now: now, &actions) }
        for action in actions { body(action) }
    }

    private mutating func advance(_ address: IPAddress, now: Instant, _ actions: inout [Action]) {
        guard var entry = entries[address] else { return }
        switch entry.state {
        case .stale: return
        case .incomplete(var incomplete):
            if incomplete.next <= now {
                guard incomplete.sent < Self.maximumSolicitations else {
                    entries[address] = nil
                    actions.append(.unreachable(address, incomplete.packets))
                    return
                }
                incomplete.sent += 1
                incomplete.next = now.advanced(by: Self.retransmissionInterval)
                actions.append(.solicit(address))
            }
            noteDeadline(incomplete.next)
            entry.state = .incomplete(incomplete)
        case .reachable(let until):
            if until > now { return noteDeadline(until) }
            entry.state = .stale
            generation &+= 1
        case .delayed(let until):
            if until > now { return noteDeadline(until) }
            probe(&entry, sent: 1, now: now, &actions)
        case .probing(let sent, let next):
            if next > now { return noteDeadline(next) }
            guard sent < Self.maximumSolicitations else {
                entries[address] = nil
                generation &+= 1
                return
            }
            probe(&entry, sent: sent + 1, now: now, &actions)
        }
        entries[address] = entry
    }

    private mutating func probe(_ entry: inout Entry, sent: Int, now: Instant, _ actions: inout [Action]) {
        let next = now.advanced(by: Self.retransmissionInterval)
        entry.state = .probing(sent: sent, next: next)
        actions.append(.probe(entry.address, entry.link))
        noteDeadline(next)
    }

    private mutating func noteDeadline(_ deadline: Instant) {
        if deadline < nextDeadline { nextDeadline = deadline }
    }

    private mutating func makeRoom() {
        guard entries.count >= Self.maximumEntryCount else { return }
        var victim: Entry?
        for entry in entries.values {
            if let kept = victim, Self.rank(kept) <= Self.rank(entry) { continue }
            victim = entry
        }
        if let victim {
            entries[victim.address] = nil
            generation &+= 1
        }
    }

    /// Lower goes first.
    private static func rank(_ entry: Entry) -> UInt64 {
        if case .incomplete = entry.state { return entry.lastUse.nanoseconds >> 1 }
        return entry.lastUse.nanoseconds >> 1 | 1 << 63
    }
}
