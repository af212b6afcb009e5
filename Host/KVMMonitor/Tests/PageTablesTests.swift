import BootFormat
import ELFFormat
@testable import KVMMonitor
import MonitorSupport
import SampleImage
import Testing

/// What the processor would find for a virtual address (Intel SDM volume 3, §4.5 and §4.6).
private struct Translation: Equatable {
    var physical: UInt64
    var user, writable, executable: Bool
}

private func translate(_ virtual: UInt64, top: UInt64, in memory: GuestMemory) -> Translation? {
    var table = top
    var user = true, writable = true, executable = true
    for shift in [39, 30, 21, 12] as [UInt64] {
        let entry = memory.word(virtual: UInt64(BRIQUE_VIRTUAL_BASE) + table + (virtual >> shift & 511) * 8) ?? 0
        if entry & 1 == 0 { return nil }
        writable = writable && entry & 2 != 0
        user = user && entry & 4 != 0
        executable = executable && entry >> 63 == 0
        #expect(entry & 0x20 != 0, "accessed is preset")
        let address = entry & 0x000f_ffff_ffff_f000
        if shift == 12 || entry & 0x80 != 0 && shift == 21 {
            #expect(entry & 0x40 != 0, "dirty is preset")
            #expect(address % (1 << shift) == 0)
            return Translation(physical: address | virtual & (1 << shift - 1), user: user, writable: writable, executable: executable)
        }
        table = address
    }
    return nil
}

private func expected(_ access: PageAccess, _ physical: UInt64) -> Translation? {
    switch access {
    case .none: nil
    case .core: Translation(physical: physical, user: false, writable: true, executable: false)
    case .read: Translation(physical: physical, user: true, writable: false, executable: false)
    case .readExecute: Translation(physical: physical, user: true, writable: false, executable: true)
    case .readWrite: Translation(physical: physical, user: true, writable: true, executable: false)
    }
}

@Test(arguments: [1 << 20, (1 << 20) + 4096, 2 << 20, 3 << 20, (15 << 20) + 8192, 64 << 20, 1023 << 20, 1024 << 20, 5 << 30] as [UInt64])
func `every page has the access that the map says, and nothing else is mapped`(memoryByteCount: UInt64) throws {
    let map = try SampleInstance.map(memoryByteCount: memoryByteCount)
    let memory = try GuestMemory.anonymous(byteCount: memoryByteCount)
    let top = PageTables.write(map, into: memory)
    let base = UInt64(BRIQUE_VIRTUAL_BASE)
    var region = 0
    var address = UInt64(BRIQUE_MEMORY_BASE)
    while address < map.memoryEnd {
        while map[region: region].end <= address { region += 1 }
        let translation = translate(base + address, top: top, in: memory)
        try #require(translation == expected(map[region: region].access, address), "page \(address)")
        // Large memory is sampled in its plain middle.
        let isPlain = address > map.heapStart + (4 << 20) && address + (8 << 20) < map.heapEnd
        address += isPlain ? 0x3f000 : 4096
    }
    for nowhere in [0, 4096, base - 4096, base, base + 0xff000, base + map.memoryEnd, base + (512 << 30), 0x1000_0000_0000] as [UInt64] {
        #expect(translate(nowhere, top: top, in: memory) == nil, "\(nowhere)")
    }
}

@Test func `no page is both writable and executable, and no table is the guest's`() throws {
    let map = try SampleInstance.map(memoryByteCount: 8 << 20)
    let memory = try GuestMemory.anonymous(byteCount: 8 << 20)
    let top = PageTables.write(map, into: memory)
    for address in stride(from: UInt64(BRIQUE_MEMORY_BASE), to: map.memoryEnd, by: 4096) {
        guard let translation = translate(UInt64(BRIQUE_VIRTUAL_BASE) + address, top: top, in: memory) else { continue }
        #expect(!(translation.writable && translation.executable))
        if address >= map.tables { #expect(!translation.user) }
    }
}

@Test(arguments: [1, 4096, 4097, 2 << 20, (2 << 20) + 1, (3 << 30) + 5, 64 << 30] as [UInt64])
func `layers are mapped to be read, where the map has them, and not a page more`(byteCount: UInt64) throws {
    let memoryByteCount: UInt64 = 8 << 20
    let map = try SampleInstance.map(memoryByteCount: memoryByteCount, root: [1, 2, 3], layerByteCount: byteCount)
    let memory = try GuestMemory.anonymous(byteCount: memoryByteCount)
    let top = PageTables.write(map, into: memory)
    let base = UInt64(BRIQUE_VIRTUAL_BASE)
    for index in 0..<InstanceMap.layerCount {
        let region = map.layerRegion(index)
        #expect(region.end - region.start == map.layerPageByteCount(index))
        let step = max(4096, (region.end - region.start) / 1000 & ~4095)
        for address in Array(stride(from: region.start, to: region.end, by: Int(step))) + [region.end - 4096] {
            let expected = Translation(physical: address, user: true, writable: false, executable: false)
            try #require(translate(base + address, top: top, in: memory) == expected, "\(address)")
        }
        // A layer of full length ends where the next begins, or where nothing is.
        #expect(translate(base + region.end, top: top, in: memory) == nil)
        #expect(translate(base + region.start - 4096, top: top, in: memory) == nil)
    }
}
