import NetFormats
import Testing
import Time

@testable import TCP

struct ReceiveTests {
    /// The first 16 segments are acknowledged at once; these tests begin after them.
    static func steady() -> Scripted {
        let script = Scripted.established()
        script.control.quickAcknowledgmentCount = 0
        return script
    }

    static let full = TransferTests.pattern(1_000)

    @Test func `a single segment is acknowledged after 40 ms, every second full one at once`() {
        let script = Self.steady()
        script.control.receivedSegmentSize = 1_000
        script.send(.ack, 1_001, 101, Self.full)
        script.expectNothing()
        script.expectNothing(for: .milliseconds(40))
        script.expect(.ack, 101, 2_001)
        script.send(.ack, 2_001, 101, Self.full)
        script.expectNothing()
        script.send(.ack, 3_001, 101, Self.full)
        script.expect(.ack, 101, 4_001)
        script.expectNothing()
    }

    @Test func `the first segments are acknowledged at once`() {
        let script = Scripted.established()
        for index in 0..<16 {
            script.send(.ack, 1_001 + index, 101, [1])
            script.expect(.ack, 101, 1_002 + index)
        }
        script.send(.ack, 1_017, 101, [1])
        script.expectNothing()
    }

    @Test func `an acknowledgment rides on data`() {
        let script = Self.steady()
        script.send(.ack, 1_001, 101, [1, 2, 3])
        #expect(script.write(5) == 5)
        script.expect(.ack, 101, 1_004, count: 5)
        script.expectNothing()
    }

    @Test func `what comes early is reported and kept`() {
        let script = Self.steady()
        script.send(.ack, 1_101, 101, [UInt8](repeating: 2, count: 100))
        script.expect(.ack, 101, 1_001, sack: [(1_101, 1_201)])
        script.send(.ack, 1_301, 101, [UInt8](repeating: 4, count: 100))
        script.expect(.ack, 101, 1_001, sack: [(1_301, 1_401), (1_101, 1_201)])
        script.send(.ack, 1_201, 101, [UInt8](repeating: 3, count: 100))
        script.expect(.ack, 101, 1_001, sack: [(1_101, 1_401)])
        script.send(.ack, 1_001, 101, [UInt8](repeating: 1, count: 100))
        script.expect(.ack, 101, 1_401, sack: [])
        let bytes = script.control.readAll()
        #expect(bytes == (1...4).flatMap { [UInt8](repeating: $0, count: 100) })
    }

    @Test func `overlapping segments make one stream`() {
        let script = Self.steady()
        let stream = TransferTests.pattern(60)
        for range in [20..<40, 10..<30, 35..<60, 0..<15, 5..<60] {
            script.send(.ack, 1_001 + range.lowerBound, 101, Array(stream[range]))
            script.drain()
        }
        #expect(script.control.readAll() == stream)
        script.send(.ack, 1_061, 101, [9])
        #expect(script.control.readAll() == [9])
    }

    @Test func `old data is reported as a duplicate`() {
        let script = Self.steady()
        script.send(.ack, 1_001, 101, Self.full)
        script.drain()
        script.send(.ack, 1_001, 101, Self.full)
        script.expect(.ack, 101, 2_001, sack: [(1_001, 2_001)])
        script.send(.ack, 2_101, 101, [1, 2, 3])
        script.expect(.ack, 101, 2_001, sack: [(2_101, 2_104)])
        script.send(.ack, 2_101, 101, [1, 2, 3])
        script.expect(.ack, 101, 2_001, sack: [(2_101, 2_104), (2_101, 2_104)])
        #expect(script.control.readAll() == Self.full)
    }

    @Test func `too many gaps cost a segment, not memory`() {
        let script = Self.steady()
        for index in 0..<300 {
            script.send(.ack, 1_003 + 2 * index, 101, [1])
            script.drain()
        }
        #expect(script.control.receiveBuffer.islands.count == ReceiveBuffer.islandLimit)
        script.send(.ack, 1_001, 101, TransferTests.pattern(1_000))
        #expect(script.control.readAll() == TransferTests.pattern(1_000))
    }

    @Test func `sequence numbers wrap`() {
        let script = Self.steady()
        let offset = -2_001
        script.control.receiveNext = Scripted.number(offset)
        script.control.receiveWindowEnd = Scripted.number(offset + 60_000)
        script.control.lastAcknowledgmentSent = Scripted.number(offset)
        script.control.windowSequence = Scripted.number(offset)
        script.send(.ack, offset + 3_000, 101, Self.full)
        script.expect(.ack, 101, offset, sack: [(offset + 3_000, offset + 4_000)])
        for index in 0..<3 { script.send(.ack, offset + 1_000 * index, 101, Self.full) }
        script.expect(.ack, 101, offset + 4_000)
        #expect(script.control.readAll() == Self.full + Self.full + Self.full + Self.full)
    }

    @Test func `a full buffer closes the window and reading opens it`() {
        let script = Scripted.established { $0.receiveBufferLimit = 4_000 }
        var sequence = 1_001
        for _ in 0..<4 {
            script.send(.ack, sequence, 101, Self.full)
            sequence += 1_000
            script.drain()
        }
        #expect(script.control.readableByteCount == 4_000)
        script.send(.ack, sequence, 101, [1])
        let closed = script.expect(.ack, 101, sequence)
        #expect(closed?.header.window == 0)
        script.control.consume(100)
        script.expectNothing()
        script.control.consume(1_900)
        let open = script.expect(.ack, 101, sequence)
        #expect(open?.header.window == 2_000)
    }

    @Test func `data beyond the window is cut off`() {
        let script = Scripted.established { $0.receiveBufferLimit = 1_500 }
        script.send([.fin, .ack], 1_001, 101, [UInt8](repeating: 1, count: 2_000))
        script.expect(.ack, 101, 2_501)
        #expect(script.control.readableByteCount == 1_500)
        #expect(script.control.state == .established)
    }

    @Test func `the window grows with what is read, up to the limit`() {
        let script = Scripted.established(.init(windowScale: 7)) { $0.receiveBufferLimit = 1 << 20 }
        var sequence = 1_001
        for _ in 0..<40 {
            for _ in 0..<200 {
                script.send(.ack, sequence, 101, Self.full)
                sequence += 1_000
                script.control.consume(1_000)
                script.drain()
            }
            script.wait(.milliseconds(11))
        }
        #expect(script.control.receiveLimit > 400_000)
        #expect(script.control.receiveLimit <= 1 << 20)
        #expect(script.control.bufferedCapacity < 10_000)
    }

    @Test func `lowered limits take effect without moving the window back`() {
        let script = Scripted.established()
        script.control.setBufferLimits(receive: 2_000, send: 2_000)
        script.send(.ack, 1_001, 101, Self.full)
        let answer = script.expect(.ack, 101, 2_001)
        #expect(answer.map { Int($0.header.window) } ?? 0 >= 60_000)
        #expect(script.write(10_000) == 2_000)
    }

    @Test(arguments: 0..<5 as Range<UInt64>)
    func `random segments of a stream give the stream`(seed: UInt64) {
        var random = Seeded(state: seed)
        let stream = TransferTests.pattern(10_000, seed: UInt8(seed))
        let script = Self.steady()
        var read: [UInt8] = []
        for _ in 0..<5_000 where read.count < stream.count {
            // Around what is wanted next.
            let place = max(0, min(stream.count - 1, read.count + Int(random.next() % 6_000) - 2_000))
            let count = min(1 + Int(random.next() % 1_500), stream.count - place)
            script.send(.ack, 1_001 + place, 101, Array(stream[place..<place + count]))
            script.drain()
            if random.next() % 4 == 0 { read += script.control.readAll() }
        }
        read += script.control.readAll()
        #expect(read == stream, "seed \(seed)")
    }
}
