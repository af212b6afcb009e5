import Bytes
import IP
import NetFormats
import Random
import Testing
import Time

struct IPTests {
    let key = Reassembler.Key(
        source: .v4(IPv4Address(10, 0, 0, 1)), destination: .v4(IPv4Address(10, 0, 0, 2)), identification: 7, transport: 17)

    func insert(
        _ reassembler: inout Reassembler, _ bytes: [UInt8], at offset: Int, last: Bool = false, id: UInt32 = 7, now: Instant = .start
    ) -> Reassembler.Outcome {
        var key = key
        key.identification = id
        return reassembler.insert(bytes.raw, at: offset, isLast: last, transport: 17, of: key, now: now)
    }

    @Test func `fragments in any order make the packet`() {
        var random = SplitMix(state: 11)
        for _ in 0..<30 {
            let bytes = (0..<Int.random(in: 1...4000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            let step = 8 * Int.random(in: 8...100, using: &random)
            let offsets = stride(from: 0, to: bytes.count, by: step).shuffled(using: &random)
            var reassembler = Reassembler()
            for (position, offset) in offsets.enumerated() {
                let end = min(offset + step, bytes.count)
                let outcome = insert(&reassembler, Array(bytes[offset..<end]), at: offset, last: end == bytes.count)
                let isDone = position == offsets.count - 1
                #expect(outcome == (isDone ? .complete(bytes, transport: 17) : .incomplete))
            }
            #expect(reassembler.packetCount == 0)
        }
    }

    @Test func `an overlap ends the packet, a copy does not`() {
        var reassembler = Reassembler()
        let part = [UInt8](repeating: 1, count: 16)
        let copies = [insert(&reassembler, part, at: 0), insert(&reassembler, part, at: 0)]
        #expect(copies == [.incomplete, .incomplete])
        let overlap = insert(&reassembler, [UInt8](repeating: 2, count: 16), at: 8)
        #expect(overlap == .refused && reassembler.packetCount == 0)
    }

    @Test(arguments: [(7, 0, false), (0, 0, false), (16, 65_528, true), (8, -8, false)])
    func `impossible fragments are refused`(count: Int, offset: Int, isLast: Bool) {
        var reassembler = Reassembler()
        let outcome = insert(&reassembler, [UInt8](repeating: 0, count: count), at: offset, last: isLast)
        #expect(outcome == .refused)
    }

    @Test func `data beyond the last fragment is refused`() {
        var reassembler = Reassembler()
        _ = insert(&reassembler, [1, 2, 3], at: 8, last: true)
        let outcome = insert(&reassembler, [UInt8](repeating: 0, count: 8), at: 16)
        #expect(outcome == .refused)
    }

    @Test func `packets that never end are bounded in number and bytes, and expire`() {
        var reassembler = Reassembler()
        for id in 0..<100 { _ = insert(&reassembler, [UInt8](repeating: 0, count: 8192), at: 32_768, id: UInt32(id)) }
        #expect(reassembler.packetCount <= Reassembler.maximumByteCount / 32_768)
        reassembler.tick(now: Instant.start.advanced(by: Reassembler.timeLimit))
        #expect(reassembler.packetCount == 0)
    }

    @Test func `a path MTU is believed within reason and for a time`() {
        var cache = PathMTUCache()
        let peer = IPAddress.v4(IPv4Address(10, 0, 0, 1))
        let believed = [cache.learn(peer, byteCount: 1400, now: .start), cache.learn(peer, byteCount: 68, now: .start)]
        #expect(believed == [1400, PathMTUCache.minimumIPv4])
        let found = [cache.lookup(peer, now: .start), cache.lookup(peer, now: Instant.start.advanced(by: PathMTUCache.timeToLive))]
        #expect(found == [PathMTUCache.minimumIPv4, nil])
    }

    @Test func `a bucket lets a burst through and then one at a time`() {
        var bucket = TokenBucket(capacity: 3, interval: .milliseconds(10))
        let burst = (0..<5).map { _ in bucket.take(now: .start) }
        #expect(burst == [true, true, true, false, false])
        let later = [9, 10, 11, 20, 500].map { bucket.take(now: Instant.start.advanced(by: .milliseconds($0))) }
        #expect(later == [false, true, false, true, true])
    }
}
