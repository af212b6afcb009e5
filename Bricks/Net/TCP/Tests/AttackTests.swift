import NetFormats
import Testing
import Time

@testable import TCP

/// What somebody who cannot see the segments may send (RFC 5961), and other segments that should not be there.
struct AttackTests {
    @Test(arguments: [1_002, 2_000, 60_000])
    func `a RST elsewhere in the window is answered, not obeyed`(sequence: Int) {
        let script = Scripted.established()
        script.send(.rst, sequence, 0)
        script.expect(.ack, 101, 1_001)
        script.expectNothing()
        #expect(script.control.state == .established)
    }

    @Test(arguments: [0, 1_000, 200_000, -5_000])
    func `a RST outside the window is ignored`(sequence: Int) {
        let script = Scripted.established()
        script.send(.rst, sequence, 0)
        script.expectNothing()
        #expect(script.control.state == .established)
    }

    @Test(arguments: [1_001, 1_002, 60_000, 999, 500_000])
    func `a SYN is answered, not obeyed`(sequence: Int) {
        for (name, script) in Scripted.everyState() where script.control.state.isSynchronized {
            let state = script.control.state
            script.send(.syn, sequence, 0)
            #expect(script.next()?.header.flags == .ack, "\(name)")
            #expect(script.control.state == state, "\(name)")
        }
    }

    @Test(arguments: [102, 60_000, -100_000])
    func `an ACK of what was never sent is answered and its data dropped`(acknowledgment: Int) {
        let script = Scripted.established()
        script.send(.ack, 1_001, acknowledgment, [1, 2, 3])
        script.expect(.ack, 101, 1_001)
        #expect(script.control.readableByteCount == 0)
    }

    @Test(arguments: [-70_000, 70_000, 1 << 31])
    func `data outside the window is answered and dropped`(distance: Int) {
        let script = Scripted.established()
        script.send(.ack, 1_001 + distance, 101, [1, 2, 3])
        script.expect(.ack, 101, 1_001)
        #expect(script.control.readableByteCount == 0)
        #expect(script.control.receiveBuffer.islands.isEmpty)
    }

    @Test func `answers to nonsense are limited`() {
        let script = Scripted.established()
        var answers = 0
        for _ in 0..<1_000 {
            script.send(.syn, 1_500, 0)
            while script.next() != nil { answers += 1 }
        }
        #expect(answers == 10)
        script.wait(.seconds(1))
        script.send(.syn, 1_500, 0)
        script.expect(.ack, 101, 1_001)
    }

    @Test func `an older timestamp is refused, also in the window`() {
        let script = Scripted.established(.init(timestamps: true))
        script.send(.ack, 1_001, 101, [1], timestamps: TCPTimestamps(value: 9_000, echo: 0))
        #expect(script.control.readAll() == [1])
        script.drain()
        script.send(.ack, 1_002, 101, [2], timestamps: TCPTimestamps(value: 8_999, echo: 0))
        #expect(script.control.readableByteCount == 0)
        script.expect(.ack, 101, 1_002)
        script.send(.ack, 1_002, 101, [2], timestamps: TCPTimestamps(value: 9_000, echo: 0))
        #expect(script.control.readAll() == [2])
    }

    @Test func `timestamps wrap`() {
        let script = Scripted.established(.init(timestamps: true))
        script.control.recentTimestamp = .max - 1
        script.send(.ack, 1_001, 101, [1], timestamps: TCPTimestamps(value: 3, echo: 0))
        #expect(script.control.readAll() == [1])
    }

    @Test func `a timestamp from long ago says nothing`() {
        let script = Scripted.established(.init(timestamps: true))
        script.send(.ack, 1_001, 101, [1], timestamps: TCPTimestamps(value: 9_000, echo: 0))
        script.drain()
        script.now = script.now + .seconds(25 * 86_400)
        script.send(.ack, 1_002, 101, [2], timestamps: TCPTimestamps(value: 5, echo: 0))
        #expect(script.control.readAll() == [1, 2])
    }

    @Test func `a segment without the timestamps that were agreed is dropped`() {
        let script = Scripted.established(.init(timestamps: true))
        script.timestamp = nil
        script.send(.ack, 1_001, 101, [1])
        #expect(script.control.readableByteCount == 0)
    }

    @Test func `a segment without ACK is dropped`() {
        for (name, script) in Scripted.everyState() where script.control.state.isSynchronized {
            let state = script.control.state
            script.send([], 1_002, 0, [1, 2])
            script.send(.fin, 1_002, 0)
            #expect(script.control.state == state, "\(name)")
            #expect(script.control.readableByteCount == 0)
        }
    }

    @Test func `reports of what was never sent are ignored`() {
        let script = Scripted.established()
        _ = script.write(5_000)
        script.drain()
        script.send(.ack, 1_001, 101, sack: [(50_000, 60_000), (4_101, 3_101), (5_000, 5_102), (90, 200_000)])
        #expect(script.control.sentRanges.sackedByteCount == 0)
        script.send(.ack, 1_001, 101, sack: [(101, 1_101)])
        #expect(script.control.sentRanges.sackedByteCount == 1_000)
    }

    @Test func `reports of single bytes cost bounded memory`() {
        let script = Scripted.established()
        script.control.cubic.window = 1 << 20
        script.control.sendWindow = 1 << 20
        _ = script.write(60_000)
        script.drain()
        for index in 0..<5_000 {
            var header = TCPHeader(
                sourcePort: 80, destinationPort: 40_000, sequenceNumber: Scripted.number(1_001),
                acknowledgmentNumber: Scripted.number(101), flags: .ack, window: 60_000)
            let place = Scripted.number(103 + 4 * index)
            header.options.sackBlocks.append(SACKBlock(left: place, right: place + 1))
            header.options.sackBlocks.append(SACKBlock(left: place + 2, right: place + 3))
            _ = script.control.handle(Segment(header: header), now: script.now)
        }
        #expect(script.control.sentRanges.count <= SentRanges.splitLimit)
        #expect(script.control.inconsistency == nil)
    }

    @Test func `messages of the network are believed only with a number in flight`() {
        let script = Scripted.synSent()
        for number in [99, 101, 5_000] {
            _ = script.control.handle(.refused, quoting: Scripted.number(number), now: script.now)
        }
        #expect(script.control.failure == nil)
        _ = script.control.handle(.refused, quoting: Scripted.number(100), now: script.now)
        #expect(script.control.failure == .refused)
    }

    @Test func `an established connection outlives every message of the network`() {
        let script = Scripted.established()
        _ = script.write(100)
        script.drain()
        _ = script.control.handle(.refused, quoting: Scripted.number(101), now: script.now)
        _ = script.control.handle(.unreachable, quoting: Scripted.number(101), now: script.now)
        _ = script.control.handle(.tooBig(maximumSegmentSize: -1), quoting: Scripted.number(101), now: script.now)
        _ = script.control.handle(.tooBig(maximumSegmentSize: .max), quoting: Scripted.number(101), now: script.now)
        #expect(script.control.state == .established)
        #expect(script.control.segmentSize >= 48)
    }
}
