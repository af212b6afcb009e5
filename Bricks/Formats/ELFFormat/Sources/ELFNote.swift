import BootFormat
import Bytes

/// One note, borrowed (System V gABI, "Note Section"): name and descriptor are padded to four bytes in the file.
public struct ELFNote: ~Escapable {
    /// n_type
    public let type: UInt32
    /// The name without its terminating zero.
    public let name: RawSpan
    public let descriptor: RawSpan

    @_lifetime(copy reader)
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        let nameByteCount = Int(try reader.read(UInt32.self, .little))
        let descriptorByteCount = Int(try reader.read(UInt32.self, .little))
        type = try reader.read(UInt32.self, .little)
        name = try reader.read(byteCount: nameByteCount).extracting(droppingLast: nameByteCount > 0 ? 1 : 0)
        try reader.align(to: 4)
        descriptor = try reader.read(byteCount: descriptorByteCount)
        // The last note's padding may be left out.
        try reader.skip(min(-reader.offset & 3, reader.remainingByteCount))
    }

    /// The name as a big-endian number, or 0 if it is longer than eight bytes: names are compared without a string.
    public var nameNumber: UInt64 {
        guard name.byteCount <= 8 else { return 0 }
        var reader = ByteReader(name)
        var number: UInt64 = 0
        while let byte = try? reader.read(UInt8.self, .big) { number = number << 8 | UInt64(byte) }
        return number
    }

    /// "Brique"
    public static let brique: UInt64 = 0x4272_6971_7565
    /// "Xen"
    public static let xen: UInt64 = 0x58_656e
}

/// The descriptor of the Brique note: `struct brique_note` of BootFormat.h. Addresses are virtual.
public struct BriqueNote: Equatable {
    public static let byteCount = MemoryLayout<brique_note>.size

    public var abiVersion = UInt32(BRIQUE_ABI_VERSION)
    public var flags: UInt32 = 0
    public var start: UInt64 = 0
    public var exceptionEntries: UInt64 = 0
    public var coreEntry: UInt64 = 0
    public var machineArea: UInt64 = 0

    public init() {}

    public init(parsing reader: inout ByteReader) throws(FormatError) {
        abiVersion = try reader.read(UInt32.self, .little)
        flags = try reader.read(UInt32.self, .little)
        start = try reader.read(UInt64.self, .little)
        exceptionEntries = try reader.read(UInt64.self, .little)
        coreEntry = try reader.read(UInt64.self, .little)
        machineArea = try reader.read(UInt64.self, .little)
    }

    public func write(into writer: inout ByteWriter) throws(FormatError) {
        try writer.write(abiVersion, .little)
        try writer.write(flags, .little)
        try writer.write(start, .little)
        try writer.write(exceptionEntries, .little)
        try writer.write(coreEntry, .little)
        try writer.write(machineArea, .little)
    }
}
