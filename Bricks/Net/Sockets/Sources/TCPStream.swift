import NetStack
import TCP
import Time

/// A connection's endpoint with the tasks that wait for it.
final class TCPStream: EndpointObserver {
    let endpoint: TCPEndpoint
    let network: Network
    private var readers = WaitList()
    private var writers = WaitList()
    private var isClosed = false

    init(_ endpoint: TCPEndpoint, _ network: Network) {
        self.endpoint = endpoint
        self.network = network
        super.init()
        endpoint.observer = self
    }

    override func endpointChanged() {
        let events = endpoint.takeEvents()
        let isOver = !events.isDisjoint(with: [.failed, .closed])
        if isOver || !events.isDisjoint(with: [.readable, .endOfStream]) { readers.wakeAll() }
        if isOver || !events.isDisjoint(with: [.established, .writable]) { writers.wakeAll() }
    }

    /// Why nothing more can be done, if that is so.
    var failure: NetworkError? {
        if isClosed { return .closed }
        return endpoint.control.failure.map { NetworkError($0) }
    }

    var isReadable: Bool { endpoint.control.readableByteCount > 0 || endpoint.control.isEndOfStream }

    func waitReadable(until deadline: Instant) async throws(NetworkError) {
        let one = await network.suspend(until: deadline) { readers.add($0) }
        try check(one) { readers.remove(one) }
    }

    func waitWritable(until deadline: Instant) async throws(NetworkError) {
        let one = await network.suspend(until: deadline) { writers.add($0) }
        try check(one) { writers.remove(one) }
    }

    private func check(_ one: WaitingTask, _ forget: () -> Void) throws(NetworkError) {
        switch one.outcome {
        case .woken: return
        case .timedOut:
            forget()
            throw .timedOut
        case .cancelled:
            forget()
            throw .cancelled
        }
    }

    /// Waits until the handshake is complete.
    func waitEstablished(until deadline: Instant) async throws(NetworkError) {
        while true {
            if let failure { throw failure }
            if endpoint.control.state.isSynchronized { return }
            try await waitWritable(until: deadline)
        }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        readers.wakeAll()
        writers.wakeAll()
        endpoint.close()
    }

    func abort() {
        guard !isClosed else { return }
        isClosed = true
        readers.wakeAll()
        writers.wakeAll()
        endpoint.abort()
    }
}
