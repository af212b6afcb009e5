import Bytes
import NetFormats
import NetStack
import TCP
import Time

/// A TCP connection: bytes in order, both ways.
///
/// Its methods suspend the calling task instead of blocking; each takes a deadline, and throws `cancelled` when its task is.
/// The connection is closed when nobody holds it any more.
public final class TCPConnection: @unchecked Sendable {
    private let stream: TCPStream

    init(_ stream: TCPStream) { self.stream = stream }

    deinit { stream.close() }

    public var localAddress: SocketAddress { stream.endpoint.local }
    public var remoteAddress: SocketAddress { stream.endpoint.remote }

    /// The network's time: as of the run loop's last turn, so that looking costs nothing.
    public var now: Instant { stream.network.stack.now }

    /// Connects to one address.
    public static func connect(
        to address: SocketAddress, on network: Network, deadline: Instant = .distantFuture
    ) async throws(NetworkError) -> TCPConnection {
        let endpoint: TCPEndpoint
        do throws(TCPOpenFailure) {
            endpoint = try network.stack.connectTCP(to: address)
        } catch {
            throw NetworkError(error)
        }
        let stream = TCPStream(endpoint, network)
        do throws(NetworkError) {
            try await stream.waitEstablished(until: deadline)
        } catch {
            stream.abort()
            throw error
        }
        return TCPConnection(stream)
    }

    /// Connects to whichever of `addresses` answers first: each is tried `attemptDelay` after the one before, or when that one
    /// fails. The error is the first one's.
    public static func connect(
        toAnyOf addresses: [SocketAddress], attemptDelay: Duration, on network: Network, deadline: Instant = .distantFuture
    ) async throws(NetworkError) -> TCPConnection {
        let race = ConnectionRace(network)
        defer { race.end() }
        var failure: NetworkError?
        var next = 0
        while true {
            if let winner = race.winner() { return TCPConnection(winner) }
            if let failed = race.removeFailed(), failure == nil { failure = failed }
            if next < addresses.count {
                do throws(NetworkError) { try race.add(addresses[next]) } catch { failure = failure ?? error }
                next += 1
                // One without a way is no reason to wait.
                if race.isEmpty { continue }
            } else if race.isEmpty {
                throw failure ?? .unreachable
            }
            let soon = network.stack.now.advanced(by: attemptDelay)
            let isLast = next == addresses.count
            do throws(NetworkError) {
                try await race.wait(until: isLast ? deadline : min(soon, deadline))
            } catch {
                if error == .timedOut, network.stack.now < deadline { continue }
                throw error
            }
        }
    }

    // MARK: Receiving

    /// What has arrived, at least one byte and at most `byteCount`; empty at the end of the stream.
    public func receive(upTo byteCount: Int = 65_536, deadline: Instant = .distantFuture) async throws(NetworkError) -> [UInt8] {
        try await withReceived(deadline: deadline) { bytes in
            let piece = bytes.extracting(first: byteCount)
            return (piece.byteCount, [UInt8](copying: piece))
        }
    }

    /// Shows `body` what has arrived, without copying it: at least one byte, or none at the end of the stream.
    ///
    /// `body` returns how many bytes it has dealt with; the others come again, with what arrives after them. If they lie in memory
    /// in two pieces, only the first is shown.
    public func withReceived<Result>(
        deadline: Instant = .distantFuture, _ body: (RawSpan) -> (consumed: Int, result: Result)
    ) async throws(NetworkError) -> Result {
        while !stream.isReadable {
            if let failure = stream.failure { throw failure }
            try await stream.waitReadable(until: deadline)
        }
        let (consumed, result) = stream.endpoint.withReadable { first, _ in body(first) }
        if consumed > 0 { stream.endpoint.consume(consumed) }
        return result
    }

    /// As `withReceived`, but for a caller that could do nothing with the `known` bytes it has seen: waits for more than those, and
    /// shows both pieces of what is there.
    public func withReceived<Result>(
        beyond known: Int, deadline: Instant = .distantFuture, _ body: (RawSpan, RawSpan) -> (consumed: Int, result: Result)
    ) async throws(NetworkError) -> Result {
        while stream.endpoint.control.readableByteCount <= known, !stream.endpoint.control.hasReceivedAll {
            if let failure = stream.failure { throw failure }
            try await stream.waitReadable(until: deadline)
        }
        let (consumed, result) = stream.endpoint.withReadable { first, rest in body(first, rest) }
        if consumed > 0 { stream.endpoint.consume(consumed) }
        return result
    }

    /// Bytes that can be received without waiting.
    public var receivableByteCount: Int { stream.endpoint.control.readableByteCount }

    // MARK: Sending

    /// Takes all of `bytes` to be sent: waits for room, as a slow peer makes it necessary, not for their arrival.
    public func send(_ bytes: [UInt8], deadline: Instant = .distantFuture) async throws(NetworkError) {
        try await send(bytes, from: 0, deadline: deadline)
    }

    /// As `send`, of the elements from `start` on.
    public func send(_ bytes: [UInt8], from start: Int, deadline: Instant = .distantFuture) async throws(NetworkError) {
        var offset = start
        while offset < bytes.count {
            if let failure = stream.failure { throw failure }
            guard stream.endpoint.control.state.canWrite else { throw .closed }
            let count = stream.endpoint.write(bytes.raw.extracting(droppingFirst: offset))
            offset += count
            if offset < bytes.count { try await stream.waitWritable(until: deadline) }
        }
    }

    /// Takes as much of `bytes` as there is room for at this moment, and returns how many.
    public func trySend(_ bytes: RawSpan) throws(NetworkError) -> Int {
        if let failure = stream.failure { throw failure }
        guard stream.endpoint.control.state.canWrite else { throw .closed }
        return stream.endpoint.write(bytes)
    }

    /// Waits until `trySend`, which took less than it was given, can take more.
    public func waitForRoom(deadline: Instant = .distantFuture) async throws(NetworkError) {
        while stream.endpoint.control.writableByteCount == 0 {
            if let failure = stream.failure { throw failure }
            guard stream.endpoint.control.state.canWrite else { throw .closed }
            try await stream.waitWritable(until: deadline)
        }
    }

    /// Small pieces are sent at once instead of being gathered while others are on their way (Nagle's algorithm, RFC 9293 §3.7.4).
    public var isNoDelay: Bool {
        get { stream.endpoint.control.isNoDelay }
        set { stream.endpoint.setNoDelay(newValue) }
    }

    // MARK: Ending

    /// Says that nothing more will be sent. What was sent still arrives, and receiving goes on.
    public func finish() { stream.endpoint.finish() }

    /// Ends both ways: what was sent still arrives, what arrives from now on is refused.
    public func close() { stream.close() }

    /// Gives the connection up at once; the peer sees a reset.
    public func abort() { stream.abort() }
}
