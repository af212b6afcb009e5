import Time

/// When which slot of a table wants to be looked at: a binary heap in which each slot stands once.
///
/// A deadline that moves later costs nothing: the owner looks, finds the slot not due, and schedules it again.
public struct DeadlineHeap {
    private struct Entry {
        var deadline: Instant
        var slot: Int32
    }

    public init() {}

    private var entries: [Entry] = []
    /// Of each slot in `entries`; -1: not there.
    private var positions: [Int32] = []

    /// `distantFuture` if nothing is scheduled.
    public var nextDeadline: Instant { entries.isEmpty ? .distantFuture : entries[0].deadline }
    public var count: Int { entries.count }

    /// Has `slot` looked at no later than `deadline`.
    public mutating func schedule(_ slot: Int, at deadline: Instant) {
        while positions.count <= slot { positions.append(-1) }
        let position = Int(positions[slot])
        if position >= 0 {
            guard deadline < entries[position].deadline else { return }
            entries[position].deadline = deadline
            siftUp(position)
        } else {
            entries.append(Entry(deadline: deadline, slot: Int32(slot)))
            siftUp(entries.count - 1)
        }
    }

    public mutating func remove(_ slot: Int) {
        guard slot < positions.count, positions[slot] >= 0 else { return }
        remove(at: Int(positions[slot]))
    }

    /// A slot whose deadline has come, taken out; nil if none has.
    public mutating func removeDue(now: Instant) -> Int? {
        guard let first = entries.first, first.deadline <= now else { return nil }
        remove(at: 0)
        return Int(first.slot)
    }

    private mutating func remove(at position: Int) {
        positions[Int(entries[position].slot)] = -1
        let last = entries.removeLast()
        guard position < entries.count else { return }
        place(last, at: position)
        siftUp(position)
        siftDown(Int(positions[Int(last.slot)]))
    }

    private mutating func place(_ entry: Entry, at position: Int) {
        entries[position] = entry
        positions[Int(entry.slot)] = Int32(position)
    }

    private mutating func siftUp(_ start: Int) {
        var position = start
        let entry = entries[position]
        while position > 0 {
            let parent = (position - 1) / 2
            guard entry.deadline < entries[parent].deadline else { break }
            place(entries[parent], at: position)
            position = parent
        }
        place(entry, at: position)
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        let entry = entries[position]
        while true {
            var child = 2 * position + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].deadline < entries[child].deadline { child += 1 }
            guard entries[child].deadline < entry.deadline else { break }
            place(entries[child], at: position)
            position = child
        }
        place(entry, at: position)
    }
}
