import Containers
import Testing
import Time

struct DeadlineHeapTests {
    func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

    @Test func `slots come out in the order of their deadlines`() {
        var heap = DeadlineHeap()
        var random = SystemRandomNumberGenerator()
        let deadlines = (0..<500).map { _ in UInt64.random(in: 0...1000, using: &random) }
        for (slot, deadline) in deadlines.enumerated() { heap.schedule(slot, at: at(deadline)) }
        var seen: [UInt64] = []
        while let slot = heap.removeDue(now: at(1000)) { seen.append(deadlines[slot]) }
        #expect(seen == deadlines.sorted() && heap.nextDeadline == .distantFuture)
    }

    @Test func `an earlier deadline moves a slot, a later one does not`() {
        var heap = DeadlineHeap()
        heap.schedule(3, at: at(10))
        heap.schedule(3, at: at(20))
        #expect(heap.nextDeadline == at(10))
        heap.schedule(3, at: at(5))
        #expect(heap.nextDeadline == at(5) && heap.count == 1)
        let early = heap.removeDue(now: at(4)), due = heap.removeDue(now: at(5)), none = heap.removeDue(now: at(100))
        #expect(early == nil && due == 3 && none == nil)
    }

    @Test func `a removed slot does not come out, and may come back`() {
        var heap = DeadlineHeap()
        for slot in 0..<100 { heap.schedule(slot, at: at(UInt64(100 - slot))) }
        for slot in stride(from: 0, to: 100, by: 2) { heap.remove(slot) }
        heap.remove(1000)
        heap.schedule(0, at: at(1))
        var seen: [Int] = []
        while let slot = heap.removeDue(now: at(1000)) { seen.append(slot) }
        #expect(seen.sorted() == ([0] + stride(from: 1, to: 100, by: 2)).sorted() && seen.count == 51)
    }
}
