import Resumption
import Time

/// A task that waits for something of the network, or for its deadline.
public final class WaitingTask: @unchecked Sendable {
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

    /// What the task waits for is there.
    public func wake() { wake(.woken) }

    func wake(_ outcome: Outcome) {
        if outcome != .woken { self.outcome = outcome }
        resumption?.resume()
        resumption = nil
    }
}

/// Tasks that wait for the same thing; all of them look again when it comes.
struct WaitList {
    private var waiting: [WaitingTask] = []

    var isEmpty: Bool { waiting.isEmpty }

    mutating func add(_ one: WaitingTask) { waiting.append(one) }

    mutating func remove(_ one: WaitingTask) { waiting.removeAll { $0 === one } }

    mutating func wakeAll() {
        // Resuming runs nothing: it makes ready.
        for index in waiting.indices { waiting[index].wake(.woken) }
        waiting.removeAll(keepingCapacity: true)
    }
}
