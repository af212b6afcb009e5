import BootFormat
import MonitorSupport
import SampleImage
import Testing

private let memoryByteCount: UInt64 = 4 << 20
private let base = UInt64(BRIQUE_VIRTUAL_BASE)

extension HypercallServer where Host == SampleHost {
    fileprivate mutating func result(_ call: Int32, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0) -> Int64? {
        guard case .result(let value) = answer(number: UInt64(call), a, b, c) else { return nil }
        return value
    }
}

@Test func `a console write inside memory reaches the host`() throws {
    var server = try SampleInstance.server(memoryByteCount: memoryByteCount)
    let heap = base + server.map.heapStart
    #expect(server.result(BRIQUE_CALL_CONSOLE_WRITE, heap, 100) == 100)
    #expect(server.host.writtenByteCount == 100)
    #expect(server.result(BRIQUE_CALL_CONSOLE_WRITE, heap, 0) == 0)
    // Constants are written from where they are.
    #expect(server.result(BRIQUE_CALL_CONSOLE_WRITE, base + server.map.layout[segment: 0].start, 16) == 16)
}

@Test func `ranges that leave memory, wrap, or touch what is not the guest's are refused`() throws {
    var server = try SampleInstance.server(memoryByteCount: memoryByteCount)
    let map = server.map
    let area = base + map.layout.machineArea
    let end = base + map.memoryEnd
    let hostile: [(UInt64, UInt64)] = [
        (0, 1), (0, 0), (base, 1), (base + 0xfffff, 1), (base + 0xfffff, 2), (end, 1), (end - 1, 2), (end - 8, .max), (.max, 1),
        (.max, .max),
        (base + 0x100000, .max), (base + 0x100000, memoryByteCount + 1), (base + map.memoryEnd - 1, 1), (base + map.tables, 8),
        (area, 1), (area + UInt64(BRIQUE_AREA_CORE_STACK), 8), (area - 8, 16), (0x8000_0000_0000_0000, 8), (map.heapStart, 8),
    ]
    for (address, count) in hostile {
        for call in [BRIQUE_CALL_CONSOLE_WRITE, BRIQUE_CALL_CONSOLE_READ, BRIQUE_CALL_ENTROPY] {
            #expect(server.result(call, address, count) == ErrorNumber.fault, "\(call) \(address) \(count)")
        }
    }
    #expect(server.host.writtenByteCount == 0)
}

@Test func `the monitor writes only where the guest could`() throws {
    var server = try SampleInstance.server(memoryByteCount: memoryByteCount)
    let layout = server.map.layout
    for segment in [layout[segment: 0], layout.executable] {
        #expect(server.result(BRIQUE_CALL_CONSOLE_READ, base + segment.start, 8) == ErrorNumber.fault)
        #expect(server.result(BRIQUE_CALL_ENTROPY, base + segment.start, 8) == ErrorNumber.fault)
    }
    #expect(server.result(BRIQUE_CALL_CONSOLE_READ, base + layout.writable.start, 8) == 8)
    #expect(server.result(BRIQUE_CALL_CONSOLE_READ, base + server.map.heapStart, 0) == ErrorNumber.invalid)
    #expect(server.result(BRIQUE_CALL_ENTROPY, base + server.map.heapStart, 64) == 64)
    #expect(server.memory.word(virtual: base + server.map.heapStart) == 0x7272_7272_7272_7272)
}

@Test func `unknown calls and events are refused`() throws {
    var server = try SampleInstance.server(memoryByteCount: memoryByteCount)
    for number in [UInt64(BRIQUE_CALL_COUNT), 100, 1 << 31, 1 << 32, .max] {
        guard case .result(ErrorNumber.noCall) = server.answer(number: number, 0, 0, 0) else {
            Issue.record("\(number) was answered")
            continue
        }
    }
    #expect(server.result(BRIQUE_CALL_DONATE_TABLE, base + server.map.heapStart) == ErrorNumber.noCall)
    #expect(server.result(BRIQUE_CALL_WAIT, 5, 0x100) == ErrorNumber.invalid)
    #expect(server.result(BRIQUE_CALL_WAIT, 5, .max) == ErrorNumber.invalid)
    #expect(server.result(BRIQUE_CALL_WAIT, 5, 0) == 0)
    #expect(server.result(BRIQUE_CALL_WAIT, .max, 1) == 1)
    #expect(server.host.waits.map(\.nanoseconds) == [5, .max])
}

@Test func `only whole pages of the heap change their access, and never to executable`() throws {
    var server = try SampleInstance.server(memoryByteCount: memoryByteCount)
    let start = base + server.map.heapStart, end = base + server.map.heapEnd
    let refused: [(UInt64, UInt64, UInt64)] = [
        (start - 4096, 4096, 1), (start + 1, 4096, 1), (start, 4095, 1), (start, 0, 1), (end, 4096, 1), (end - 4096, 8192, 1),
        (start, .max - 4095, 1),
        (.max - 4095, 4096, 1), (base + server.map.layout.executable.start, 4096, 2), (start, 4096, 3), (start, 4096, 4),
        (start, 4096, .max),
    ]
    for (address, count, access) in refused {
        #expect(server.result(BRIQUE_CALL_PROTECT, address, count, access) == ErrorNumber.invalid)
    }
    #expect(server.host.protections.isEmpty)
    #expect(server.result(BRIQUE_CALL_PROTECT, start, 4096, UInt64(BRIQUE_ACCESS_NONE)) == 0)
    #expect(server.result(BRIQUE_CALL_PROTECT, start, end - start, UInt64(BRIQUE_ACCESS_READ_WRITE)) == 0)
    #expect(server.host.protections.map(\.access) == [.none, .readWrite])
}

@Test func `a program's structure is where the guest may write, and ticks come after it`() throws {
    var server = try SampleInstance.server(memoryByteCount: memoryByteCount)
    let heap = base + server.map.heapStart, end = base + server.map.memoryEnd
    #expect(server.result(BRIQUE_CALL_TICK, 1_000_000) == ErrorNumber.invalid)
    for hostile in [0, heap + 4, end, end - 8, base + server.map.layout.executable.start, base + server.map.tables, .max - 7] as [UInt64] {
        #expect(server.result(BRIQUE_CALL_PROGRAM, hostile) == ErrorNumber.fault)
    }
    #expect(server.program == nil)
    #expect(server.result(BRIQUE_CALL_PROGRAM, heap) == 0)
    #expect(server.program?.physical == server.map.heapStart)
    #expect(server.result(BRIQUE_CALL_TICK, 1_000_000) == 0)
    #expect(server.host.ticks == [1_000_000])
}

@Test func `a block is answered in place, and a block where none can be is refused`() throws {
    var server = try SampleInstance.server(memoryByteCount: memoryByteCount)
    let block = server.map.heapStart
    server.memory.store(UInt64(BRIQUE_CALL_WALL_TIME), physical: block)
    guard case .result(2) = server.answer(blockAt: block) else { return #expect(Bool(false), "no answer") }
    #expect(server.memory.word(virtual: base + block + 32) == 2)
    let map = server.map
    for hostile in [
        0, 8, block + 4, map.memoryEnd, map.memoryEnd - 8, map.memoryEnd - 32, map.layout.executable.start, map.tables, .max, .max - 7,
        map.layout.machineArea, 0xffff_fff8,
    ] as [UInt64] {
        if server.answer(blockAt: hostile) != nil { Issue.record("a block at \(hostile) was answered") }
    }
}

@Test func `an instance ends with the low eight bits of its status`() throws {
    var server = try SampleInstance.server(memoryByteCount: memoryByteCount)
    for (status, expected) in [(0, 0), (42, 42), (255, 255), (256, 0), (.max, 255)] as [(UInt64, UInt8)] {
        guard case .exit(let got) = server.answer(number: UInt64(BRIQUE_CALL_EXIT), status, 0, 0) else {
            Issue.record("no end")
            continue
        }
        #expect(got == expected)
    }
}
