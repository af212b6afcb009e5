import Containers
import DNSFormat
import IP
import NetFormats
import NetworkLink
import Random
import TCP
import Time

/// A TCP/IP host: interfaces, addresses, routes, and the sockets on them. It does no I/O beyond its links and reads no clock.
///
/// The owner drives it: `advance` with the time, `receive` for what has arrived, `transmit` for what is to go, again no later
/// than `nextDeadline`. Not thread-safe.
public final class NetStack {
    public struct Configuration: Sendable {
        /// What all connections together may hold in buffers, in bytes.
        public var bufferByteLimit = 64 << 20
        /// Connections of all states.
        public var maximumConnectionCount = 65_536
        /// Connections that are over but for stray segments; the oldest goes first.
        public var maximumTimeWaitCount = 4_096
        public var tcp = TCPControlBlock.Configuration()

        public init() {}
    }

    public let configuration: Configuration
    public internal(set) var interfaces: [NetworkInterface] = []
    public let loopback: NetworkInterface
    /// As given to `advance` last.
    public private(set) var now: Instant
    public internal(set) var counts = StackCounts()

    /// The longest prefix first.
    public internal(set) var routes: [Route] = []
    /// Changes with every change of a route or an address.
    public var addressGeneration: UInt32 { routeGeneration }
    /// The same, so that sockets know when to look again.
    var routeGeneration: UInt32 = 1
    var key: SipHash.Key
    private var randomCounter: UInt64 = 0
    /// When something other than a TCP socket must be looked at.
    private var nextMaintenance = Instant.distantFuture

    var reassembler = Reassembler()
    var pathMTUs = PathMTUCache()
    /// RFC 4443 §2.4 (f), RFC 1812 §4.3.2.8.
    var errorBucket = TokenBucket(capacity: 50, interval: .milliseconds(10))
    var resetBucket = TokenBucket(capacity: 100, interval: .milliseconds(2))
    var identification: UInt32
    let sequences: InitialSequenceNumbers
    let cookies: SYNCookies

    /// In the order in which they are asked.
    public internal(set) var nameServers: [NameServer] = []
    public internal(set) var searchDomains: [DNSName] = []
    /// Changes with either.
    public internal(set) var configurationGeneration: UInt32 = 0

    var tcp = TCPTable()
    var udp = UDPTable()

    /// `seed` is 128 secret bits: sequence numbers, ports and identifiers come from it.
    public init(configuration: Configuration = Configuration(), seed: SipHash.Key, now: Instant) {
        self.configuration = configuration
        self.now = now
        key = seed
        identification = UInt32(truncatingIfNeeded: seed.low &+ seed.high)
        // Three keys from one, so that no use of it tells of another.
        sequences = InitialSequenceNumbers(key: Self.derive(seed, 1))
        cookies = SYNCookies(key: Self.derive(seed, 2))
        let link = LoopbackLink()
        loopback = NetworkInterface(index: 1, link: link, isLoopback: true)
        interfaces = [loopback]
        assign(.v4(.loopback), prefixLength: 8, to: loopback)
        assign(.v6(.loopback), prefixLength: 128, to: loopback)
    }

    /// Adds a link; its index is its place in `interfaces`, from 1.
    public func add(_ link: any NetworkLink) -> NetworkInterface {
        let interface = NetworkInterface(index: UInt32(interfaces.count + 1), link: link, isLoopback: false)
        interfaces.append(interface)
        return interface
    }

    /// Moves the stack's time, and does what is due. An earlier instant than the last changes nothing.
    public func advance(to instant: Instant) {
        if instant > now { now = instant }
        tickConnections()
        guard nextMaintenance <= now else { return }
        nextMaintenance = .distantFuture
        maintainNeighbors()
        maintainReassembly()
        maintainAddresses()
        maintainRoutes()
        maintainConfiguration()
    }

    /// When `advance` must be called at the latest.
    public var nextDeadline: Instant { min(nextMaintenance, tcp.timers.nextDeadline) }

    /// Takes in at most `limit` frames of each interface, and gives their number.
    @discardableResult
    public func receive(limit: Int = 64) -> Int {
        var count = 0
        for interface in interfaces {
            count += interface.link.receive(limit: limit) { frame, offload in
                receive(frame, offload, from: interface)
            }
        }
        return count
    }

    /// Takes in what is on its way to the stack itself, without waiting for its turn.
    public func deliverLoopback() {
        guard (loopback.link as? LoopbackLink)?.isEmpty == false else { return }
        _ = loopback.link.receive(limit: 64) { frame, offload in receive(frame, offload, from: loopback) }
    }

    /// Sends what sockets have to send, and whatever the links have gathered.
    public func transmit() {
        transmitConnections()
        for interface in interfaces { interface.link.flush() }
    }

    /// Whether there is work that needs no event from outside: sockets with output, frames in the loopback.
    public var isBusy: Bool { !tcp.ready.isEmpty || (loopback.link as? LoopbackLink)?.isEmpty == false }

    private static func derive(_ key: SipHash.Key, _ purpose: UInt8) -> SipHash.Key {
        var low = SipHash(key: key), high = SipHash(key: key)
        low.add(purpose)
        high.add(~purpose)
        return SipHash.Key(low: low.value, high: high.value)
    }

    func noteDeadline(_ deadline: Instant) {
        if deadline < nextMaintenance { nextMaintenance = deadline }
    }

    /// Bits that nobody outside can foretell.
    public func random() -> UInt64 {
        randomCounter &+= 1
        var hash = SipHash(key: key)
        hash.add(randomCounter)
        hash.add(now.nanoseconds)
        return hash.value
    }
}

/// Packets of a stack since it was made, by what became of them.
public struct StackCounts: Equatable, Sendable {
    public var packetsReceived = 0
    public var malformed = 0
    public var badChecksums = 0
    public var notForUs = 0
    public var unknownProtocols = 0
    public var noRoute = 0
    public var connectionsRefused = 0
    public var cookiesSent = 0
    public var cookiesAccepted = 0
    public var synDropped = 0
    public var resetsSent = 0
    public var datagramsDropped = 0

    public init() {}
}
