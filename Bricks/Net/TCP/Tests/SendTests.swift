import NetFormats
import Testing
import Time

@testable import TCP

struct SendTests {
    @Test func `the first window is ten segments`() {
        let script = Scripted.established()
        #expect(script.write(30_000) == 30_000)
        for index in 0..<10 { script.expect(.ack, 101 + 1_000 * index, 1_001, count: 1_000) }
        script.expectNothing()
    }

    @Test func `slow start sends two for one`() {
        let script = Scripted.established()
        #expect(script.write(60_000) == 60_000)
        script.drain()
        script.now = script.now + .milliseconds(10)
        script.send(.ack, 1_001, 2_101)
        for index in 10..<14 { script.expect(.ack, 101 + 1_000 * index, 1_001, count: 1_000) }
        script.expectNothing()
    }

    @Test func `a super-segment has whole segments but for the last`() {
        let script = Scripted.established()
        #expect(script.write(9_500) == 9_500)
        let first = script.next(maximumByteCount: 4_321)
        #expect(first?.payload.count == 4_000)
        let second = script.next(maximumByteCount: 65_000)
        #expect(second?.payload.count == 5_500)
        #expect(second?.header.flags.contains(.psh) == true)
        script.expectNothing()
    }

    @Test func `a small segment waits for the one before it`() {
        let script = Scripted.established()
        #expect(script.write(10) == 10)
        script.expect(.ack, 101, 1_001, count: 10)
        #expect(script.write(20) == 20)
        script.expectNothing()
        #expect(script.write(1_000) == 1_000)
        script.expect(.ack, 111, 1_001, count: 1_000)
        script.expectNothing()
        script.send(.ack, 1_001, 1_111)
        script.expect(.ack, 1_111, 1_001, count: 20)
    }

    @Test func `nothing waits without delay`() {
        let script = Scripted.established { $0.isNoDelay = true }
        for index in 0..<5 {
            #expect(script.write(10) == 10)
            script.expect(.ack, 101 + 10 * index, 1_001, count: 10)
        }
    }

    @Test func `the peer's window is kept`() {
        let script = Scripted.established(.init(window: 2_500))
        #expect(script.write(9_000) == 9_000)
        script.expect(.ack, 101, 1_001, count: 1_000)
        script.expect(.ack, 1_101, 1_001, count: 1_000)
        script.expectNothing()
        script.send(.ack, 1_001, 1_101, window: 2_500)
        script.expect(.ack, 2_101, 1_001, count: 1_000)
        script.expectNothing()
    }

    @Test func `a window scale counts`() {
        let script = Scripted.established(.init(windowScale: 3, window: 1_000))
        #expect(script.control.sendWindow == 8_000)
        script.send(.ack, 1_001, 101, window: 2_000)
        #expect(script.control.sendWindow == 16_000)
    }

    @Test func `a closed window is asked about, more and more seldom`() {
        let script = Scripted.established(.init(window: 1_000))
        #expect(script.write(3_000) == 3_000)
        script.expect(.ack, 101, 1_001, count: 1_000)
        script.now = script.now + .milliseconds(10)
        script.send(.ack, 1_001, 1_101, window: 0)
        script.expectNothing()
        script.expectNothing(for: .milliseconds(210))
        script.expect(.ack, 1_100, 1_001, count: 0)
        script.send(.ack, 1_001, 1_101, window: 0)
        script.expectNothing(for: .milliseconds(420))
        script.expect(.ack, 1_100, 1_001, count: 0)
        script.send(.ack, 1_001, 1_101, window: 0)
        script.wait(.seconds(10))
        script.drain()
        script.send(.ack, 1_001, 1_101, window: 2_000)
        script.expect(.ack, 1_101, 1_001, count: 1_000)
        script.expect(.ack, 2_101, 1_001, count: 1_000)
    }

    @Test func `a peer that does not answer probes is given up`() {
        let script = Scripted.established(.init(window: 1_000)) { $0.retransmissionLimit = 3 }
        #expect(script.write(3_000) == 3_000)
        script.drain()
        script.send(.ack, 1_001, 1_101, window: 0)
        script.expectNothing()
        for _ in 0..<10 {
            script.wait(.seconds(1))
            script.drain()
        }
        #expect(script.control.failure == .timedOut)
    }

    @Test func `a peer that keeps its window closed but answers is not given up`() {
        let script = Scripted.established(.init(window: 1_000)) { $0.retransmissionLimit = 3 }
        #expect(script.write(3_000) == 3_000)
        script.drain()
        script.send(.ack, 1_001, 1_101, window: 0)
        script.expectNothing()
        for _ in 0..<100 {
            script.now = script.control.nextDeadline ?? script.now
            script.wait(.zero)
            if script.next() != nil { script.send(.ack, 1_001, 1_101, window: 0) }
        }
        #expect(script.control.state == .established)
    }

    @Test func `a window that is silly is filled after a time only`() {
        let script = Scripted.established(.init(window: 10_000))
        #expect(script.write(20_000) == 20_000)
        script.drain()
        script.now = script.now + .milliseconds(10)
        script.send(.ack, 1_001, 10_101, window: 100)
        script.expectNothing()
        script.expectNothing(for: .milliseconds(210))
        script.expect(.ack, 10_101, 1_001, count: 100)
        script.expectNothing()
    }

    @Test func `a window that shrinks holds back what was sent beyond it`() {
        let script = Scripted.established()
        #expect(script.write(5_000) == 5_000)
        script.drain()
        script.send(.ack, 1_001, 1_101, window: 1_500)
        script.wait(.milliseconds(300))
        script.drain()
        #expect(script.control.sendNext == Scripted.number(5_101))
        script.send(.ack, 1_001, 5_101, window: 60_000)
        #expect(script.control.unacknowledgedByteCount == 0)
    }

    @Test func `a full buffer takes no more until there is room`() {
        let script = Scripted.established { $0.sendBufferLimit = 10_000 }
        #expect(script.write(12_000) == 10_000)
        #expect(script.write(1) == 0)
        script.drain()
        script.send(.ack, 1_001, 2_101)
        #expect(!script.events.contains(.writable))
        script.send(.ack, 1_001, 8_101)
        #expect(script.events.contains(.writable))
        #expect(script.control.writableByteCount == 8_000)
    }

    @Test func `an urgent segment is read in line`() {
        let script = Scripted.established()
        script.send([.ack, .urg], 1_001, 101, [1, 2, 3])
        #expect(script.control.readAll() == [1, 2, 3])
    }

    @Test func `a smaller path sends again in smaller segments`() {
        let script = Scripted.established()
        #expect(script.write(3_000) == 3_000)
        script.drain()
        let events = script.control.handle(.tooBig(maximumSegmentSize: 600), quoting: Scripted.number(101), now: script.now)
        #expect(events.contains(.transmit))
        for index in 0..<5 { script.expect(.ack, 101 + 600 * index, 1_001, count: 600) }
        script.expectNothing()
        #expect(script.control.statistics.timeouts == 0)
    }

    @Test func `after a pause the window is what it was in the beginning`() {
        let script = Scripted.established()
        for _ in 0..<5 {
            _ = script.write(60_000)
            script.drain()
            script.now = script.now + .milliseconds(10)
            script.send(.ack, 1_001, 101 + (script.control.sendNext - Scripted.number(101)))
        }
        #expect(script.control.congestionWindow > 30_000)
        script.wait(.seconds(60))
        #expect(script.write(60_000) == 60_000)
        for _ in 0..<10 { #expect(script.next() != nil) }
        script.expectNothing()
    }

    @Test func `what a link has no room for comes again`() throws {
        let script = Scripted.established()
        #expect(script.write(2_500) == 2_500)
        script.control.finish()
        let now = script.now
        for (sequence, count) in [(101, 1_000), (1_101, 1_000), (2_101, 500)] {
            let refused = script.control.nextTransmission(now: now, maximumByteCount: 0)
            script.control.withdraw(try #require(refused), now: now)
            #expect(script.control.inconsistency == nil)
            #expect(script.control.pipe == sequence - 101)
            script.expect([.ack], sequence, 1_001, count: count, ignoring: .fin)
        }
        script.wait(.milliseconds(250))
        let refused = script.control.nextTransmission(now: script.now, maximumByteCount: 0)
        script.control.withdraw(try #require(refused), now: script.now)
        #expect(script.control.inconsistency == nil)
        script.wait(.milliseconds(250))
        #expect(script.next() != nil)
        script.send(.ack, 1_001, 2_602)
        #expect(script.control.state == .finWait2)
    }
}
