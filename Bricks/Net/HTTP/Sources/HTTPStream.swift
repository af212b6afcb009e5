import Sockets
import Time

/// The bytes of one connection in both directions, and the clocks that it lives by.
public protocol HTTPStream: AnyObject, Sendable {
    var now: Instant { get }
    /// The time of day; to ask for it may cost as much as an answer.
    var wallTime: WallTime { get }

    /// Whether `receive` would return at once.
    var isReadable: Bool { get }

    /// Waits for bytes and gives them to `body`, which returns how many of them are done with. No bytes: the peer has finished.
    func receive(deadline: Instant, _ body: (RawSpan) -> Int) async throws(NetworkError)

    /// Takes as many bytes as there is room for, without waiting.
    func trySend(_ bytes: RawSpan) throws(NetworkError) -> Int

    /// Waits until there is room for at least one byte.
    func waitForRoom(deadline: Instant) async throws(NetworkError)

    /// Sends no more; what was taken arrives, and the peer may still send.
    func finish()
    /// Lets go of the stream; what was taken still arrives.
    func close()
    /// Breaks it off at once.
    func abort()
}
