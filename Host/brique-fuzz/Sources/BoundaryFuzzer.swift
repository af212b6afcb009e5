import BootFormat
import ELFFormat
import Foundation
import MonitorSupport
import Random
import SampleImage

/// Hostile hypercalls through the server that both monitors use, by register and by block, over memory that the guest fills.
func fuzzBoundary(seed: UInt64, seconds: Double) throws -> String {
    var random = SplitMix(state: seed)
    let end = Date.now.addingTimeInterval(seconds)
    let memoryByteCount: UInt64 = 1 << 20
    var links = HostLinks()
    for offloads in [0, UInt32(BRIQUE_OFFLOAD_ALL)] {
        _ = links.append(
            HostLink(descriptor: FileDescriptor(9), address: 0x5254_0000_0000, maximumTransmissionUnit: 1500, offloads: offloads))
    }
    var server = try SampleInstance.server(memoryByteCount: memoryByteCount, links: links)
    var tally = Tally()
    while tally.count % 256 != 0 || Date.now < end {
        tally.count += 1
        if random.chance(of: 4) { scribble(on: server, &random) }
        if random.chance(of: 3) {
            tally.add(exchange(with: &server, &random), server)
            continue
        }
        if random.chance(of: 2) {
            let block = hostileAddress(server.map, base: 0, &random)
            if random.chance(of: 4) == false, let range = server.memory.range(physical: block & ~7, byteCount: 40),
                server.map.allows(range, write: true)
            {
                let words =
                    [hostileNumber(&random)] + (0..<3).map { _ in hostileAddress(server.map, base: GuestMemory.virtualBase, &random) }
                for (index, word) in words.enumerated() { server.memory.store(word, physical: range.physical + UInt64(index) * 8) }
            }
            if let outcome = server.answer(blockAt: block) { tally.add(outcome, server) } else { tally.refusedBlocks += 1 }
        } else {
            let a = hostileAddress(server.map, base: GuestMemory.virtualBase, &random)
            tally.add(server.answer(number: hostileNumber(&random), a, random.number(), random.number()), server)
        }
    }
    precondition(server.host.protections.allSatisfy { $0.range.physical >= server.map.heapStart })
    let refused = "\(tally.errors) refused, \(tally.refusedBlocks) refused blocks"
    return "\(tally.count) calls: \(tally.answered) answered, \(refused), \(tally.crashes) crashes, \(tally.exits) ends"
}

private struct Tally {
    var count = 0, answered = 0, errors = 0, refusedBlocks = 0, crashes = 0, exits = 0

    mutating func add(_ outcome: HypercallOutcome, _ server: borrowing HypercallServer<SampleHost>) {
        switch outcome {
        case .result(let value): if value < 0 { errors += 1 } else { answered += 1 }
        case .exit: exits += 1
        case .crash(var report):
            crashes += 1
            check(report.record)
            report.walk(server.memory, server.map)
            check(report.record)
        }
    }

    /// One whole line.
    private func check(_ record: TextBuffer) {
        precondition(record.byteCount < TextBuffer.capacity)
        for index in 0..<record.byteCount {
            let byte = record.bytes[index]
            precondition((byte == 0x0a) == (index == record.byteCount - 1) && byte < 0x7f)
        }
    }
}

/// What a guest can do to its memory at any time: words anywhere that it may write, many of them addresses.
private func scribble(on server: borrowing HypercallServer<SampleHost>, _ random: inout SplitMix) {
    for _ in 0..<8 {
        let address = hostileAddress(server.map, base: 0, &random) & ~7
        guard let range = server.memory.range(physical: address, byteCount: 8), server.map.allows(range, write: true) else { continue }
        let word = random.chance(of: 2) ? hostileAddress(server.map, base: GuestMemory.virtualBase, &random) : random.number()
        server.memory.store(word, physical: address)
    }
}

/// An exchange that is right but for some words, so that checks behind the first are reached, with frames of any size arriving.
private func exchange(with server: inout HypercallServer<SampleHost>, _ random: inout SplitMix) -> HypercallOutcome {
    let heap = server.map.heapStart, base = GuestMemory.virtualBase
    func store(_ words: [UInt64], at physical: UInt64, _ random: inout SplitMix) {
        for (index, word) in words.enumerated() {
            let hostile = random.chance(of: 2) ? hostileAddress(server.map, base: base, &random) : random.number()
            server.memory.store(random.chance(of: 24) ? hostile : word, physical: physical + UInt64(index) * 8)
        }
    }
    let table = heap + 256, frames = heap + 8192, region = heap + 16384
    let bufferCount = random.next() % 12
    for index in 0..<bufferCount {
        let isContinued = random.chance(of: 3) ? UInt64(1) << 32 : 0
        store([base + region + random.next() % 4096, random.next() % 3000 | isContinued], at: table + index * 16, &random)
    }
    let capacity = random.next() % 20
    store(
        [
            random.next() % 3 | bufferCount << 32, base + table, base + region, 100_000 | capacity << 32, base + frames,
            random.next() % 2, random.chance(of: 2) ? 0x301 : 0x101,
        ], at: heap, &random)
    server.host.arriving = (0..<random.next() % 8).map { _ in
        Int(random.chance(of: 2) ? random.next() % 100_000 : random.next() % 2000)
    }
    server.host.room = random.chance(of: 4) ? server.host.sentFrameCount + Int(random.next() % 4) : .max
    server.host.isProtected = random.chance(of: 16)
    return server.answer(number: UInt64(BRIQUE_CALL_NETWORK_EXCHANGE), base + heap, random.number(), random.number())
}

private func hostileNumber(_ random: inout SplitMix) -> UInt64 {
    random.chance(of: 8) ? random.number() : random.next() % UInt64(BRIQUE_CALL_COUNT + 2)
}

/// Near a border of memory, of a region or of the address space, or anywhere.
private func hostileAddress(_ map: InstanceMap, base: UInt64, _ random: inout SplitMix) -> UInt64 {
    if random.chance(of: 5) { return random.number() }
    let near: UInt64 =
        switch random.next() % 4 {
        case 0: map.memoryEnd
        case 1: map[region: Int(random.next() % UInt64(map.regionCount))].start
        case 2: map.heapStart + random.next() % (map.heapEnd - map.heapStart)
        default: UInt64(BRIQUE_MEMORY_BASE)
        }
    return base &+ near &+ random.next() % 65 &- 32
}
