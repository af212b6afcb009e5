import NetFormats
import TCP
import Testing
import Time

struct TransferTests {
    static func pattern(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8 &+ Int(seed)) }
    }

    static func established() -> Pair {
        var pair = Pair()
        pair.run()
        return pair
    }

    @Test func `a handshake settles the options`() {
        let pair = Self.established()
        #expect(pair.client.state == .established)
        #expect(pair.server?.state == .established)
        #expect(pair.clientEvents.contains(.established))
        #expect(pair.serverEvents.contains(.established))
        #expect(pair.client.segmentSize == 1_448)
        #expect(pair.server?.segmentSize == 1_448)
    }

    @Test(arguments: [0, 65_000])
    func `a megabyte arrives, both ways`(superSegment: Int) {
        var pair = Self.established()
        pair.superSegment = superSegment
        let data = Self.pattern(1 << 20)
        var sent = (0, 0), received: ([UInt8], [UInt8]) = ([], [])
        for _ in 0..<10_000 where received.0.count < data.count || received.1.count < data.count {
            sent.0 += pair.client.write(Array(data[sent.0...].prefix(100_000)))
            sent.1 += pair.server!.write(Array(data[sent.1...].prefix(100_000)))
            _ = pair.exchange()
            received.0 += pair.client.readAll()
            received.1 += pair.server!.readAll()
        }
        #expect(received.0 == data)
        #expect(received.1 == data)
    }

    @Test func `both ends close in order`() {
        var pair = Self.established()
        _ = pair.client.write([1, 2, 3])
        pair.client.finish()
        pair.run()
        #expect(pair.server?.readAll() == [1, 2, 3])
        #expect(pair.serverEvents.contains(.endOfStream))
        #expect(pair.server?.isEndOfStream == true)
        #expect(pair.server?.state == .closeWait)
        #expect(pair.client.state == .finWait2)
        _ = pair.server?.write([4])
        pair.server?.finish()
        pair.run()
        #expect(pair.client.readAll() == [4])
        #expect(pair.client.isTimeWait)
        #expect(pair.server?.isClosed == true)
        #expect(pair.server?.failure == nil)
        pair.run(for: .seconds(61))
        #expect(pair.client.isClosed)
        #expect(pair.client.nextDeadline == nil)
    }

    @Test func `an idle connection keeps no memory`() {
        var pair = Self.established()
        _ = pair.client.write(Self.pattern(30_000))
        pair.run()
        _ = pair.server?.readAll()
        pair.run(for: .seconds(5))
        #expect(pair.client.bufferedCapacity == 0)
        #expect(pair.server?.bufferedCapacity == 0)
        #expect(pair.client.nextDeadline == nil)
        #expect(MemoryLayout<TCPControlBlock>.size <= 1_024)
        print("TCPControlBlock \(MemoryLayout<TCPControlBlock>.size) bytes")
    }

    @Test func `an abort is told`() {
        var pair = Self.established()
        pair.client.abort()
        pair.run()
        #expect(pair.server?.failure == .reset)
        #expect(pair.client.failure == .aborted)
    }
}
