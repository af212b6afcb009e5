import Bytes
import Errno
import NetFormats
import NetStack
import VFS

/// Datagrams of AF_INET or AF_INET6 (udp(7)).
public final class UDPSocket: InternetSocket {
    private final class UDPLink: EndpointObserver {
        var socket: UDPSocket?
        override func endpointChanged() { socket?.observers.notify(.input) }
    }

    private var endpoint: UDPEndpoint?
    private let link: UDPLink

    public init(_ network: SocketNetwork, _ family: SocketFamily, _ flags: OpenFlags) {
        link = UDPLink()
        super.init(network, family, .datagram, 17, flags)
    }

    public override var readiness: PollEvents {
        var events: PollEvents = .output
        if let endpoint {
            if endpoint.nextByteCount > 0 || endpoint.isReadable { events.insert(.input) }
            if endpoint.failure != nil { events.insert(.error) }
        }
        if isReadShut {
            events.formUnion([.input, .readHangUp])
            if isWriteShut { events.insert(.hangUp) }
        }
        return events
    }

    public override func takeError() -> Errno? {
        switch endpoint?.takeFailure() {
        case nil: nil
        case .refused: .econnrefused
        default: .ehostunreach
        }
    }

    // MARK: Names

    public override func bind(to name: SocketName) throws(Errno) {
        let address = try localAddress(name)
        guard bound == nil else { throw .einval }
        try open(address)
    }

    /// Takes the port; a free one if it is 0.
    private func open(_ address: SocketAddress) throws(Errno) {
        var address = address
        address.port = try network.udpPorts.add(claim(address), random: network.stack.random(), sharesByAddress: true)
        do throws(UDPFailure) {
            let endpoint = try network.stack.bindUDP(
                port: address.port, address: stackAddress(address.address), family: stackFamily(address.address),
                isShared: options.reusesAddress || options.reusesPort)
            link.socket = self
            endpoint.observer = link
            self.endpoint = endpoint
        } catch {
            network.udpPorts.remove(number)
            throw error == .addressNotAvailable ? .eaddrnotavail : .eaddrinuse
        }
        bound = address
    }

    private func opened() throws(Errno) -> UDPEndpoint {
        if let endpoint { return endpoint }
        try open(unspecified)
        guard let endpoint else { throw .einval }
        return endpoint
    }

    public override func connect(to name: SocketName) throws(Errno) {
        if name.family == .unspecified {
            if let endpoint { network.stack.disconnect(endpoint) }
            return
        }
        let remote = try remoteAddress(name)
        let endpoint = try opened()
        do throws(UDPFailure) { try network.stack.connect(endpoint, to: remote) } catch { throw .enetunreach }
    }

    public override func localName() throws(Errno) -> SocketName {
        guard var address = bound else { return name(unspecified) }
        if address.address.isUnspecified, let remote = endpoint?.remote, let source = network.stack.source(for: remote) {
            address.address = source
        }
        return name(address)
    }

    public override func peerName() throws(Errno) -> SocketName {
        guard let remote = endpoint?.remote else { throw .enotconn }
        return name(remote)
    }

    public override func shutDown(_ how: Int32) throws(Errno) {
        guard how >= 0, how <= 2 else { throw .einval }
        guard endpoint?.remote != nil else { throw .enotconn }
        if how != 1 { isReadShut = true }
        if how != 0 { isWriteShut = true }
        observers.notify([.input, .output, .readHangUp, .hangUp])
    }

    // MARK: Datagrams

    public override func send(_ bytes: RawSpan, _ flags: MessageFlags, _ message: borrowing SentMessage) throws(Errno) -> Int {
        if flags.contains(.outOfBand) { throw .eopnotsupp }
        if isWriteShut { throw .epipe }
        let remote: SocketAddress
        if message.name.isEmpty {
            guard let peer = endpoint?.remote else { throw .edestaddrreq }
            remote = peer
        } else {
            remote = try message.name.family == .unspecified ? unspecified : remoteAddress(message.name)
            guard remote.port != 0 else { throw .einval }
        }
        if case .v4(let address) = remote.address, address.isBroadcast, !options.broadcasts { throw .eacces }
        let endpoint = try opened()
        if let failure = takeError() { throw failure }
        do throws(UDPFailure) {
            let limit = remote.address.isMulticast ? options.multicastHopLimit : options.hopLimit
            try network.stack.send(bytes, from: endpoint, to: remote, hopLimit: UInt8(clamping: max(1, limit)))
        } catch {
            switch error {
            case .unreachable, .refused, .addressInUse, .addressNotAvailable: throw .enetunreach
            case .tooLong: throw .emsgsize
            // The link drops it, as any router may.
            case .busy: break
            }
        }
        network.stack.deliverLoopback()
        return bytes.byteCount
    }

    public override func receive(
        into bytes: inout MutableRawSpan, _ flags: MessageFlags, _ message: inout ReceivedMessage
    ) throws(Errno) -> Int {
        if flags.contains(.outOfBand) { throw .eopnotsupp }
        if flags.contains(.errorQueue) { throw .eagain }
        guard let endpoint else {
            // Without a port nothing can come; waiting is still allowed.
            if isReadShut { return 0 }
            throw .eagain
        }
        if let failure = takeError() { throw failure }
        guard let (count, origin) = endpoint.receive(into: &bytes, isPeek: flags.contains(.peek)) else {
            if isReadShut { return 0 }
            throw .eagain
        }
        message.byteCount = count
        message.name = name(origin.source)
        if options.wantsPacketInformation {
            message.packetInformation = PacketInformation(interface: origin.interface, destination: origin.destination)
        }
        if count > bytes.byteCount { message.flags.insert(.truncated) }
        return min(count, bytes.byteCount)
    }

    public override var readableByteCount: Int { endpoint?.nextByteCount ?? 0 }

    public override func lastClose() {
        link.socket = nil
        network.udpPorts.remove(number)
        if let endpoint { network.stack.close(endpoint) }
        endpoint = nil
    }
}
