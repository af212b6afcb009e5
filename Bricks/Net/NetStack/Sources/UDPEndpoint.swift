import NetFormats

/// Hears when an endpoint has something for its owner. Called from inside the stack: it may use the stack, but not drive it.
open class EndpointObserver {
    public init() {}
    open func endpointChanged() {}
}

/// A UDP port of a stack.
public final class UDPEndpoint {
    /// Datagrams that wait to be read; more are dropped, as UDP may (RFC 768).
    public static let queuedCountLimit = 1024
    public static let queuedByteLimit = 256 << 10

    public let localPort: UInt16
    /// nil: all addresses of the host.
    public let localAddress: IPAddress?
    /// Only datagrams from here are taken, and errors from there are told.
    public internal(set) var remote: SocketAddress?
    public var observer: EndpointObserver?
    /// Nobody listens there, or there is no way: told once, then forgotten.
    public internal(set) var failure: UDPFailure?
    /// Copies to groups come back on the loopback too; off as for most programs.
    public internal(set) var dropped = 0
    var queue = DatagramQueue()
    let family: Family

    /// Which versions of IP the endpoint takes.
    public enum Family: Sendable {
        case v4
        case v6
        case both

        func takes(_ address: IPAddress) -> Bool {
            switch (self, address) {
            case (.both, _), (.v4, .v4), (.v6, .v6): true
            case (.v4, .v6), (.v6, .v4): false
            }
        }
    }

    init(localPort: UInt16, localAddress: IPAddress?, family: Family) {
        self.localPort = localPort
        self.localAddress = localAddress
        self.family = family
    }

    public var isReadable: Bool { !queue.isEmpty || failure != nil }

    /// The oldest datagram, during `body` only; nil if there is none.
    public func receive<Result>(_ body: (RawSpan, DatagramOrigin) -> Result) -> Result? { queue.removeFirst(body) }

    /// Length of the oldest datagram; 0 if there is none.
    public var nextByteCount: Int { queue.firstByteCount }

    /// Copies the oldest datagram to the start of `target`, as much of it as fits, and gives its whole length and its origin.
    @_lifetime(target: copy target)
    public func receive(into target: inout MutableRawSpan, isPeek: Bool) -> (byteCount: Int, origin: DatagramOrigin)? {
        queue.copyFirst(into: &target, isPeek: isPeek)
    }

    public func takeFailure() -> UDPFailure? {
        defer { failure = nil }
        return failure
    }
}

/// What became of a datagram.
public enum UDPFailure: Error, Equatable, Sendable {
    /// No way to the destination.
    case unreachable
    /// Nobody has the port there (ICMP).
    case refused
    /// More than IP can carry.
    case tooLong
    /// No room in the link.
    case busy
    /// The port is taken, or none is free.
    case addressInUse
    /// Not an address of this host.
    case addressNotAvailable
}

/// The UDP endpoints of a stack.
struct UDPTable {
    var endpoints: [UInt16: [UDPEndpoint]] = [:]
    var scratch: [UInt8] = []

    func isUsed(localPort: UInt16) -> Bool { endpoints[localPort] != nil }

    /// The endpoint that fits best: a connected one before a bound one before a free one.
    func find(localPort: UInt16, local: IPAddress, remote: SocketAddress) -> UDPEndpoint? {
        guard let candidates = endpoints[localPort] else { return nil }
        var best: (endpoint: UDPEndpoint, score: Int)?
        for endpoint in candidates where endpoint.family.takes(local) {
            var score = 1
            if let own = endpoint.localAddress {
                guard own == local else { continue }
                score += 1
            }
            if let peer = endpoint.remote {
                guard peer.address == remote.address, peer.port == remote.port else { continue }
                score += 2
            }
            if let best, best.score >= score { continue }
            best = (endpoint, score)
        }
        return best?.endpoint
    }
}
