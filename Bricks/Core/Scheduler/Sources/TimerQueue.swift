import Time

/// Something that happens at an instant, once. It may stand in one queue at a time.
///
/// Belongs to the run loop, which is the only thread there is.
open class Timer: @unchecked Sendable {
    public internal(set) var deadline = Instant.distantFuture
    /// Where the queue keeps it; nil when it stands in none.
    var position: Int?

    public init() {}

    /// Called by the run loop when the deadline has come; must not block.
    open func fire() {}
}

/// Timers by deadline: a binary heap that knows each timer's position, so that cancelling is as cheap as adding.
struct TimerQueue {
    private var heap: [Timer] = []

    var nextDeadline: Instant? { heap.first?.deadline }
    var count: Int { heap.count }

    mutating func add(_ timer: Timer, at deadline: Instant) {
        precondition(timer.position == nil, "the timer is already set")
        timer.deadline = deadline
        timer.position = heap.count
        heap.append(timer)
        siftUp(heap.count - 1)
    }

    /// Nothing happens if the timer has fired or was never added.
    mutating func remove(_ timer: Timer) {
        guard let position = timer.position else { return }
        timer.position = nil
        let last = heap.removeLast()
        guard position < heap.count else { return }
        place(last, at: position)
        siftUp(position)
        siftDown(position)
    }

    /// The timer that is due longest, taken out; nil if none is due.
    mutating func removeDue(now: Instant) -> Timer? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        remove(first)
        return first
    }

    private mutating func place(_ timer: Timer, at position: Int) {
        heap[position] = timer
        timer.position = position
    }

    private mutating func siftUp(_ start: Int) {
        var position = start
        let timer = heap[position]
        while position > 0 {
            let parent = (position - 1) / 2
            guard timer.deadline < heap[parent].deadline else { break }
            place(heap[parent], at: position)
            position = parent
        }
        place(timer, at: position)
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        let timer = heap[position]
        while true {
            var child = 2 * position + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].deadline < heap[child].deadline { child += 1 }
            guard heap[child].deadline < timer.deadline else { break }
            place(heap[child], at: position)
            position = child
        }
        place(timer, at: position)
    }
}
