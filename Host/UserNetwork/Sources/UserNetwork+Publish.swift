import Glibc
import NetFormats

/// A published port's socket.
struct Listener {
    let socket: HostSocket
    let port: PublishedPort
    let isIPv6: Bool
    /// Clients may be waiting for the instance to be heard.
    var isWaiting = false
}

/// Who has sent datagrams to a published port.
struct PublishedClient: Hashable {
    var listener: Int
    var address: SocketAddress
}

/// The sockets of published ports: taken before the instance starts, so that a port that is taken is told in time.
///
/// They belong to the `UserNetwork` that is made with them, which closes them; otherwise they are closed when this is released.
public final class PublishedSockets: @unchecked Sendable {
    /// The system may allow less: net.core.somaxconn.
    private static let backlog: Int32 = 16_384

    private var listeners: [Listener] = []

    public init(_ ports: [PublishedPort] = []) throws(UserNetworkError) {
        for port in ports { try publish(port) }
    }

    deinit { for listener in listeners { listener.socket.close() } }

    /// Gives them away.
    func take() -> [Listener] {
        defer { listeners = [] }
        return listeners
    }

    /// Without an address the port is taken on IPv4 and, if the host has it, on IPv6.
    private func publish(_ port: PublishedPort) throws(UserNetworkError) {
        switch port.hostAddress {
        case .some(let address): try listen(port, on: address)
        case nil:
            try listen(port, on: .v4(.unspecified))
            guard let probe = HostSocket(.tcp, isIPv6: true) else { return }
            probe.close()
            do throws(UserNetworkError) { try listen(port, on: .v6(.unspecified)) } catch {
                // A host whose IPv6 is switched off has no such address.
                guard case .cannotPublish(_, EADDRNOTAVAIL) = error else { throw error }
            }
        }
    }

    private func listen(_ port: PublishedPort, on address: IPAddress) throws(UserNetworkError) {
        guard let socket = HostSocket(port.transport == .tcp ? .tcp : .udp, isIPv6: address.isIPv6) else {
            throw .cannotPublish(port, errno: errno)
        }
        if port.transport == .tcp { socket.set(SOL_SOCKET, SO_REUSEADDR, 1) }
        let isBound = socket.bind(to: SocketAddress(address: address, port: port.hostPort))
        guard isBound, port.transport == .udp || Glibc.listen(socket.descriptor, Self.backlog) == 0 else {
            let error = errno
            socket.close()
            throw .cannotPublish(port, errno: error)
        }
        listeners.append(Listener(socket: socket, port: port, isIPv6: address.isIPv6))
    }
}

extension UserNetwork {
    /// Clients that are accepted in one turn.
    static let acceptLimit = 256

    func handleListener(_ index: Int) {
        guard listeners.indices.contains(index) else { return }
        listeners[index].isWaiting = true
        guard instanceIPv4 != nil, instanceHardware != nil else {
            nextProbe = min(nextProbe, now)
            return
        }
        switch listeners[index].port.transport {
        case .tcp: accept(index)
        case .udp: receive(index)
        }
    }

    /// The instance has been heard.
    func acceptWaiting() {
        for index in listeners.indices where listeners[index].isWaiting { handleListener(index) }
    }

    private func accept(_ index: Int) {
        for _ in 0..<Self.acceptLimit {
            guard let (socket, _) = listeners[index].socket.accept() else {
                // Without a free descriptor they wait on, until the next sweep.
                listeners[index].isWaiting = errno != EAGAIN
                return
            }
            guard let key = clientKey(index, .tcp) else {
                socket.reset()
                continue
            }
            connectInstance(socket, key)
        }
        hasWaitingListeners = true
    }

    private func receive(_ index: Int) {
        for _ in 0..<Self.datagramBatchLimit {
            let (outcome, source) = listeners[index].socket.receive(into: buffer)
            guard case .done(let count) = outcome, let source else {
                // An error of an earlier answer is not this port's end.
                if outcome == .wait { listeners[index].isWaiting = false }
                return
            }
            guard let flow = publishedFlow(index, source) else { continue }
            flow.lastUse = now
            flow.hasAnswer = true
            if count <= 65_507 { buffer.withBytes(count) { transmitUDP(from: flow.key.remote, to: flow.key.instance, $0) } }
        }
        hasWaitingListeners = true
    }

    private func publishedFlow(_ index: Int, _ client: SocketAddress) -> DatagramFlow? {
        let name = PublishedClient(listener: index, address: client)
        if let number = publishedClients[name] { return datagramFlows[number] }
        guard let key = clientKey(index, .udp) else { return nil }
        let flow = DatagramFlow(key: key, kind: .published(listener: index, client: client), now: now)
        guard add(flow) else { return nil }
        publishedClients[name] = flow.number
        return flow
    }

    /// From the gateway and a port that is free there, to the instance. Clients of IPv6 come by IPv6 if the instance has it.
    private func clientKey(_ index: Int, _ transport: IPProtocol) -> FlowKey? {
        let guestPort = listeners[index].port.guestPort
        let isIPv6 = listeners[index].isIPv6 && instanceIPv6 != nil
        let address: IPAddress
        if isIPv6, let instanceIPv6 {
            address = .v6(instanceIPv6)
        } else if let instanceIPv4 {
            address = .v4(instanceIPv4)
        } else {
            return nil
        }
        let gateway: IPAddress = isIPv6 ? .v6(UserNetworkLayout.gateway6) : .v4(UserNetworkLayout.gateway)
        for _ in 0..<28_000 {
            nextPort = nextPort >= 60_999 ? 32_768 : nextPort + 1
            let key = FlowKey(
                transport: transport, instance: SocketAddress(address: address, port: guestPort),
                remote: SocketAddress(address: gateway, port: nextPort))
            if flows[key] == nil { return key }
        }
        return nil
    }
}
