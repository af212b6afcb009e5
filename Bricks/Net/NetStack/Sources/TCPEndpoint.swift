import Containers
import NetFormats
import TCP
import Time

/// One connection of a stack: a control block, and where its segments go.
public final class TCPEndpoint {
    public internal(set) var control: TCPControlBlock
    /// Told of every event; cleared when the connection is over.
    public var observer: EndpointObserver?
    /// What has happened since the observer last looked.
    public internal(set) var events: TCPEvents = []

    let stack: NetStack
    let slot: Int
    let hash: UInt32
    /// Which listener made it, until the handshake is complete.
    var listener: TCPListeningEndpoint?
    var isReady = false
    var path: TCPPath?
    /// Nobody will read or write any more.
    var isReleased = false
    var limitGeneration: UInt32 = 0
    var isInTimeWaitList = false

    init(_ control: TCPControlBlock, stack: NetStack, slot: Int, hash: UInt32) {
        self.control = control
        self.stack = stack
        self.slot = slot
        self.hash = hash
    }

    public var local: SocketAddress { control.local }
    public var remote: SocketAddress { control.remote }

    var key: FlowKey {
        FlowKey(local: local.address, remote: remote.address, localPort: local.port, remotePort: remote.port)
    }

    /// Takes as many of `bytes` as there is room for.
    public func write(_ bytes: RawSpan) -> Int {
        let count = control.write(bytes)
        if count > 0 { stack.markReady(self) }
        return count
    }

    /// Shows what has arrived, in order, in two pieces; `consume` then takes it away.
    public func withReadable<Result>(_ body: (RawSpan, RawSpan) -> Result) -> Result { control.readableBytes.withBytes(body) }

    public func consume(_ byteCount: Int) {
        control.consume(byteCount)
        // The window may have to be told of.
        stack.markReady(self)
    }

    /// Moves what has arrived to the start of `target`, as much as there is and fits, and returns how much.
    @_lifetime(target: copy target)
    public func read(into target: inout MutableRawSpan) -> Int {
        let count = control.read(into: &target)
        if count > 0 { stack.markReady(self) }
        return count
    }

    /// Copies what has arrived to the start of `target`, and returns how much.
    @_lifetime(target: copy target)
    public func peek(into target: inout MutableRawSpan) -> Int { control.readableBytes.copy(into: &target) }

    /// `writable` is to tell when there is room again, although no write has failed.
    public func awaitRoom() { control.awaitRoom() }

    public func setKeepAlive(_ keepAlive: TCPControlBlock.KeepAlive?) {
        control.setKeepAlive(keepAlive, now: stack.now)
        stack.schedule(self)
    }

    public func setNoDelay(_ isNoDelay: Bool) {
        control.isNoDelay = isNoDelay
        stack.markReady(self)
    }

    /// Sends a FIN after what was written; reading goes on.
    public func finish() {
        control.finish()
        stack.markReady(self)
    }

    /// Nobody reads or writes any more: an orderly end if all was read, else a reset (RFC 9293 §3.6.1, RFC 2525 §2.17).
    public func close() {
        observer = nil
        isReleased = true
        control.close(now: stack.now)
        stack.markReady(self)
    }

    /// Ends the connection at once, with a reset.
    public func abort() {
        observer = nil
        isReleased = true
        control.abort()
        stack.markReady(self)
    }

    public func takeEvents() -> TCPEvents {
        defer { events = [] }
        return events
    }
}

/// Where the segments of a connection go, as long as neither routes nor neighbors change.
struct TCPPath {
    var routeGeneration: UInt32
    var neighborGeneration: UInt32
    var hop: Hop
    var link: MACAddress
    /// Of a whole IP packet.
    var maximumTransmissionUnit: Int
}

/// A port on which connections are taken.
public final class TCPListeningEndpoint {
    /// Connections whose handshake is not complete; beyond them SYN cookies are sent, and nothing is kept (RFC 4987 §3.6).
    public static let halfOpenLimit = 256

    public let local: SocketAddress
    let family: UDPEndpoint.Family
    /// Connections that nobody has accepted yet; beyond them SYNs are dropped.
    public let backlog: Int
    public var configuration: TCPControlBlock.Configuration
    public var observer: EndpointObserver?
    var halfOpenCount = 0
    var accepted: [TCPEndpoint] = []
    private var first = 0

    init(local: SocketAddress, family: UDPEndpoint.Family, backlog: Int, configuration: TCPControlBlock.Configuration) {
        self.local = local
        self.family = family
        self.backlog = backlog
        self.configuration = configuration
    }

    public var waitingCount: Int { accepted.count - first }

    /// The connection that has waited longest.
    public func accept() -> TCPEndpoint? {
        guard first < accepted.count else { return nil }
        let endpoint = accepted[first]
        first += 1
        if first * 2 > accepted.count {
            accepted.removeFirst(first)
            first = 0
        }
        return endpoint
    }

    func takes(_ address: IPAddress) -> Bool {
        family.takes(address) && (local.address.isUnspecified || local.address == address)
    }
}

/// Why a connection could not be made or kept.
public enum TCPOpenFailure: Error, Equatable, Sendable {
    case addressInUse
    case addressNotAvailable
    case unreachable
    /// The stack has as many connections as it may have.
    case tooManyConnections
}

/// The connections of a stack.
struct TCPTable {
    var endpoints: [TCPEndpoint?] = []
    var free: [Int32] = []
    var flows = FlowTable()
    var timers = DeadlineHeap()
    /// Slots with something to send, in order.
    var ready: [Int32] = []
    var listeners: [UInt16: [TCPListeningEndpoint]] = [:]
    /// Slots in TIME-WAIT, oldest first; some have been used again since.
    var timeWait: [(slot: Int32, hash: UInt32)] = []
    var timeWaitFirst = 0
    var count = 0
    /// What each connection may hold in a buffer, and its version.
    var bufferLimit = 4 << 20
    var limitGeneration: UInt32 = 1

    func listener(port: UInt16, address: IPAddress) -> TCPListeningEndpoint? {
        guard let candidates = listeners[port] else { return nil }
        var best: TCPListeningEndpoint?
        for listener in candidates where listener.takes(address) {
            // One that names the address goes before one that takes all.
            if best == nil || !listener.local.address.isUnspecified { best = listener }
        }
        return best
    }
}
