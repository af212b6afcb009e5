import Time

/// Why a stream of bytes cannot be read or written any more.
public enum HTTPStreamError: Error, Equatable, Sendable {
    case timedOut
    case cancelled
    /// The peer or the network ended it.
    case broken
}

/// The bytes of one connection in both directions, and the clocks that it lives by.
public protocol HTTPStream: AnyObject, Sendable {
    var now: Instant { get }
    var wallTime: WallTime { get }

    /// Whether `receive` would return at once.
    var isReadable: Bool { get }

    /// Waits for bytes and gives them to `body`, which returns how many of them are done with. No bytes: the peer has finished.
    func receive(deadline: Instant, _ body: (RawSpan) -> Int) async throws(HTTPStreamError)

    /// Takes as many bytes as there is room for, without waiting.
    func trySend(_ bytes: RawSpan) -> Int

    /// Waits until there is room for at least one byte.
    func waitUntilWritable(deadline: Instant) async throws(HTTPStreamError)

    /// Sends no more; what was taken arrives, and the peer may still send.
    func finish()
    /// Lets go of the stream; what was taken still arrives.
    func close()
    /// Breaks it off at once.
    func abort()
}
