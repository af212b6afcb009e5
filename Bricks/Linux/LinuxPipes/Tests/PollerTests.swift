import Errno
import LinuxPipes
import Testing
import VFS

struct PollerTests {
    let poller = Poller()

    func wait(_ poller: Poller? = nil, limit: Int = 16) -> [UInt64: UInt32] {
        var found: [UInt64: UInt32] = [:]
        _ = try? (poller ?? self.poller).collect(limit: limit) { (events, data) throws(Errno) in found[data] = events.rawValue }
        return found
    }

    func counter(_ value: UInt32 = 0) -> EventCounter {
        let counter = EventCounter(value: value, isSemaphore: false, .nonBlock)
        counter.retain()
        return counter
    }

    func raise(_ counter: EventCounter) { _ = counter.tryWrite([1, 0, 0, 0, 0, 0, 0, 0]) }

    @Test func `a level is told until it is gone`() throws {
        let one = counter()
        try poller.add(one, 3, .input, data: 9)
        #expect(wait().isEmpty)
        #expect(poller.readiness.isEmpty)
        raise(one)
        #expect(poller.readiness == .input)
        #expect(wait() == [9: 1])
        #expect(wait() == [9: 1])
        _ = one.tryRead(8)
        #expect(wait().isEmpty)
        try poller.modify(one, 3, .output, data: 10)
        #expect(wait() == [10: 4])
    }

    @Test func `an edge is told once, and again when more comes`() throws {
        let one = counter(1)
        try poller.add(one, 3, [.input, .edgeTriggered], data: 1)
        #expect(wait() == [1: 1])
        #expect(wait().isEmpty)
        raise(one)
        #expect(wait() == [1: 1])
        try poller.modify(one, 3, [.input, .oneShot], data: 2)
        #expect(wait() == [2: 1])
        raise(one)
        #expect(wait().isEmpty)
    }

    @Test func `ready files take turns`() throws {
        let one = counter(1), two = counter(1)
        try poller.add(one, 3, .input, data: 1)
        try poller.add(two, 4, .input, data: 2)
        let first = wait(limit: 1), second = wait(limit: 1)
        #expect(first != second)
    }

    @Test func `a closed file leaves, a duplicate stays`() throws {
        let one = counter(1)
        one.retain()
        try poller.add(one, 3, .input, data: 1)
        try poller.add(one, 4, .input, data: 2)
        one.release()
        #expect(wait() == [1: 1, 2: 1])
        one.release()
        #expect(wait().isEmpty)
        #expect(poller.count == 0)
    }

    @Test func `pollers watch pollers but not in a circle, and not too deep`() throws {
        let inner = Poller()
        let one = counter()
        inner.retain()
        try poller.add(inner, 3, .input, data: 7)
        try inner.add(one, 4, .input, data: 8)
        #expect(wait().isEmpty)
        raise(one)
        #expect(wait() == [7: 1])
        #expect(wait(inner) == [8: 1])
        #expect(failure { () throws(Errno) in try inner.add(poller, 5, .input, data: 0) } == .eloop)
        #expect(failure { () throws(Errno) in try poller.add(poller, 5, .input, data: 0) } == .einval)
        var chain = [Poller()]
        var refused = false
        for _ in 0..<7 {
            let next = Poller()
            next.retain()
            do throws(Errno) { try next.add(chain[chain.count - 1], 1, .input, data: 0) } catch {
                #expect(error == .eloop)
                refused = true
            }
            chain.append(next)
        }
        #expect(refused)
        for one in chain.dropFirst() { one.release() }
    }

    @Test func `misuse is refused as Linux does`() throws {
        let one = counter()
        try poller.add(one, 3, [.input, .exclusive], data: 1)
        #expect(failure { () throws(Errno) in try poller.add(one, 3, .input, data: 1) } == .eexist)
        #expect(failure { () throws(Errno) in try poller.modify(one, 3, .input, data: 1) } == .einval)
        #expect(failure { () throws(Errno) in try poller.modify(one, 4, .input, data: 1) } == .enoent)
        #expect(failure { () throws(Errno) in try poller.add(one, 5, [.exclusive, .oneShot], data: 1) } == .einval)
        try poller.remove(one, 3)
        #expect(failure { () throws(Errno) in try poller.remove(one, 3) } == .enoent)
    }

    @Test func `waiting costs what is ready, of ten thousand`() throws {
        let all = (0..<10_000).map { _ in counter() }
        for (index, one) in all.enumerated() { try poller.add(one, Int32(index), .input, data: UInt64(index)) }
        let clock = ContinuousClock()
        let time = clock.measure {
            for round in 0..<10_000 {
                raise(all[round * 7 % 10_000])
                #expect(poller.readiness == .input)
                _ = wait()
                _ = all[round * 7 % 10_000].tryRead(8)
            }
        }
        // A scan would look at a hundred million files.
        #expect(time < .seconds(5))
    }
}
