import BootFormat
import ELFFormat
import MonitorSupport
import SampleImage
import Testing

@Test(arguments: [1, 2, 3, 16, 17, 1024, 1 << 12, 1 << 15, 500 << 10] as [UInt64], [true, false])
func `the regions cover all memory once, in order`(mebibytes: UInt64, needsTables: Bool) throws {
    let map = try SampleInstance.map(memoryByteCount: mebibytes << 20, needsTables: needsTables)
    var end = UInt64(BRIQUE_MEMORY_BASE)
    for index in 0..<map.regionCount {
        #expect(map[region: index].start == end)
        #expect(map[region: index].end > end)
        #expect(map[region: index].end % 4096 == 0)
        end = map[region: index].end
    }
    #expect(end == map.memoryEnd)
    #expect(map.heapStart == map.layout.imageEnd)
    #expect(map.heapEnd > map.heapStart)
    #expect(map.tables == map.memoryEnd - map.tableCount * 4096)
    #expect((map.tableCount == 0) == !needsTables)
}

@Test func `guards and the core's pages are where the contract says`() throws {
    let map = try SampleInstance.map(memoryByteCount: 4 << 20)
    func access(_ address: UInt64) -> PageAccess? {
        for index in 0..<map.regionCount where map[region: index].start <= address && address < map[region: index].end {
            return map[region: index].access
        }
        return nil
    }
    let area = map.layout.machineArea
    #expect(access(area + UInt64(BRIQUE_AREA_STACK_GUARD)) == PageAccess.none)
    #expect(access(area + UInt64(BRIQUE_AREA_STACK)) == .readWrite)
    #expect(access(area + UInt64(BRIQUE_AREA_STACK_TOP) - 1) == .readWrite)
    #expect(access(area + UInt64(BRIQUE_AREA_EXCEPTION_GUARD)) == PageAccess.none)
    #expect(access(area + UInt64(BRIQUE_AREA_EXCEPTION_STACK)) == .readWrite)
    #expect(access(area + UInt64(BRIQUE_AREA_CORE_GUARD)) == PageAccess.none)
    #expect(access(area + UInt64(BRIQUE_AREA_CORE_STACK)) == .core)
    #expect(access(area + UInt64(BRIQUE_AREA_DESCRIPTORS)) == .core)
    #expect(access(area + UInt64(BRIQUE_AREA_BYTES) - 1) == .core)
    #expect(access(map.layout.executable.start) == .readExecute)
    #expect(access(map.layout[segment: 0].start) == .read)
    #expect(access(map.bootInformation) == .readWrite)
    #expect(access(map.tables) == .core)
}

@Test func `memory that cannot hold the image, the loader's pages and a heap is refused`() throws {
    let least = try leastMemory()
    #expect(least <= 1 << 20)
    for byteCount in stride(from: 0, to: least, by: 4096) {
        #expect(refusal(memoryByteCount: byteCount) == .memoryTooSmall)
    }
    #expect(refusal(memoryByteCount: least, stringsByteCount: .max) == .memoryTooSmall)
    #expect(refusal(memoryByteCount: least, stringsByteCount: least - 1) == .memoryTooSmall)
}

@Test(arguments: [4095, 4097, 1 << 40, .max, .max - 4095] as [UInt64])
func `a memory size that is no number of pages, or too many, is refused`(byteCount: UInt64) {
    #expect(refusal(memoryByteCount: byteCount) == .usage)
}

@Test func `layers take tables, and no other memory`() throws {
    let plain = try SampleInstance.map(memoryByteCount: 64 << 20)
    let withRoot = try SampleInstance.map(memoryByteCount: 64 << 20, root: [1])
    // One directory and one table.
    #expect(withRoot.tableCount == plain.tableCount + 2)
    #expect(withRoot.heapStart == plain.heapStart)
    #expect(withRoot.layerByteCounts[0] == 1 && withRoot.layerByteCounts[1] == 0)
    let withBoth = try SampleInstance.map(memoryByteCount: 64 << 20, root: [1], layerByteCount: 5 << 30)
    #expect(withBoth.tableCount == withRoot.tableCount + 5)
    #expect(try SampleInstance.map(memoryByteCount: 64 << 20, layerByteCount: 5, needsTables: false).tableCount == 0)
}

@Test func `a layer that is too large, or memory that reaches the layers, is refused`() {
    #expect(refusal(memoryByteCount: 1 << 30, layerByteCount: 64 << 30) == nil)
    #expect(refusal(memoryByteCount: 1 << 30, layerByteCount: (64 << 30) + 1) == .imageRefused)
    #expect(refusal(memoryByteCount: 1 << 30, layerByteCount: .max) == .imageRefused)
    #expect(refusal(memoryByteCount: 256 << 30, layerByteCount: 1) == .usage)
    #expect(refusal(memoryByteCount: 256 << 30) == nil)
}

private func leastMemory() throws -> UInt64 {
    var byteCount: UInt64 = 4096
    while (try? SampleInstance.map(memoryByteCount: byteCount)) == nil {
        byteCount += 4096
        try #require(byteCount < 1 << 30)
    }
    return byteCount
}

private func refusal(memoryByteCount: UInt64, stringsByteCount: UInt64 = 100, layerByteCount: UInt64 = 0) -> RefusalStatus? {
    do throws(Refusal) {
        _ = try SampleInstance.map(
            memoryByteCount: memoryByteCount, stringsByteCount: stringsByteCount, layerByteCount: layerByteCount)
        return nil
    } catch {
        return error.status
    }
}
