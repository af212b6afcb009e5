import Testing
import Time

@testable import Scheduler

private func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

@Test func `timers come out by deadline, each once`() {
    var queue = TimerQueue()
    for nanoseconds in [5, 1, 4, 1, 3] as [UInt64] { queue.add(Timer(), at: at(nanoseconds)) }
    var fired: [UInt64] = []
    while let timer = queue.removeDue(now: at(10)) { fired.append(timer.deadline.nanoseconds) }
    #expect(fired == [1, 1, 3, 4, 5])
    #expect(queue.nextDeadline == nil)
}

@Test func `a timer that is not due stays`() {
    var queue = TimerQueue()
    queue.add(Timer(), at: at(5))
    #expect(queue.removeDue(now: at(4)) == nil)
    #expect(queue.nextDeadline == at(5))
    #expect(queue.removeDue(now: at(5)) != nil)
}

@Test func `removing twice, or what was never added, changes nothing`() {
    var queue = TimerQueue()
    let timer = Timer()
    queue.remove(timer)
    queue.add(timer, at: at(1))
    queue.remove(timer)
    queue.remove(timer)
    #expect(queue.count == 0)
    queue.add(timer, at: at(2))
    #expect(queue.nextDeadline == at(2))
}

@Test(arguments: [11, 12, 13, 14] as [UInt64])
func `random adding and removing keeps the order`(seed: UInt64) {
    var random = SystemlessRandom(state: seed)
    var queue = TimerQueue()
    var standing: [Timer] = []
    for _ in 0..<5_000 {
        if standing.isEmpty || random.next() % 3 > 0 {
            let timer = Timer()
            queue.add(timer, at: at(random.next() % 1_000))
            standing.append(timer)
        } else {
            queue.remove(standing.remove(at: Int(random.next() % UInt64(standing.count))))
        }
        #expect(queue.nextDeadline == standing.map(\.deadline).min(), "seed \(seed)")
    }
    var fired: [Instant] = []
    while let timer = queue.removeDue(now: .distantFuture) { fired.append(timer.deadline) }
    #expect(fired == standing.map(\.deadline).sorted(), "seed \(seed)")
}

/// xorshift64* (Vigna 2016): a seed decides everything.
private struct SystemlessRandom {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_f491_4f6c_dd1d
    }
}
