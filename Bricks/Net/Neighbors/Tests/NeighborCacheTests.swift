import NetFormats
import Neighbors
import Testing
import Time

struct NeighborCacheTests {
    let address = IPAddress.v4(IPv4Address(10, 0, 0, 1))
    let link = MACAddress(rawValue: 0x5254_0000_0001)

    func packet(_ byte: UInt8) -> NeighborCache.QueuedPacket { NeighborCache.QueuedPacket(bytes: [byte], isIPv6: false) }
    func at(_ seconds: Int) -> Instant { Instant.start.advanced(by: .seconds(seconds)) }

    func actions(_ cache: inout NeighborCache, at seconds: Int) -> [String] {
        var seen: [String] = []
        cache.tick(now: at(seconds)) { action in
            switch action {
            case .solicit(let address): seen.append("solicit \(address)")
            case .probe(let address, let link): seen.append("probe \(address) \(link)")
            case .unreachable(let address, let packets): seen.append("unreachable \(address) \(packets.count)")
            }
        }
        return seen
    }

    @Test func `packets wait for the answer and then go in order`() {
        var cache = NeighborCache()
        let isAsked = [cache.enqueue(packet(1), for: address, now: at(0)), cache.enqueue(packet(2), for: address, now: at(0))]
        #expect(isAsked == [true, false])
        let before = cache.lookup(address, now: at(0))
        #expect(before == nil)
        let packets = cache.confirm(address, link, now: at(0))
        #expect(packets.map(\.bytes) == [[1], [2]])
        let after = cache.lookup(address, now: at(0))
        #expect(after == link)
    }

    @Test func `nobody is asked more than three times, then the packets come back`() {
        var cache = NeighborCache()
        _ = cache.enqueue(packet(1), for: address, now: at(0))
        let seen = (0...3).map { actions(&cache, at: $0) }
        #expect(seen == [[], ["solicit 10.0.0.1"], ["solicit 10.0.0.1"], ["unreachable 10.0.0.1 1"]])
        #expect(cache.count == 0)
    }

    @Test func `a neighbor that is used after its time is probed, and forgotten if it is silent`() {
        var cache = NeighborCache()
        _ = cache.enqueue(packet(1), for: address, now: at(0))
        _ = cache.confirm(address, link, now: at(0))
        let generation = cache.generation
        let stale = actions(&cache, at: 30)
        #expect(stale == [] && cache.generation != generation)
        let used = cache.lookup(address, now: at(31))
        #expect(used == link)
        let seen = [35, 36, 37, 38, 39].map { actions(&cache, at: $0) }
        let probe = ["probe 10.0.0.1 \(link)"]
        #expect(seen == [[], probe, probe, probe, []])
        #expect(cache.count == 0)
    }

    @Test func `strangers cannot fill the cache, and the cache is bounded`() {
        var cache = NeighborCache()
        _ = cache.learn(address, link, wanted: false, now: at(0))
        #expect(cache.count == 0)
        let many = 2 * NeighborCache.maximumEntryCount
        for index in 0..<many { _ = cache.learn(.v4(IPv4Address(rawValue: UInt32(index))), link, wanted: true, now: at(index)) }
        #expect(cache.count == NeighborCache.maximumEntryCount)
        let kept = cache.lookup(.v4(IPv4Address(rawValue: UInt32(many - 1))), now: at(5000))
        #expect(kept == link)
    }

    @Test func `an answer without the override flag does not move a neighbor`() {
        var cache = NeighborCache()
        _ = cache.enqueue(packet(1), for: address, now: at(0))
        _ = cache.confirm(address, link, now: at(0))
        _ = cache.confirm(address, MACAddress(rawValue: 2), isOverride: false, now: at(1))
        let kept = cache.lookup(address, now: at(1))
        #expect(kept == link)
        _ = cache.confirm(address, MACAddress(rawValue: 2), now: at(1))
        let moved = cache.lookup(address, now: at(1))
        #expect(moved == MACAddress(rawValue: 2))
    }

    @Test func `only so many packets wait for one neighbor, the oldest go`() {
        var cache = NeighborCache()
        for index in 0..<40 { _ = cache.enqueue(packet(UInt8(index)), for: address, now: at(0)) }
        let packets = cache.confirm(address, link, now: at(0))
        #expect(packets.count == NeighborCache.maximumQueuedPackets && packets.last?.bytes == [39])
    }
}
