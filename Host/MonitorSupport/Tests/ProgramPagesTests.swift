import BootFormat
import MonitorSupport
import SampleImage
import Testing

private let base = UInt64(BRIQUE_VIRTUAL_BASE), layerStart = UInt64(BRIQUE_LAYER_BASE)
private let read = UInt64(BRIQUE_MAP_READ), write = UInt64(BRIQUE_MAP_WRITE), execute = UInt64(BRIQUE_MAP_EXECUTE)

private func result(_ server: inout HypercallServer<SampleHost>, _ a: UInt64, _ b: UInt64, _ c: UInt64) -> Int64? {
    guard case .result(let value) = server.answer(number: UInt64(BRIQUE_CALL_MAP), a, b, c) else { return nil }
    return value
}

@Test func `pages of memory and of a layer are mapped below the library OS`() throws {
    var server = try SampleInstance.server(memoryByteCount: 4 << 20, root: [UInt8](repeating: 1, count: 5000))
    let heap = server.map.heapStart
    #expect(result(&server, 0x40_0000, 8192, heap | read | write) == 0)
    #expect(result(&server, base - 4096, 4096, layerStart + 4096 | read | execute) == 0)
    #expect(result(&server, 4096, base - 4096, 0) == 0)
    #expect(server.host.mappings.map(\.address) == [0x40_0000, base - 4096, 4096])
    #expect(server.host.mappings.map(\.access) == [[.read, .write], [.read, .execute], []])
    #expect(server.host.mappings[1].pages == .layer(0, offset: 4096))
    #expect(server.host.mappings[2].pages == nil)
    let range = try #require(server.memory.range(physical: heap, byteCount: 8192))
    #expect(server.host.mappings[0].pages == .memory(range))
}

@Test func `a mapping of what is not there, or where programs are not, is refused`() throws {
    var server = try SampleInstance.server(memoryByteCount: 4 << 20, root: [UInt8](repeating: 1, count: 5000))
    let heap = server.map.heapStart, end = server.map.memoryEnd
    let places: [(UInt64, UInt64)] = [
        (0, 4096), (4095, 4096), (0x40_0001, 4096), (0x40_0000, 0), (0x40_0000, 4095), (base, 4096), (base - 4096, 8192), (4096, base),
        (4096, .max - 4095), (.max - 4095, 4096), (.max - 4095, 8192), (base + heap, 4096), (0x3000_0000_0000, 4096),
    ]
    for (address, count) in places {
        #expect(result(&server, address, count, heap | read) == ErrorNumber.invalid, "\(address) \(count)")
        #expect(result(&server, address, count, 0) == ErrorNumber.invalid, "\(address) \(count)")
    }
    for access in [8, 9, 0x80, 0xfff] as [UInt64] { #expect(result(&server, 4096, 4096, heap | access) == ErrorNumber.invalid) }
    let sources: [(UInt64, UInt64)] = [
        (0, 4096), (end, 4096), (end - 4096, 8192), (layerStart - 4096, 4096), (layerStart + 8192, 4096), (layerStart, 12288),
        (layerStart + 4096, 8192), (layerStart + UInt64(BRIQUE_LAYER_STEP), 4096), (.max - 4095, 4096), (base + heap, 4096),
    ]
    for (physical, count) in sources { #expect(result(&server, 4096, count, physical | read) == ErrorNumber.fault, "\(physical)") }
    #expect(result(&server, 4096, 4096, layerStart | read | write) == ErrorNumber.access)
    #expect(server.host.mappings.isEmpty)
}
