import Bytes
import Errno
import LinuxPipes
import VFS

/// A socket of AF_UNIX (unix(7)): streams, datagrams, and packets in sequence, inside of the instance.
public final class UnixSocket: Socket {
    /// Somebody else's connection; told when this one closes.
    var peer: UnixSocket?
    public private(set) var name = UnixName.unnamed
    /// The socket's vnode, if it is bound to a path.
    private var vnode_: Vnode?
    var isClosed = false
    var wasConnected = false
    private var failure: Errno?
    private var listening: Listening?
    var queue = UnixQueue()
    /// Those who wait for room in this socket's queue.
    let room = ObserverList()
    /// A connected datagram socket hears of room in its peer's queue.
    private var relay: RoomRelay?
    let credentials: SocketCredentials
    private var credentialsOfPeer: SocketCredentials?

    private struct Listening {
        var backlog: Int
        var waiting: [UnixSocket] = []
        var credentials: SocketCredentials
    }

    private final class RoomRelay: Observer {
        var socket: UnixSocket?
        override func notify(_ events: PollEvents) { socket?.observers.notify(.output) }
    }

    public init(_ network: SocketNetwork, _ kind: SocketKind, _ credentials: SocketCredentials, _ flags: OpenFlags) throws(Errno) {
        switch kind {
        case .stream, .datagram, .sequencedPacket: break
        default: throw .esocktnosupport
        }
        self.credentials = credentials
        super.init(network, .unix, kind, 0, flags)
    }

    /// socketpair(2)
    public static func pair(
        _ network: SocketNetwork, _ kind: SocketKind, _ credentials: SocketCredentials, _ flags: OpenFlags
    ) throws(Errno) -> (UnixSocket, UnixSocket) {
        let one = try UnixSocket(network, kind, credentials, flags), other = try UnixSocket(network, kind, credentials, flags)
        one.join(other, as: credentials)
        other.join(one, as: credentials)
        return (one, other)
    }

    private func join(_ other: UnixSocket, as credentials: SocketCredentials) {
        leave()
        peer = other
        wasConnected = true
        credentialsOfPeer = credentials
        guard socketKind == .datagram else { return }
        let relay = RoomRelay()
        relay.socket = self
        other.room.add(relay)
        self.relay = relay
    }

    private func leave() {
        if let relay {
            peer?.room.remove(relay)
            relay.socket = nil
        }
        relay = nil
        peer = nil
    }

    private var isConnectionless: Bool { socketKind == .datagram }

    // MARK: Names

    public override func bind(to address: SocketName) throws(Errno) {
        let wanted = try UnixName(address)
        guard name == .unnamed else { throw .einval }
        switch wanted {
        case .unnamed: name = try network.bindUnnamed(self)
        case .abstract(let bytes):
            guard network.abstractSocket(bytes) == nil else { throw .eaddrinuse }
            network.bindAbstract(bytes, self)
            name = wanted
        case .path(let path):
            vnode_ = try network.makeNode(path, self)
            name = wanted
        }
    }

    public override func localName() throws(Errno) -> SocketName { name.socketName }

    public override func peerName() throws(Errno) -> SocketName {
        guard let peer else { throw .enotconn }
        return peer.name.socketName
    }

    public override var peerCredentials: SocketCredentials { credentialsOfPeer ?? listening?.credentials ?? .nobody }

    private func find(_ address: borrowing SocketName) throws(Errno) -> UnixSocket {
        let found: UnixSocket
        switch try UnixName(address) {
        case .unnamed: throw .einval
        case .abstract(let bytes):
            guard let socket = network.abstractSocket(bytes) else { throw .econnrefused }
            found = socket
        case .path(let path): found = try network.socket(at: path)
        }
        guard found.socketKind == socketKind else { throw .eprototype }
        return found
    }

    // MARK: Connections

    public override func listen(backlog: Int32) throws(Errno) {
        guard !isConnectionless else { throw .eopnotsupp }
        guard name != .unnamed, !wasConnected else { throw .einval }
        let limit = max(0, min(Int(backlog < 0 ? .max : backlog), SocketNetwork.backlogLimit))
        if listening != nil {
            listening?.backlog = limit
        } else {
            listening = Listening(backlog: limit, credentials: credentials)
        }
    }

    public override var isListening: Bool { listening != nil }

    public override func connect(to address: SocketName) throws(Errno) {
        if isConnectionless {
            if address.family == .unspecified {
                leave()
                return
            }
            let other = try find(address)
            guard other.peer == nil || other.peer === self else { throw .eperm }
            join(other, as: other.credentials)
            return observers.notify(.output)
        }
        let other = try find(address)
        guard listening == nil else { throw .einval }
        guard !wasConnected else { throw .eisconn }
        guard let queue = other.listening, !other.isClosed, !other.isReadShut else { throw .econnrefused }
        guard queue.waiting.count <= queue.backlog else {
            blockedOn = other.room
            throw .eagain
        }
        let accepted = try UnixSocket(network, socketKind, other.credentials, [])
        accepted.name = other.name
        accepted.options.passesCredentials = other.options.passesCredentials
        join(accepted, as: queue.credentials)
        accepted.join(self, as: credentials)
        other.listening?.waiting.append(accepted)
        observers.notify(.output)
        other.observers.notify(.input)
    }

    public override func accept(_ flags: OpenFlags) throws(Errno) -> Socket {
        guard !isConnectionless else { throw .eopnotsupp }
        guard let queue = listening else { throw .einval }
        guard !queue.waiting.isEmpty else {
            blockedOn = nil
            if isReadShut { throw .einval }
            throw .eagain
        }
        let socket = listening?.waiting.removeFirst() ?? self
        socket.flags = flags.union(.readWrite)
        room.notify(.output)
        return socket
    }

    public override func shutDown(_ how: Int32) throws(Errno) {
        guard how >= 0, how <= 2 else { throw .einval }
        guard isConnectionless || peer != nil || isListening || wasConnected else { throw .enotconn }
        if how != 1 { isReadShut = true }
        if how != 0 { isWriteShut = true }
        if !isConnectionless, let peer {
            if how != 1 { peer.isWriteShut = true }
            if how != 0 { peer.isReadShut = true }
            peer.observers.notify([.input, .output, .readHangUp, .hangUp])
        }
        observers.notify([.input, .output, .readHangUp, .hangUp])
    }

    // MARK: Readiness

    public override var readiness: PollEvents {
        var events: PollEvents = []
        if failure != nil { events.insert(.error) }
        if let listening {
            if !listening.waiting.isEmpty || isReadShut { events.insert(.input) }
            return events
        }
        if isReadShut { events.formUnion([.input, .readHangUp]) }
        if isReadShut && isWriteShut { events.insert(.hangUp) }
        if !queue.isEmpty { events.insert(.input) }
        if !isConnectionless, !wasConnected { events.insert(.hangUp) }
        if canWrite { events.insert(.output) }
        return events
    }

    private var canWrite: Bool {
        guard let peer, !isWriteShut, !peer.isClosed else { return true }
        return peer.queue.isWritable
    }

    public override func takeError() -> Errno? {
        defer { failure = nil }
        return failure
    }

    public override var readableByteCount: Int { queue.firstByteCount(isStream: isStream) }
    public override var unsentByteCount: Int { peer?.queue.byteCount ?? 0 }

    // MARK: Messages

    public override func send(_ bytes: RawSpan, _ flags: MessageFlags, _ message: borrowing SentMessage) throws(Errno) -> Int {
        if flags.contains(.outOfBand) { throw .eopnotsupp }
        let target = try target(message)
        if isWriteShut { throw .epipe }
        if let failure = takeError() { throw failure }
        guard target.isConnected(from: self) else { throw isConnectionless ? .econnrefused : .epipe }
        if isConnectionless, target.isReadShut { throw .epipe }
        guard message.files.count <= SentMessage.fileLimit else { throw .einval }
        let attached = UnixQueue.Attachment(
            files: message.files, credentials: message.credentials ?? credentials, name: name.socketName)
        if isStream {
            if bytes.byteCount == 0 { return 0 }
            let count = min(bytes.byteCount, target.queue.room)
            guard count > 0 else {
                blockedOn = nil
                throw .eagain
            }
            try network.hold(message.files)
            target.queue.append(stream: bytes.extracting(first: count), attached)
            target.observers.notify(.input)
            return count
        }
        guard bytes.byteCount <= Int(options.sendBuffer) - 32, bytes.byteCount <= UnixQueue.byteLimit else { throw .emsgsize }
        guard target.queue.hasRoom(for: bytes.byteCount) else {
            blockedOn = isConnectionless ? target.room : nil
            throw .eagain
        }
        try network.hold(message.files)
        target.queue.append(record: bytes, attached)
        target.observers.notify(.input)
        return bytes.byteCount
    }

    private func target(_ message: borrowing SentMessage) throws(Errno) -> UnixSocket {
        if isConnectionless, !message.name.isEmpty {
            let found = try find(message.name)
            guard found.peer == nil || found.peer === self else { throw .eperm }
            return found
        }
        if !message.name.isEmpty, isStream { throw wasConnected ? .eisconn : .eopnotsupp }
        guard let peer else { throw wasConnected && !isConnectionless ? .epipe : .enotconn }
        if isConnectionless, peer.isClosed {
            leave()
            throw .econnrefused
        }
        return peer
    }

    private func isConnected(from other: UnixSocket) -> Bool { !isClosed }

    public override func receive(
        into bytes: inout MutableRawSpan, _ flags: MessageFlags, _ message: inout ReceivedMessage
    ) throws(Errno) -> Int {
        if flags.contains(.outOfBand) { throw .eopnotsupp }
        if isListening || (isStream && !wasConnected) { throw .einval }
        if !isConnectionless, !wasConnected { throw .enotconn }
        guard !queue.isEmpty else {
            blockedOn = nil
            if let failure = takeError() { throw failure }
            if isReadShut { return 0 }
            throw .eagain
        }
        let wasFull = !queue.isWritable
        let isPeek = flags.contains(.peek)
        var attached = UnixQueue.Attachment()
        let count: Int
        if isStream {
            count = queue.take(stream: &bytes, isPeek: isPeek, &attached)
            message.byteCount = count
        } else {
            let whole = queue.take(record: &bytes, isPeek: isPeek, &attached)
            count = min(whole, bytes.byteCount)
            message.byteCount = whole
            if whole > count { message.flags.insert(.truncated) }
        }
        if !isStream || isConnectionless, attached.name.byteCount > 2 { message.name = attached.name }
        if options.passesCredentials { message.credentials = attached.credentials }
        if isPeek {
            for file in attached.files { file.retain() }
        } else {
            network.letGo(attached.files.count)
            if !isStream || (wasFull && queue.isWritable) {
                peer?.observers.notify(.output)
                room.notify(.output)
            }
        }
        message.files.append(contentsOf: attached.files)
        return count
    }

    // MARK: The end

    public override func lastClose() {
        isClosed = true
        switch name {
        case .abstract(let bytes): network.unbindAbstract(bytes, self)
        case .path: if vnode_?.object === self { vnode_?.object = nil }
        case .unnamed: break
        }
        if let waiting = listening?.waiting {
            listening?.waiting = []
            for socket in waiting {
                socket.queue.hasUnread = true
                socket.discard()
            }
        }
        listening = nil
        if !isConnectionless, let other = peer {
            if !queue.isEmpty || queue.hasUnread { other.failure = .econnreset }
            other.isReadShut = true
            other.isWriteShut = true
            if other.peer === self { other.peer = nil }
            other.observers.notify([.input, .output, .hangUp, .readHangUp, .error])
        }
        leave()
        let files = queue.removeAll()
        network.letGo(files.count)
        for file in files { file.release() }
        room.notify([.output, .error])
    }
}
