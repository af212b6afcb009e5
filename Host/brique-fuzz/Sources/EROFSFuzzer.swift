import Bytes
import EROFS
import Foundation
import Random
import VFS

/// Images of EROFS that are right but for some fields, walked through like a program that looks at everything.
func fuzzEROFS(seed: UInt64, seconds: Double) -> String {
    var random = SplitMix(state: seed)
    let end = Date.now.addingTimeInterval(seconds)
    var count = 0, mounted = 0, visited = 0
    while count % 256 != 0 || Date.now < end {
        count += 1
        let memory = FuzzMemory(hostileRoot(&random))
        guard let erofs = try? EROFS(memory.region, frames: memory.frames, device: 1) else { continue }
        mounted += 1
        visited += visit(erofs, memory.frames, &random)
        precondition(memory.frames.usedCount <= 64)
    }
    return "\(count) images, \(mounted) mounted, \(visited) files"
}

/// The order of the words is the format's: a super block, then inodes with what lies behind them.
private func hostileRoot(_ random: inout SplitMix) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 4096 * Int(2 + random.next() % 12))
    func put(_ value: some FixedWidthInteger, at offset: Int) {
        for index in 0..<value.bitWidth / 8 where offset + index < bytes.count {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (index * 8))
        }
    }
    put(UInt32(0xe0f5_e1e2), at: 1024)
    put(UInt8(12), at: 1036)
    put(UInt16(0), at: 1038)
    put(UInt32(random.chance(of: 4) ? 4 : 0), at: 1104)
    put(random.chance(of: 64) ? UInt32(truncatingIfNeeded: random.number()) : 1, at: 1064)
    let modes: [UInt16] = [0o040755, 0o100644, 0o120777, 0o020666, 0o010644]
    for index in 0..<UInt64(8) {
        let offset = 4096 + Int(index) * 512
        let mode = index == 0 || random.chance(of: 3) ? modes[0] : modes[Int(random.next() % 5)]
        var tail = (0..<Int(random.next() % 64)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        if mode == modes[0] { tail = hostileEntries(&random) }
        let isExtended = random.chance(of: 2)
        let layout: UInt16 = [0, 2, 2, 2, 2, 4][Int(random.next() % 6)]
        put(layout << 1 | (isExtended ? 1 : 0), at: offset)
        put(UInt16(random.chance(of: 16) ? random.next() % 65536 : 0), at: offset + 2)
        put(mode, at: offset + 4)
        let size = random.chance(of: 6) ? random.number() : UInt64(tail.count) + (random.chance(of: 4) ? random.next() % 3 << 12 : 0)
        if isExtended { put(size, at: offset + 8) } else { put(UInt32(truncatingIfNeeded: size), at: offset + 8) }
        let union = layout == 4 ? random.next() % 64 : random.chance(of: 8) ? random.number() : random.next() % 16
        put(UInt32(truncatingIfNeeded: union), at: offset + 16)
        for (place, byte) in tail.enumerated() { put(byte, at: offset + (isExtended ? 64 : 32) + place) }
    }
    for _ in 0..<Int(random.next() % 4) { put(UInt8(truncatingIfNeeded: random.next()), at: 1040 + Int(random.next() % 8000)) }
    if random.chance(of: 8) { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
    return bytes
}

private func hostileEntries(_ random: inout SplitMix) -> [UInt8] {
    let count = 1 + Int(random.next() % 8)
    var table: [UInt8] = [], names: [UInt8] = []
    for index in 0..<count {
        let number = random.chance(of: 12) ? random.number() : random.next() % 8 * 16
        let place = random.chance(of: 24) ? random.next() % 70_000 : UInt64(count * 12 + names.count)
        for shift in 0..<8 { table.append(UInt8(truncatingIfNeeded: number >> UInt64(shift * 8))) }
        table += [UInt8(truncatingIfNeeded: place), UInt8(truncatingIfNeeded: place >> 8), UInt8(truncatingIfNeeded: random.next() % 9), 0]
        names += [UInt8(0x61 + index)] + (random.chance(of: 2) ? [0x62] : [])
    }
    return table + names
}

private func visit(_ erofs: EROFS, _ frames: FuzzFrames, _ random: inout SplitMix) -> Int {
    var queue: [Vnode] = [erofs.root]
    var visited = 0
    var bytes = [UInt8](repeating: 0, count: 5000)
    while let vnode = queue.popLast(), visited < 64 {
        visited += 1
        _ = vnode.attributes
        _ = try? vnode.readLink()
        for page in [0, 1, Int64(truncatingIfNeeded: random.number()), vnode.byteCount >> 12] {
            if let frame = try? vnode.frame(at: page, forWriting: false) { frames.release(frame) }
        }
        for offset in [0, Int64(truncatingIfNeeded: random.number()), vnode.byteCount &- 1] {
            var span = bytes.mutableSpan
            var raw = span.raw
            let count = (try? vnode.read(at: offset, into: &raw)) ?? 0
            precondition(count >= 0 && count <= 5000)
        }
        var names: [[UInt8]] = []
        try? vnode.readDirectory(from: random.chance(of: 4) ? Int64(truncatingIfNeeded: random.number()) : 2) { name, _, _, next in
            precondition(name.byteCount > 0 && name.byteCount <= 255 && next > 0)
            names.append(Array(copying: name))
            return names.count < 100
        }
        names.append([UInt8(truncatingIfNeeded: random.next())])
        for name in names {
            guard let child = try? vnode.lookup(name.raw) else { continue }
            var place = child
            for _ in 0..<64 where place.parent !== place { place = place.parent }
            queue.append(child)
        }
    }
    return visited
}
