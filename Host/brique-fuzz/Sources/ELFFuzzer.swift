import Bytes
import ELFFormat
import Foundation
import MonitorSupport
import Random
import SampleImage

/// Damaged images through the reader, and through the layout of memory where they are accepted.
func fuzzELF(seed: UInt64, seconds: Double) -> String {
    var random = SplitMix(state: seed)
    let end = Date.now.addingTimeInterval(seconds)
    var count = 0, accepted = 0, mapped = 0
    while count % 256 != 0 || Date.now < end {
        count += 1
        let file = damagedImage(&random)
        let prefix = Array(file.prefix(ImageLayout.prefixByteCount))
        // The size of a file is what the file system says: any number.
        let byteCount = random.chance(of: 16) ? Int(truncatingIfNeeded: random.next() >> 1) : file.count
        guard let layout = try? ImageLayout(parsing: ByteReader(prefix.span).unread, fileByteCount: byteCount) else { continue }
        accepted += 1
        check(layout)
        let map = try? InstanceMap(
            layout: layout, memoryByteCount: random.number() & ~4095, stringsByteCount: random.number(), layerByteCount: random.number(),
            needsTables: random.chance(of: 2))
        if let map {
            mapped += 1
            precondition(map.heapStart < map.heapEnd && map.heapEnd < map.memoryEnd)
        }
    }
    return "\(count) images, \(accepted) accepted, \(mapped) laid out"
}

/// What every loader relies on.
private func check(_ layout: ImageLayout) {
    var end = ImageLayout.lowestAddress
    for index in 0..<layout.segmentCount {
        let segment = layout[segment: index]
        precondition(segment.firstPage >= end && segment.endPage <= ImageLayout.highestAddress)
        precondition(UInt64(segment.fileByteCount) <= segment.memoryByteCount && segment.fileOffset >= 0)
        end = segment.endPage
    }
    if let root = layout.root {
        precondition(root.start >= end && root.end <= ImageLayout.highestAddress && root.byteCount > 0 && root.fileOffset % 4096 == 0)
    }
    precondition(layout.machineArea >= layout.writable.start && layout.imageEnd == end)
}

private func damagedImage(_ random: inout SplitMix) -> [UInt8] {
    var image = SampleImage()
    if random.chance(of: 2) {
        image.pvhDescriptor = (0..<4 * Int.random(in: 0...2, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }
    if random.chance(of: 2) { image.addRoot([UInt8](repeating: 1, count: Int.random(in: 1...5000, using: &random))) }
    for _ in 0..<Int.random(in: 0...2, using: &random) {
        let index = Int.random(in: 0..<image.programHeaders.count, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: image.programHeaders[index].offset = random.number()
        case 1: image.programHeaders[index].fileByteCount = random.number()
        case 2: image.programHeaders[index].memoryByteCount = random.number()
        case 3: image.programHeaders[index].physicalAddress = random.number()
        case 4:
            image.programHeaders[index].physicalAddress = random.number()
            image.programHeaders[index].virtualAddress = SampleImage.base &+ image.programHeaders[index].physicalAddress
        case 5: image.programHeaders[index].flags = UInt32(truncatingIfNeeded: random.number())
        case 6: image.programHeaders[index].alignment = random.number()
        case 7: image.programHeaders.append(image.programHeaders[index])
        case 8: image.note.machineArea = SampleImage.base &+ random.number()
        default: image.note.start = SampleImage.base &+ random.number()
        }
    }
    var bytes = image.bytes()
    for _ in 0..<Int.random(in: 0...3, using: &random) {
        bytes[Int.random(in: 0..<1200, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
    }
    if random.chance(of: 8) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
    return bytes
}

extension SplitMix {
    mutating func chance(of count: UInt64) -> Bool { next() % count == 0 }

    /// A number of any magnitude, often near a boundary.
    mutating func number() -> UInt64 {
        let shift = next() % 64
        return switch next() % 4 {
        case 0: (1 << shift) &+ (next() % 17) &- 8
        case 1: next() >> shift
        case 2: (next() >> shift) & ~4095
        default: 0 &- (next() >> shift)
        }
    }
}
