import Bytes
import Errno
import NetFormats
import NetStack
import TCP
import Time
import VFS

/// A stream of AF_INET or AF_INET6 (tcp(7)).
public final class TCPSocket: InternetSocket {
    private enum State {
        case idle
        case listening(TCPListeningEndpoint)
        /// Being opened, open, or over.
        case connection(TCPEndpoint)
    }

    private var state = State.idle
    private let link: TCPLink
    /// A call of connect(2) has begun what no later one has seen the end of.
    private var isOpening = false
    private var hasToldFailure = false

    /// Tells the socket's observers of what happens to its endpoint.
    private final class TCPLink: EndpointObserver {
        var socket: TCPSocket?
        override func endpointChanged() { socket?.endpointChanged() }
    }

    public init(_ network: SocketNetwork, _ family: SocketFamily, _ flags: OpenFlags) {
        link = TCPLink()
        super.init(network, family, .stream, 6, flags)
    }

    private convenience init(accepted endpoint: TCPEndpoint, by listener: TCPSocket, _ flags: OpenFlags) {
        self.init(listener.network, listener.family, flags)
        options = listener.options
        options.receiveTimeout = nil
        options.sendTimeout = nil
        attach(endpoint)
        optionsChanged()
    }

    private func attach(_ endpoint: TCPEndpoint) {
        state = .connection(endpoint)
        link.socket = self
        endpoint.observer = link
    }

    private var endpoint: TCPEndpoint? {
        if case .connection(let endpoint) = state { endpoint } else { nil }
    }

    // MARK: What the stack tells

    private func endpointChanged() {
        guard case .connection(let endpoint) = state else { return observers.notify(.input) }
        let events = endpoint.takeEvents()
        var told: PollEvents = []
        if events.contains(.readable) { told.insert(.input) }
        if !events.isDisjoint(with: [.writable, .established]) { told.insert(.output) }
        if events.contains(.endOfStream) { told.formUnion([.input, .readHangUp]) }
        if !events.isDisjoint(with: [.failed, .closed]) { told.formUnion([.input, .output, .readHangUp, .hangUp, .error]) }
        if !told.isEmpty { observers.notify(told) }
    }

    public override var readiness: PollEvents {
        switch state {
        case .idle: return [.output, .hangUp]
        case .listening(let listener): return listener.waitingCount > 0 ? .input : []
        case .connection(let endpoint):
            var events: PollEvents = []
            if endpoint.control.failure != nil, !hasToldFailure { events.insert(.error) }
            let isOver = endpoint.control.isClosed || endpoint.control.isTimeWait
            let hasEnd = isReadShut || endpoint.control.hasReceivedAll
            if hasEnd { events.formUnion([.input, .readHangUp]) }
            if isOver || (hasEnd && isWriteShut) { events.insert(.hangUp) }
            if endpoint.control.readableByteCount > 0 { events.insert(.input) }
            if endpoint.control.state.isSynchronized || isOver {
                if isWriteShut || isOver || endpoint.control.writableByteCount > 0 {
                    events.insert(.output)
                } else {
                    endpoint.awaitRoom()
                }
            }
            return events
        }
    }

    public override func takeError() -> Errno? {
        guard let failure = endpoint?.control.failure, !hasToldFailure else { return nil }
        hasToldFailure = true
        isOpening = false
        return switch failure {
        case .refused: .econnrefused
        case .reset: .econnreset
        case .timedOut: .etimedout
        case .aborted: .econnaborted
        case .unreachable: .ehostunreach
        }
    }

    // MARK: Names

    public override func bind(to name: SocketName) throws(Errno) {
        let address = try localAddress(name)
        guard bound == nil, case .idle = state else { throw .einval }
        guard !address.address.isMulticast else { throw .eaddrnotavail }
        try claimPort(address)
    }

    private func claimPort(_ address: SocketAddress) throws(Errno) {
        var address = address
        address.port = try network.tcpPorts.add(claim(address), random: network.stack.random(), sharesByAddress: false)
        bound = address
    }

    public override func localName() throws(Errno) -> SocketName { name(endpoint?.local ?? bound ?? unspecified) }

    public override func peerName() throws(Errno) -> SocketName {
        guard let endpoint, endpoint.control.state.isSynchronized else { throw .enotconn }
        return name(endpoint.remote)
    }

    // MARK: Connections

    public override func listen(backlog: Int32) throws(Errno) {
        switch state {
        case .listening: return
        case .connection: throw .einval
        case .idle: break
        }
        if bound == nil { try claimPort(unspecified) }
        guard let bound else { throw .einval }
        try network.tcpPorts.listen(number)
        let limit = min(max(Int(backlog < 0 ? .max : backlog), 0) + 1, SocketNetwork.backlogLimit)
        do throws(TCPOpenFailure) {
            let listener = try network.stack.listenTCP(
                port: bound.port, address: stackAddress(bound.address), family: stackFamily(bound.address), backlog: limit,
                isShared: options.reusesPort)
            link.socket = self
            listener.observer = link
            state = .listening(listener)
        } catch {
            throw error == .addressNotAvailable ? .eaddrnotavail : .eaddrinuse
        }
    }

    public override var isListening: Bool {
        if case .listening = state { true } else { false }
    }

    public override func accept(_ flags: OpenFlags) throws(Errno) -> Socket {
        guard case .listening(let listener) = state else { throw .einval }
        guard let endpoint = listener.accept() else { throw .eagain }
        return TCPSocket(accepted: endpoint, by: self, flags)
    }

    public override func connect(to name: SocketName) throws(Errno) {
        if name.family == .unspecified { return disconnect() }
        if case .listening = state { throw .eisconn }
        if let endpoint {
            if let failure = takeError() {
                state = .idle
                hasToldFailure = false
                throw failure
            }
            guard endpoint.control.failure == nil else { return try reopen(name) }
            guard endpoint.control.state.isSynchronized else { throw .ealready }
            guard isOpening else { throw .eisconn }
            isOpening = false
            return
        }
        try open(name)
        throw .einprogress
    }

    /// The blocking caller has waited for what `.einprogress` announced.
    public func finishConnect() throws(Errno) {
        if let failure = takeError() {
            state = .idle
            hasToldFailure = false
            throw failure
        }
        guard let endpoint, endpoint.control.state.isSynchronized else { throw .eagain }
        isOpening = false
    }

    private func reopen(_ name: SocketName) throws(Errno) {
        state = .idle
        hasToldFailure = false
        try open(name)
        throw .einprogress
    }

    private func open(_ name: SocketName) throws(Errno) {
        let remote = try remoteAddress(name)
        let local = bound.flatMap { stackAddress($0.address) }
        var configuration = network.stack.configuration.tcp
        configuration.isNoDelay = options.isNoDelay
        configuration.keepAlive = keepAlive
        configuration.synRetransmissionLimit = UInt8(clamping: options.synCount)
        do throws(TCPOpenFailure) {
            attach(
                try network.stack.connectTCP(to: remote, from: local, localPort: bound?.port ?? 0, configuration: configuration))
        } catch {
            switch error {
            case .addressInUse, .addressNotAvailable: throw .eaddrnotavail
            case .unreachable: throw .enetunreach
            case .tooManyConnections: throw .enobufs
            }
        }
        isOpening = true
        isReadShut = false
        isWriteShut = false
    }

    private func disconnect() {
        endpoint?.abort()
        state = .idle
        isOpening = false
        hasToldFailure = false
    }

    public override func shutDown(_ how: Int32) throws(Errno) {
        guard how >= 0, how <= 2 else { throw .einval }
        switch state {
        case .idle: throw .enotconn
        case .listening(let listener):
            guard how != 1 else { return }
            network.stack.close(listener)
            state = .idle
        case .connection(let endpoint):
            guard !endpoint.control.isClosed else { throw .enotconn }
            if how != 1 { isReadShut = true }
            if how != 0 {
                isWriteShut = true
                endpoint.finish()
            }
        }
        observers.notify([.input, .output, .readHangUp, .hangUp])
    }

    // MARK: Bytes

    public override func write(_ bytes: RawSpan) throws(Errno) -> Int {
        guard case .connection(let endpoint) = state else {
            if case .listening = state { throw .epipe }
            throw .epipe
        }
        if let failure = takeError() { throw failure }
        if isWriteShut { throw .epipe }
        guard endpoint.control.state.isSynchronized else {
            if endpoint.control.isClosed { throw .epipe }
            throw .eagain
        }
        guard endpoint.control.state.canWrite else { throw .epipe }
        if bytes.byteCount == 0 { return 0 }
        let count = endpoint.write(bytes)
        if count == 0 { throw .eagain }
        return count
    }

    public override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard case .connection(let endpoint) = state else { throw .enotconn }
        if bytes.byteCount == 0 { return 0 }
        let count = endpoint.read(into: &bytes)
        if count > 0 { return count }
        try checkEnd(endpoint)
        return 0
    }

    /// Nothing is readable: returns at the end, else throws.
    private func checkEnd(_ endpoint: TCPEndpoint) throws(Errno) {
        if let failure = takeError() { throw failure }
        if isReadShut || endpoint.control.hasReceivedAll { return }
        throw .eagain
    }

    public override func send(_ bytes: RawSpan, _ flags: MessageFlags, _ message: borrowing SentMessage) throws(Errno) -> Int {
        if flags.contains(.outOfBand) { throw .eopnotsupp }
        // A name is not looked at, as on Linux.
        return try write(bytes)
    }

    public override func receive(
        into bytes: inout MutableRawSpan, _ flags: MessageFlags, _ message: inout ReceivedMessage
    ) throws(Errno) -> Int {
        if flags.contains(.outOfBand) { throw .einval }
        guard flags.contains(.peek) || flags.contains(.truncated) else {
            let count = try read(into: &bytes)
            message.byteCount = count
            return count
        }
        guard case .connection(let endpoint) = state else { throw .enotconn }
        if bytes.byteCount == 0 { return 0 }
        let count: Int
        if flags.contains(.peek) {
            count = endpoint.peek(into: &bytes)
        } else {
            // MSG_TRUNC: taken, and given to nobody.
            count = min(bytes.byteCount, endpoint.control.readableByteCount)
            endpoint.consume(count)
        }
        message.byteCount = count
        if count == 0 { try checkEnd(endpoint) }
        return count
    }

    public override var readableByteCount: Int { endpoint?.control.readableByteCount ?? 0 }
    public override var unsentByteCount: Int { endpoint?.control.unacknowledgedByteCount ?? 0 }

    // MARK: Options

    private var keepAlive: TCPControlBlock.KeepAlive? {
        guard options.keepsAlive else { return nil }
        return TCPControlBlock.KeepAlive(
            idle: .seconds(Int(options.keepAliveIdle)), interval: .seconds(Int(options.keepAliveInterval)),
            probeCount: UInt8(clamping: options.keepAliveCount))
    }

    public override func optionsChanged() {
        guard let endpoint else { return }
        let isNoDelay = options.isNoDelay && !options.isCorked
        if endpoint.control.isNoDelay != isNoDelay { endpoint.setNoDelay(isNoDelay) }
        if options.keepsAlive || hasKeepAlive {
            hasKeepAlive = options.keepsAlive
            endpoint.setKeepAlive(keepAlive)
        }
    }

    private var hasKeepAlive = false

    public override func tcpInformation() -> TCPInformation {
        var information = TCPInformation()
        if case .listening = state { information.state = 10 }
        guard let control = endpoint?.control else { return information }
        information.state =
            switch control.state {
            case .established: 1
            case .synSent: 2
            case .synReceived: 3
            case .finWait1: 4
            case .finWait2: 5
            case .timeWait: 6
            case .closed: 7
            case .closeWait: 8
            case .lastAck: 9
            case .closing: 11
            }
        information.retransmissions = control.statistics.retransmittedSegments
        information.segmentSize = UInt32(clamping: control.segmentSize)
        if let time = control.roundTripTime { information.roundTripMicroseconds = UInt32(clamping: time.nanosecondsRoundedUp / 1000) }
        information.congestionWindow = UInt32(clamping: control.congestionWindow / max(1, control.segmentSize))
        information.unacknowledged = UInt32(clamping: control.unacknowledgedByteCount / max(1, control.segmentSize))
        return information
    }

    public override func lastClose() {
        link.socket = nil
        network.tcpPorts.remove(number)
        switch state {
        case .idle: break
        case .listening(let listener): network.stack.close(listener)
        case .connection(let endpoint):
            // What was not read, or must not linger, ends with a reset (RFC 2525 §2.17). What was written is on its way by then.
            if options.linger != 0, endpoint.control.readableByteCount > 0 { network.stack.transmit() }
            if options.linger == 0 || endpoint.control.readableByteCount > 0 { endpoint.abort() } else { endpoint.close() }
        }
        state = .idle
    }
}
