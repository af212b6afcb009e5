import Resumption
import Time

/// A task that waits for something of the network, or for its deadline.
final class Waiting: @unchecked Sendable {
    enum Outcome {
        case woken
        case timedOut
        case cancelled
    }

    private var resumption: Resumption?
    private(set) var outcome = Outcome.woken
    /// In the network's table of deadlines; -1: without one.
    var slot = -1

    func begin(_ resumption: Resumption) {
        guard outcome == .woken else { return resumption.resume() }
        self.resumption = resumption
    }

    func wake(_ outcome: Outcome = .woken) {
        if outcome != .woken { self.outcome = outcome }
        resumption?.resume()
        resumption = nil
    }
}

/// Tasks that wait for the same thing; all of them look again when it comes.
struct WaitList {
    private var waiting: [Waiting] = []

    var isEmpty: Bool { waiting.isEmpty }

    mutating func add(_ one: Waiting) { waiting.append(one) }

    mutating func remove(_ one: Waiting) { waiting.removeAll { $0 === one } }

    mutating func wakeAll() {
        // Resuming runs nothing: it makes ready.
        for index in waiting.indices { waiting[index].wake() }
        waiting.removeAll(keepingCapacity: true)
    }
}
