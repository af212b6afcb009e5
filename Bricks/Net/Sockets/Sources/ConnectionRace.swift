import NetFormats
import NetStack
import TCP
import Time

/// Several connections that are being opened, of which one is wanted.
final class ConnectionRace: EndpointObserver {
    private let network: Network
    private var endpoints: [TCPEndpoint] = []
    private var waiting: WaitingTask?

    init(_ network: Network) {
        self.network = network
        super.init()
    }

    var isEmpty: Bool { endpoints.isEmpty }

    func add(_ address: SocketAddress) throws(NetworkError) {
        do throws(TCPOpenFailure) {
            let endpoint = try network.stack.connectTCP(to: address)
            endpoint.observer = self
            endpoints.append(endpoint)
        } catch {
            throw NetworkError(error)
        }
    }

    override func endpointChanged() { waiting?.wake() }

    func wait(until deadline: Instant) async throws(NetworkError) {
        try await network.wait(until: deadline) { waiting = $0 }
    }

    /// A connection whose handshake is complete; it leaves the race.
    func winner() -> TCPStream? {
        guard let index = endpoints.firstIndex(where: { $0.control.state.isSynchronized }) else { return nil }
        return TCPStream(endpoints.remove(at: index), network)
    }

    /// Drops those that failed, and gives the reason of the first.
    func removeFailed() -> NetworkError? {
        let failure = endpoints.lazy.compactMap { $0.control.failure }.first
        endpoints.removeAll { $0.control.isClosed }
        return failure.map { NetworkError($0) }
    }

    func end() {
        for endpoint in endpoints { endpoint.abort() }
        endpoints = []
    }
}
