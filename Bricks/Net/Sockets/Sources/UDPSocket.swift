import Bytes
import NetFormats
import NetStack
import Time

/// A UDP port: datagrams, each on its own.
public final class UDPSocket: @unchecked Sendable {
    /// A datagram and where it came from.
    public struct Datagram: Equatable, Sendable {
        public var bytes: [UInt8]
        public var source: SocketAddress
        /// The address of this instance that it was sent to.
        public var destination: IPAddress
    }

    private final class Observer: EndpointObserver {
        var waiting = WaitList()
        override func endpointChanged() { waiting.wakeAll() }
    }

    private let endpoint: UDPEndpoint
    private let network: Network
    private let observer = Observer()
    private var isClosed = false

    /// Takes `port` (0: a free one), on `address` or on all of the instance's.
    public init(port: UInt16 = 0, address: IPAddress? = nil, on network: Network) throws(NetworkError) {
        do throws(UDPFailure) {
            endpoint = try network.stack.bindUDP(port: port, address: address)
        } catch {
            throw NetworkError(error)
        }
        self.network = network
        endpoint.observer = observer
    }

    deinit { network.stack.close(endpoint) }

    public var localPort: UInt16 { endpoint.localPort }

    /// Talks to `remote` only from now on, and hears of errors from there.
    public func connect(to remote: SocketAddress) throws(NetworkError) {
        do throws(UDPFailure) { try network.stack.connect(endpoint, to: remote) } catch { throw NetworkError(error) }
    }

    /// The next datagram; waits for one.
    public func receive(deadline: Instant = .distantFuture) async throws(NetworkError) -> Datagram {
        while true {
            if isClosed { throw .closed }
            if let failure = endpoint.takeFailure() { throw NetworkError(failure) }
            let datagram = endpoint.receive { bytes, origin in
                Datagram(bytes: [UInt8](copying: bytes), source: origin.source, destination: origin.destination)
            }
            if let datagram { return datagram }
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

    /// Sends one datagram; `from` is the address that it seems to come from, such as the one a question was sent to.
    public func send(_ bytes: [UInt8], to destination: SocketAddress, from source: IPAddress? = nil) throws(NetworkError) {
        do throws(UDPFailure) {
            try network.stack.send(bytes.raw, from: endpoint, to: destination, source: source)
        } catch {
            throw NetworkError(error)
        }
    }

    public func close() {
        isClosed = true
        network.stack.close(endpoint)
        observer.waiting.wakeAll()
    }
}
