import Sockets
import Time

/// The least speed of a body: a peer that moves fewer bytes in the time is too slow. One that moves more may take for ever.
public struct HTTPProgress: Equatable, Sendable {
    public var byteCount = 1_024
    public var timeout = Duration.seconds(20)

    public init() {}
}

/// A deadline that moves on only when enough bytes have moved.
struct ProgressDeadline {
    private(set) var deadline: Instant
    private let progress: HTTPProgress
    private var moved = 0

    init(_ progress: HTTPProgress, now: Instant) {
        self.progress = progress
        deadline = now.advanced(by: progress.timeout)
    }

    mutating func moved(_ byteCount: Int, now: Instant) {
        moved += byteCount
        guard moved >= progress.byteCount else { return }
        moved = 0
        deadline = now.advanced(by: progress.timeout)
    }
}

extension HTTPStream {
    /// Sends all of `bytes`, and waits for room as long as the peer takes some. `sent` is told how many went out, bit by bit.
    func sendAll(_ bytes: RawSpan, _ progress: ProgressDeadline, _ sent: (Int) -> Void = { _ in }) async throws(NetworkError) {
        var progress = progress
        var offset = 0
        while offset < bytes.byteCount {
            let count = try trySend(bytes.extracting(droppingFirst: offset))
            offset += count
            sent(count)
            progress.moved(count, now: now)
            if count == 0 { try await waitForRoom(deadline: progress.deadline) }
        }
    }
}
