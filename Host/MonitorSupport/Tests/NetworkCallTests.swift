import BootFormat
import MonitorSupport
import SampleImage
import Testing

private let base = UInt64(BRIQUE_VIRTUAL_BASE)
private let invalid = ErrorNumber.invalid, fault = ErrorNumber.fault, noDevice = ErrorNumber.noDevice

/// An instance with two links, the second with all offloads, and an exchange at the start of its heap.
private struct Exchange {
    var server: HypercallServer<SampleHost>
    var link: UInt32 = 0
    /// Byte count and flags of each buffer; they lie one after another.
    var buffers: [(byteCount: UInt32, flags: UInt32)] = []
    var bufferAddress: UInt64?
    var transmitCount: UInt32?
    var table: UInt64, region: UInt64, frames: UInt64
    var regionByteCount: UInt32 = 80 << 10
    var capacity: UInt32 = 16
    var timeout: UInt64 = 0
    var events: UInt64 = 0

    init() throws {
        var links = HostLinks()
        for offloads in [0, UInt32(BRIQUE_OFFLOAD_ALL)] {
            let isAdded = links.append(
                HostLink(descriptor: FileDescriptor(9), address: 0x5254_0012_3456, maximumTransmissionUnit: 1500, offloads: offloads))
            #expect(isAdded)
        }
        server = try SampleInstance.server(memoryByteCount: 4 << 20, links: links)
        let heap = base + server.map.heapStart
        (table, frames, region) = (heap + 4096, heap + 12288, heap + 16384)
    }

    var heap: UInt64 { server.map.heapStart }

    mutating func exchange() -> Int64 {
        var address = bufferAddress ?? base + heap + 16384
        for (index, buffer) in buffers.enumerated() {
            let physical = heap + 4096 + UInt64(index) * 16
            server.memory.store(address, physical: physical)
            server.memory.store(UInt64(buffer.byteCount) | UInt64(buffer.flags) << 32, physical: physical + 8)
            if bufferAddress == nil { address += UInt64(buffer.byteCount) }
        }
        let count = transmitCount ?? UInt32(buffers.count)
        let words = [
            UInt64(link) | UInt64(count) << 32, table, region, UInt64(regionByteCount) | UInt64(capacity) << 32, frames, timeout, events,
        ]
        for (index, word) in words.enumerated() { server.memory.store(word, physical: heap + UInt64(index) * 8) }
        return result(BRIQUE_CALL_NETWORK_EXCHANGE, base + heap)
    }

    mutating func result(_ call: Int32, _ a: UInt64, _ b: UInt64 = 0) -> Int64 {
        guard case .result(let value) = server.answer(number: UInt64(call), a, b, 0) else { return .min }
        return value
    }

    /// Offset and byte count of a received frame.
    func frame(_ index: Int) -> [UInt64] {
        let word = server.memory.word(virtual: frames + UInt64(index) * 8) ?? .max
        return [word & 0xffff_ffff, word >> 32]
    }
}

private func counts(_ sent: Int64, _ received: Int64, _ ready: Int64 = 0) -> Int64 { sent | received << 16 | ready << 32 }

@Test func `a link tells its address, its unit and its offloads`() throws {
    var exchange = try Exchange()
    let place = base + exchange.heap + 64
    #expect(exchange.result(BRIQUE_CALL_NETWORK_INFORMATION, 1, place) == 0)
    #expect(exchange.server.memory.word(virtual: place) == 0x05dc_5634_1200_5452)
    #expect(exchange.server.memory.word(virtual: place + 8) == UInt64(BRIQUE_OFFLOAD_ALL) | UInt64(BRIQUE_FRAME_BYTES) << 32)
    #expect(exchange.result(BRIQUE_CALL_NETWORK_INFORMATION, 2, place) == noDevice)
    #expect(exchange.result(BRIQUE_CALL_NETWORK_INFORMATION, .max, place) == noDevice)
    for hostile in [0, base, place - 1 + (4 << 20), base + exchange.server.map.layout.executable.start, .max] as [UInt64] {
        #expect(exchange.result(BRIQUE_CALL_NETWORK_INFORMATION, 0, hostile) == fault)
    }
    exchange.server.host.isProtected = true
    #expect(exchange.result(BRIQUE_CALL_NETWORK_INFORMATION, 0, place) == fault)
}

@Test func `frames of one and of several buffers are sent, and frames that arrived are packed`() throws {
    var exchange = try Exchange()
    exchange.buffers = [(26, 0), (12, 1), (14, 1), (100, 0)]
    exchange.server.host.arriving = [30, 1000, 5, 60]
    let result = exchange.exchange()
    #expect(result == counts(4, 3))
    #expect(exchange.server.host.sent.map(\.count) == [26, 126])
    #expect((0..<3).map(exchange.frame) == [[0, 30], [32, 1000], [1040, 60]])
    #expect(exchange.server.memory.word(virtual: exchange.region + 1040) == 0x3c3c_3c3c_3c3c_3c3c)
}

@Test func `a frame is only taken from the link when the region and the table have room for the largest`() throws {
    var exchange = try Exchange()
    exchange.server.host.arriving = [Int](repeating: 100, count: 20)
    // 12 + 18 + 1500 bytes are the most that can arrive on link 0.
    exchange.regionByteCount = 1530
    let one = exchange.exchange()
    #expect(one == counts(0, 1, 0x100))
    exchange.regionByteCount = 1529
    let none = exchange.exchange()
    #expect(none == counts(0, 0, 0x100))
    exchange.regionByteCount = 80 << 10
    let full = exchange.exchange()
    #expect(full == counts(0, 16, 0x100))
    let rest = exchange.exchange()
    #expect(rest == counts(0, 3))
    exchange.link = 1
    exchange.server.host.arriving = [60000, 60000, 60]
    let large = exchange.exchange()
    #expect(large == counts(0, 1, 0x200))
}

@Test func `an exchange waits only when all was sent and nothing received`() throws {
    var exchange = try Exchange()
    exchange.timeout = 7
    exchange.events = 0x301
    let waited = exchange.exchange()
    #expect(waited == counts(0, 0, 0x201))
    #expect(exchange.server.host.waits.map(\.nanoseconds) == [7])
    exchange.server.host.arriving = [64]
    let received = exchange.exchange()
    #expect(received == counts(0, 1, 0x201))
    exchange.server.host.room = 0
    exchange.buffers = [(64, 0)]
    let full = exchange.exchange()
    #expect(full == counts(0, 0, 0x201))
    #expect(exchange.server.host.waits.map(\.nanoseconds) == [7, 0, 0])
}

@Test func `a link that is full takes what it can, whole frames only`() throws {
    var exchange = try Exchange()
    exchange.buffers = [(20, 1), (20, 0), (20, 1), (20, 0), (40, 0)]
    exchange.server.host.room = 1
    let first = exchange.exchange()
    #expect(first == counts(2, 0))
    exchange.server.host.room = .max
    let all = exchange.exchange()
    #expect(all == counts(5, 0))
}

@Test func `hostile buffers are refused, after whatever was right before them`() throws {
    let wrong: [([(byteCount: UInt32, flags: UInt32)], Int64)] = [
        ([(25, 0)], invalid), ([(0, 0)], invalid), ([(26, 1)], invalid), ([(26, 2)], invalid), ([(26, .max)], invalid),
        ([(UInt32(BRIQUE_FRAME_BYTES) + 1, 0)], invalid), ([(40000, 1), (40000, 0)], invalid), ([(.max, 0)], fault),
        ([(UInt32, UInt32)](repeating: (26, 1), count: 8) + [(26, 0)], invalid),
    ]
    for (buffers, errno) in wrong {
        var exchange = try Exchange()
        exchange.buffers = buffers
        let refused = exchange.exchange()
        #expect(refused == errno, "\(buffers)")
        #expect(exchange.server.host.sentFrameCount == 0)
        exchange.buffers = [(60, 0)] + buffers
        exchange.server.host.arriving = [64]
        let counted = exchange.exchange()
        #expect(counted == counts(1, 1))
    }
}

@Test func `hostile addresses and counts are refused before anything is sent`() throws {
    func refusal(_ change: (inout Exchange) -> Void) throws -> Int64 {
        var exchange = try Exchange()
        exchange.buffers = [(60, 0)]
        change(&exchange)
        let result = exchange.exchange()
        #expect(exchange.server.host.sentFrameCount == 0)
        return result
    }
    #expect(try refusal { $0.link = 2 } == noDevice)
    #expect(try refusal { $0.link = .max } == noDevice)
    #expect(try refusal { $0.transmitCount = 257 } == invalid)
    #expect(try refusal { $0.transmitCount = .max } == invalid)
    #expect(try refusal { $0.capacity = 257 } == invalid)
    #expect(try refusal { $0.events = 2 } == invalid)
    #expect(try refusal { $0.events = 0x400 } == invalid)
    for hostile in [0, 8, base, base + 0x100000 - 16, base + 0x50_0000, .max - 15, 0x8000_0000_0000_0000] as [UInt64] {
        #expect(try refusal { $0.region = hostile } == fault)
        #expect(try refusal { $0.frames = hostile } == fault)
        #expect(try refusal { $0.table = hostile } == fault)
        #expect(try refusal { $0.bufferAddress = hostile } == fault)
    }
    #expect(try refusal { $0.region += 8 } == fault)
    #expect(try refusal { $0.frames += 4 } == fault)
    #expect(try refusal { $0.region = base + $0.server.map.layout.executable.start & ~15 } == fault)
    #expect(try refusal { $0.frames = base + $0.server.map.layout.executable.start } == fault)
    #expect(try refusal { $0.bufferAddress = base + $0.server.map.layout.machineArea } == fault)
}

@Test func `memory that the guest has protected is refused, not stored to`() throws {
    var exchange = try Exchange()
    exchange.server.host.arriving = [64]
    exchange.server.host.isProtected = true
    let refused = exchange.exchange()
    #expect(refused == fault)
    exchange.server.host.isProtected = false
    let received = exchange.exchange()
    #expect(received == counts(0, 1))
}
