import Random
import Testing
@testable import Memory

@Test(arguments: 1...SizeClass.largestByteCount)
func `a size class holds what it is chosen for, and wastes a quarter at most`(byteCount: Int) throws {
    let sizeClass = try #require(SizeClass(fitting: byteCount, alignment: 16))
    #expect(sizeClass.byteCount >= byteCount)
    #expect(sizeClass.byteCount - byteCount < max(16, byteCount / 4 + 1))
    #expect(sizeClass.blocksPerSlab >= 2)
}

@Test func `size classes grow, and there are as many as said`() {
    let sizes = (0..<UInt8(SizeClass.count)).map { SizeClass(index: $0).byteCount }
    #expect(sizes == sizes.sorted())
    #expect(Set(sizes).count == SizeClass.count)
    #expect(sizes.last == SizeClass.largestByteCount)
}

@Test(arguments: [16, 32, 64, 256, 2_048, 4_096, 8_192, 65_536])
func `a block is aligned as asked`(alignment: Int) throws {
    let region = TestRegion(pageCount: 256)
    var heap = region.heap()
    for byteCount in [0, 1, 17, 100, 2_049, 20_000] {
        let found = heap.allocate(byteCount: byteCount, alignment: alignment)
        let address = try #require(found)
        #expect(address % UInt(alignment) == 0)
        let usable = try #require(heap.usableByteCount(of: address))
        #expect(usable >= byteCount)
    }
}

@Test func `what cannot fit is refused, and costs nothing`() {
    let region = TestRegion(pageCount: 16)
    var heap = region.heap()
    let before = heap.statistics
    for byteCount in [16 * pageByteCount, Int.max, Int.max - 4_095, -1] {
        let refused = heap.allocate(byteCount: byteCount)
        #expect(refused == nil)
    }
    let misaligned = heap.allocate(byteCount: 1, alignment: 1 << 40)
    #expect(misaligned == nil)
    #expect(heap.statistics == before)
}

@Test func `a heap of no pages gives nothing`() {
    let region = TestRegion(pageCount: 1)
    var heap = region.emptyHeap()
    let refused = heap.allocate(byteCount: 16)
    let freed = heap.free(region.base)
    #expect(refused == nil && !freed)
}

@Test func `addresses that were never handed out are refused`() throws {
    let region = TestRegion(pageCount: 64)
    var heap = region.heap()
    let firstSmall = heap.allocate(byteCount: 64)
    let small = try #require(firstSmall)
    let firstLarge = heap.allocate(byteCount: 3 * pageByteCount)
    let large = try #require(firstLarge)
    for address in [0, region.base - 1, small + 1, small + 64, large + 16, large + UInt(pageByteCount), .max] {
        let freed = heap.free(address)
        #expect(!freed)
    }
    let freed = [heap.free(small), heap.free(large), heap.free(large)]
    #expect(freed == [true, true, false])
    #expect(heap.statistics.live == 0)
}

@Test func `freed neighbours join into one run`() throws {
    let region = TestRegion(pageCount: 101)
    var heap = region.heap()
    var runs: [UInt] = []
    while let run = heap.allocate(byteCount: 10 * pageByteCount) { runs.append(run) }
    #expect(runs.count == 10)
    for index in [1, 3, 5, 7, 9, 0, 2, 4, 6, 8] {
        let freed = heap.free(runs[index])
        #expect(freed)
    }
    let whole = heap.allocate(byteCount: 100 * pageByteCount)
    #expect(whole != nil)
}

@Test func `fill, free and refill come out the same`() {
    let region = TestRegion(pageCount: 200)
    var heap = region.heap()
    var counts: [Int] = []
    for byteCount in [100, 100, 5_000, 100, 16] {
        var blocks: [UInt] = []
        while let block = heap.allocate(byteCount: byteCount) { blocks.append(block) }
        counts.append(blocks.count)
        let freed = blocks.filter { heap.free($0) }.count
        #expect(freed == blocks.count)
        #expect(heap.statistics.live == 0 && heap.statistics.blockCount == 0)
    }
    #expect(counts[0] == counts[1] && counts[1] == counts[3])
}

/// Random work against a model: every block keeps its bytes, nothing overlaps, nothing is lost.
@Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
func `blocks keep their bytes whatever comes and goes`(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let region = TestRegion(pageCount: 300)
    var heap = region.heap()
    var live: [(address: UInt, byteCount: Int, mark: UInt8)] = []
    for step in 0..<20_000 {
        if live.isEmpty || random.next() % 100 < 55 {
            let byteCount = Int(random.next() % (random.next() % 8 == 0 ? 40_000 : 700))
            let alignment = 16 << Int(random.next() % (random.next() % 16 == 0 ? 11 : 3))
            guard let address = heap.allocate(byteCount: byteCount, alignment: alignment) else { continue }
            #expect(address % UInt(alignment) == 0, "seed \(seed) step \(step)")
            let mark = UInt8(truncatingIfNeeded: random.next())
            region.fill(address, byteCount: byteCount, with: mark)
            live.append((address, byteCount, mark))
        } else {
            let block = live.swapRemove(at: Int(random.next() % UInt64(live.count)))
            #expect(region.holds(block.address, byteCount: block.byteCount, only: block.mark), "seed \(seed) step \(step)")
            let freed = heap.free(block.address)
            #expect(freed, "seed \(seed) step \(step)")
        }
    }
    #expect(heap.statistics.blockCount == live.count)
    for block in live {
        let freed = heap.free(block.address)
        #expect(freed)
    }
    #expect(heap.statistics.live == 0)
}

extension Array {
    fileprivate mutating func swapRemove(at index: Int) -> Element {
        swapAt(index, count - 1)
        return removeLast()
    }
}
