import BootFormat
import Foundation

/// The bytes of the smallest image that every rule accepts, built field by field (System V gABI, ELF-64).
struct SampleImage {
    static let base = UInt64(BRIQUE_VIRTUAL_BASE)
    var bytes: [UInt8] = []

    init(abiVersion: UInt32 = UInt32(BRIQUE_ABI_VERSION)) {
        let area = UInt64(BRIQUE_AREA_BYTES)
        bytes = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
        append16(2)
        append16(62)
        append32(1)
        append64(Self.base + 0x101000)
        append64(64)
        append64(0)
        append32(0)
        for field: UInt16 in [64, 56, 4, 0, 0, 0] { append16(field) }
        appendSegment(type: 1, flags: 4, offset: 0, physical: 0x100000, file: 0x1000, memory: 0x1000)
        appendSegment(type: 1, flags: 5, offset: 0x1000, physical: 0x101000, file: 0x1000, memory: 0x1000)
        appendSegment(type: 1, flags: 6, offset: 0x2000, physical: 0x102000, file: 64, memory: 0x1000 + area)
        appendSegment(type: 4, flags: 4, offset: 0x400, physical: 0x100400, file: 60, memory: 60)
        bytes += [UInt8](repeating: 0, count: 0x400 - bytes.count)
        append32(7)
        append32(40)
        append32(UInt32(BRIQUE_NOTE_TYPE))
        bytes += Array("Brique".utf8) + [0, 0]
        append32(abiVersion)
        append32(0)
        for address: UInt64 in [0x101000, 0x101200, 0x101800, 0x103000] { append64(Self.base + address) }
        bytes += [UInt8](repeating: 0x90, count: 0x2040 - bytes.count)
    }

    var data: Data { Data(bytes) }

    private mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        for shift in stride(from: 0, to: Value.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
    private mutating func append16(_ value: UInt16) { append(value) }
    private mutating func append32(_ value: UInt32) { append(value) }
    private mutating func append64(_ value: UInt64) { append(value) }

    private mutating func appendSegment(
        type: UInt32, flags: UInt32, offset: UInt64, physical: UInt64, file: UInt64, memory: UInt64
    ) {
        append32(type)
        append32(flags)
        for field in [offset, Self.base + physical, physical, file, memory, type == 4 ? 4 : 4096] { append64(field) }
    }
}
