import NetFormats
import Testing
import Time

@testable import TCP

struct RecoveryTests {
    /// Ten segments are in flight, 101 to 10,101, and their round trip of 10 ms is over.
    static func flying(_ options: Scripted.Options = .init()) -> Scripted {
        let script = Scripted.established(options)
        _ = script.write(30_000)
        script.drain()
        script.wait(.milliseconds(10))
        return script
    }

    @Test func `three reports behind a gap send the gap again at once`() {
        let script = Self.flying()
        script.send(.ack, 1_001, 101, sack: [(1_101, 2_101)])
        script.expect(.ack, 10_101, 1_001, count: 1_000)
        script.send(.ack, 1_001, 101, sack: [(1_101, 3_101)])
        script.expect(.ack, 11_101, 1_001, count: 1_000)
        script.expectNothing()
        script.send(.ack, 1_001, 101, sack: [(1_101, 4_101)])
        script.expect(.ack, 101, 1_001, count: 1_000)
        #expect(script.control.statistics.recoveries == 1)
        script.now = script.now + .milliseconds(10)
        script.send(.ack, 1_001, 12_101)
        #expect(script.control.recovery.isOpen)
        #expect(script.control.statistics.timeouts == 0)
        #expect(script.control.cubic.threshold < 10_000)
    }

    @Test func `fewer reports wait a quarter of a round trip`() {
        let script = Self.flying()
        script.send(.ack, 1_001, 101, sack: [(9_101, 10_101)])
        script.drain()
        script.expectNothing(for: .microseconds(2_500))
        script.expect(.ack, 101, 1_001, count: 1_000)
        #expect(script.control.statistics.recoveries == 1)
    }

    @Test func `several gaps are all sent again`() {
        let script = Self.flying()
        script.send(.ack, 1_001, 101, sack: [(9_101, 10_101), (5_101, 6_101), (2_101, 3_101)])
        var missing = [101, 1_101, 3_101, 4_101, 6_101, 7_101, 8_101]
        var end = 10_101
        for _ in 0..<10 {
            var sent: [Int] = []
            while let segment = script.next() { sent.append(segment.header.sequenceNumber - Scripted.number(0)) }
            script.now = script.now + .milliseconds(10)
            for place in sent {
                missing.removeAll { $0 == place }
                end = max(end, place + 1_000)
                script.send(.ack, 1_001, missing.first ?? end, sack: missing.isEmpty ? [] : [(9_101, end)])
            }
        }
        #expect(missing.isEmpty)
        #expect(script.control.recovery.isOpen)
        #expect(script.control.statistics.retransmittedSegments == 7)
        #expect(script.control.statistics.timeouts == 0)
    }

    @Test func `the tail is probed before the timer runs out`() {
        let script = Scripted.established()
        #expect(script.write(3_000) == 3_000)
        script.drain()
        script.expectNothing(for: .milliseconds(22))
        script.expect(.ack, 2_101, 1_001, count: 1_000)
        script.expectNothing()
        #expect(script.control.statistics.tailProbes == 1)
        script.now = script.now + .milliseconds(10)
        // The probe's answer shows what is missing: no timer needed.
        script.send(.ack, 1_001, 101, sack: [(2_101, 3_101)])
        script.expect(.ack, 101, 1_001, count: 1_000)
        script.now = script.now + .milliseconds(10)
        script.send(.ack, 1_001, 1_101, sack: [(2_101, 3_101)])
        script.expect(.ack, 1_101, 1_001, count: 1_000)
        #expect(script.control.statistics.timeouts == 0)
    }

    @Test func `a probe is new data if there is any`() {
        let script = Scripted.established()
        #expect(script.write(20_000) == 20_000)
        for _ in 0..<10 { #expect(script.next() != nil) }
        script.expectNothing(for: .milliseconds(22))
        script.expect(.ack, 10_101, 1_001, count: 1_000)
        script.expectNothing()
    }

    @Test func `a probe that repaired a loss costs window, one that was needless does not`() {
        for isNeedless in [true, false] {
            let script = Scripted.established()
            #expect(script.write(10_000) == 10_000)
            script.drain()
            script.now = script.now + .milliseconds(10)
            script.send(.ack, 1_001, 9_101)
            let window = script.control.congestionWindow
            script.wait(.milliseconds(300))
            script.expect(.ack, 9_101, 1_001, count: 1_000)
            script.now = script.now + .milliseconds(10)
            script.send(.ack, 1_001, 10_101, sack: isNeedless ? [(9_101, 10_101)] : [])
            #expect((script.control.congestionWindow >= window) == isNeedless)
        }
    }

    @Test func `the timer sends everything again, one segment first`() {
        let script = Scripted.established(.init(sack: false))
        #expect(script.write(4_000) == 4_000)
        script.drain()
        script.expectNothing(for: .milliseconds(210))
        script.expect(.ack, 101, 1_001, count: 1_000)
        script.expectNothing()
        script.now = script.now + .milliseconds(10)
        script.send(.ack, 1_001, 1_101)
        script.expect(.ack, 1_101, 1_001, count: 1_000)
        script.expect(.ack, 2_101, 1_001, count: 1_000)
        script.expectNothing()
        script.send(.ack, 1_001, 4_101)
        #expect(script.control.recovery.isOpen)
        #expect(script.control.unacknowledgedByteCount == 0)
        #expect(script.control.deadlines.retransmit == .distantFuture)
    }

    @Test func `the timer backs off and gives up in the end`() {
        let script = Scripted.established(.init(sack: false)) { $0.retransmissionLimit = 3 }
        #expect(script.write(100) == 100)
        script.drain()
        for factor in [1, 2, 4] {
            script.expectNothing(for: .milliseconds(210 * factor))
            script.expect(.ack, 101, 1_001, count: 100)
        }
        script.expectNothing(for: .milliseconds(210 * 8))
        #expect(script.control.failure == .timedOut)
        script.expectNothing()
    }

    @Test func `a user's time-out comes before the retries are used up`() {
        let script = Scripted.established(.init(sack: false)) { $0.userTimeout = .seconds(2) }
        #expect(script.write(100) == 100)
        script.drain()
        script.wait(.milliseconds(1_999))
        #expect(script.control.failure == nil)
        script.wait(.milliseconds(1))
        #expect(script.control.failure == .timedOut)
    }

    @Test func `a peer that forgets what it reported gets it again`() {
        let script = Self.flying()
        script.send(.ack, 1_001, 101, sack: [(1_101, 10_101)])
        script.expect(.ack, 101, 1_001)
        script.drain()
        script.now = script.now + .milliseconds(10)
        // The first arrives, and the rest is gone.
        script.send(.ack, 1_001, 1_101)
        script.wait(.milliseconds(700))
        var places: [Int] = []
        for _ in 0..<12 {
            while let segment = script.next() { places.append(segment.header.sequenceNumber - Scripted.number(0)) }
            guard let last = places.last else { break }
            script.send(.ack, 1_001, min(last + 1_000, 12_101))
        }
        for place in [1_101, 2_101, 9_101] { #expect(places.contains(place), "\(place)") }
    }

    @Test func `three duplicates without reports send the first again`() {
        let script = Self.flying(.init(sack: false))
        script.send(.ack, 1_001, 101)
        script.send(.ack, 1_001, 101)
        script.expectNothing()
        script.send(.ack, 1_001, 101)
        script.expect(.ack, 101, 1_001, count: 1_000)
        script.now = script.now + .milliseconds(10)
        // A partial acknowledgment: the next is missing too.
        script.send(.ack, 1_001, 3_101)
        script.expect(.ack, 3_101, 1_001, count: 1_000)
        script.drain()
        script.send(.ack, 1_001, 20_101)
        #expect(script.control.statistics.timeouts == 0)
    }

    @Test func `a needless retransmission is taken back`() {
        let script = Self.flying(.init(timestamps: true))
        let window = script.control.congestionWindow
        let early = script.control.timestamp(at: script.now) &- 10
        for end in [2_089, 3_077, 4_065] {
            script.send(.ack, 1_001, 101, sack: [(1_089, end)], timestamps: TCPTimestamps(value: 5_002, echo: early))
        }
        #expect(!script.control.recovery.isOpen)
        script.drain()
        script.now = script.now + .milliseconds(3)
        // The original was late, not lost: the echo is older than what was sent again.
        script.send(.ack, 1_001, 4_065, timestamps: TCPTimestamps(value: 5_003, echo: early))
        #expect(script.control.recovery.isOpen)
        #expect(script.control.congestionWindow >= window)
        #expect(script.control.statistics.spuriousRecoveries == 1)
    }

    @Test func `reordering makes the receiver's reports wait`() {
        let script = Self.flying()
        script.send(.ack, 1_001, 101, sack: [(1_101, 2_101)])
        script.send(.ack, 1_001, 2_101)
        #expect(script.control.rack.hasSeenReordering)
        script.drain()
        script.send(.ack, 1_001, 2_101, sack: [(3_101, 7_101)])
        script.drain()
        // Three and more are not enough any longer.
        #expect(script.control.recovery.isOpen)
    }

    @Test func `everything sent is sent again until it arrives`() {
        let script = Scripted.established()
        let stream = TransferTests.pattern(5_000)
        #expect(script.control.write(stream) == 5_000)
        script.control.finish()
        var received = [UInt8](repeating: 0, count: 5_001)
        var seen = Set<Int>()
        for round in 0..<10 {
            script.wait(.seconds(10))
            while let segment = script.next() {
                let place = segment.header.sequenceNumber - Scripted.number(101)
                if place < 0 || round < 3 { continue }
                for (index, byte) in segment.payload.enumerated() { received[place + index] = byte }
                if segment.header.flags.contains(.fin) { seen.insert(5_000) }
                for index in 0..<segment.payload.count { seen.insert(place + index) }
                let next = (0...5_001).first { !seen.contains($0) } ?? 0
                script.send(.ack, 1_001, 101 + next)
            }
        }
        #expect(Array(received.prefix(5_000)) == stream)
        #expect(script.control.state == .finWait2)
    }
}
