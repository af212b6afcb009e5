import Time

/// Deadlines by time, of things that are told by number. A thing may be there more than once: the one who is told looks again.
struct DeadlineQueue {
    private var heap: [(deadline: Instant, number: Int)] = []

    var first: Instant? { heap.first?.deadline }
    var count: Int { heap.count }

    mutating func insert(_ number: Int, at deadline: Instant) {
        heap.append((deadline, number))
        var child = heap.count - 1
        while child > 0, case let parent = (child - 1) / 2, heap[child].deadline < heap[parent].deadline {
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// The number of one that is due; nil if there is none.
    mutating func popDue(_ now: Instant) -> Int? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].deadline < heap[least].deadline {
                least = child
            }
            if least == parent { return first.number }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
