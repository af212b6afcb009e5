import NetFormats
import Testing
import Time

@testable import TCP

struct TimerTests {
    static let keepAlive = TCPControlBlock.KeepAlive(idle: .seconds(30), interval: .seconds(10), probeCount: 3)

    @Test func `an idle connection needs no time`() {
        let script = Scripted.established()
        script.wait(.seconds(10))
        #expect(script.control.nextDeadline == nil)
    }

    @Test func `an idle peer is asked, and given up when it does not answer`() {
        let script = Scripted.established { $0.keepAlive = Self.keepAlive }
        script.expectNothing(for: .seconds(30))
        for _ in 0..<3 {
            script.expect(.ack, 100, 1_001, count: 0)
            script.expectNothing(for: .seconds(10))
        }
        script.expectNothing()
        #expect(script.control.failure == .timedOut)
    }

    @Test func `an answer keeps a connection alive`() {
        let script = Scripted.established { $0.keepAlive = Self.keepAlive }
        for _ in 0..<20 {
            script.expectNothing(for: .seconds(30))
            script.expect(.ack, 100, 1_001, count: 0)
            script.send(.ack, 1_001, 101)
        }
        #expect(script.control.state == .established)
    }

    @Test func `a question is answered`() {
        let script = Scripted.established()
        script.send(.ack, 1_000, 101)
        script.expect(.ack, 101, 1_001)
        script.send(.ack, 1_000, 101, [0])
        script.expect(.ack, 101, 1_001)
        #expect(script.control.readableByteCount == 0)
    }

    @Test func `keep-alive can begin and end later`() {
        let script = Scripted.established()
        script.control.setKeepAlive(Self.keepAlive, now: script.now)
        script.expectNothing(for: .seconds(30))
        script.expect(.ack, 100, 1_001)
        script.send(.ack, 1_001, 101)
        script.control.setKeepAlive(nil, now: script.now)
        script.wait(.seconds(600))
        script.expectNothing()
        #expect(script.control.state == .established)
    }

    @Test func `the estimator follows RFC 6298 with a floor of 200 ms`() {
        var roundTrip = RoundTripTime()
        #expect(roundTrip.timeout == .seconds(1))
        roundTrip.add(.milliseconds(100), now: .start)
        #expect(roundTrip.smoothed == .milliseconds(100))
        #expect(roundTrip.timeout == .milliseconds(300))
        roundTrip.add(.milliseconds(500), now: .start)
        #expect(roundTrip.smoothed == .milliseconds(150))
        #expect(roundTrip.variation == Nanoseconds(rawValue: 137_500_000))
        #expect(roundTrip.timeout == .milliseconds(700))
        for _ in 0..<100 { roundTrip.add(.milliseconds(1), now: .start) }
        #expect(roundTrip.timeout < .milliseconds(202))
        #expect(roundTrip.minimum == .milliseconds(1))
    }

    @Test func `cubic roots are whole numbers`() {
        for value in [0, 1, 7, 8, 9, 26, 27, 1_000_000, 999_999_999, 1 << 60] as [UInt64] {
            let root = UInt64(Cubic.cubicRoot(value))
            #expect(root * root * root <= value)
            #expect((root + 1) * (root + 1) * (root + 1) > value)
        }
    }

    @Test func `a window comes back to what it was, along the curve`() {
        let segment = 1_448
        var cubic = Cubic(segmentSize: segment, start: Scripted.number(1))
        cubic.window = 100 * segment
        cubic.reduce(flight: cubic.window, segmentSize: segment)
        #expect(cubic.threshold == 70 * segment)
        cubic.window = cubic.threshold
        var now = Instant(nanoseconds: 1_000_000_000)
        var round = 0
        while cubic.window < 100 * segment, round < 1_000 {
            round += 1
            now = now + .milliseconds(100)
            for _ in 0..<cubic.window / segment {
                cubic.acknowledge(
                    segment, upTo: Scripted.number(1), sendNext: Scripted.number(1), segmentSize: segment, sample: nil,
                    smoothed: .milliseconds(100), now: now)
            }
        }
        // K = cubic root of (30 / 0.4) = 4.2 s
        #expect((38...50).contains(round), "\(round)")
    }
}
