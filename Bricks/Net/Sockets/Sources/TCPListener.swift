import NetFormats
import NetStack
import Time

/// A port on which connections are accepted, IPv4 and IPv6 alike.
public final class TCPListener: @unchecked Sendable {
    private final class Observer: EndpointObserver {
        var waiting = WaitList()
        override func endpointChanged() { waiting.wakeAll() }
    }

    private let endpoint: TCPListeningEndpoint
    private let network: Network
    private let observer = Observer()
    private var isClosed = false

    /// Listens on `port` (0: a free one), on `address` or on all of the instance's.
    public init(port: UInt16, address: IPAddress? = nil, backlog: Int = 1024, on network: Network) throws(NetworkError) {
        do throws(TCPOpenFailure) {
            endpoint = try network.stack.listenTCP(port: port, address: address, backlog: backlog)
        } catch {
            throw NetworkError(error)
        }
        self.network = network
        endpoint.observer = observer
    }

    deinit { network.stack.close(endpoint) }

    public var localAddress: SocketAddress { endpoint.local }

    /// The next connection; waits for one.
    public func accept(deadline: Instant = .distantFuture) async throws(NetworkError) -> TCPConnection {
        while true {
            if isClosed { throw .closed }
            if let accepted = endpoint.accept() { return TCPConnection(TCPStream(accepted, network)) }
            let one = await network.suspend(until: deadline) { observer.waiting.add($0) }
            switch one.outcome {
            case .woken: continue
            case .timedOut:
                observer.waiting.remove(one)
                throw .timedOut
            case .cancelled:
                observer.waiting.remove(one)
                throw .cancelled
            }
        }
    }

    /// Accepts no more; those who wait get `closed`.
    public func close() {
        isClosed = true
        network.stack.close(endpoint)
        observer.waiting.wakeAll()
    }
}
