import BootFormat
import Bytes
import ELFFormat

/// A small correct image: a test breaks one thing of it, a fuzzer many.
public struct SampleImage {
    public static let base = UInt64(BRIQUE_VIRTUAL_BASE)
    public var header = ELFHeader()
    public var programHeaders: [ELFProgramHeader]
    public var note = BriqueNote()
    public var noteType: UInt32 = 1
    /// What is written of the note.
    public var noteBytes = Array(0..<BriqueNote.byteCount)
    /// The PVH note's descriptor, if there is one.
    public var pvhDescriptor: [UInt8]?
    public var patches: [Int: UInt8] = [:]
    public var truncated: Int?
    /// Bytes of the root, at `rootOffset`.
    public private(set) var root: [UInt8] = []
    public static let rootOffset = 0x3000

    public static let noteOffset = 1024
    /// Headers, one page of text, and a writable segment of 64 bytes followed by the machine area.
    public init() {
        let area = UInt64(BRIQUE_AREA_BYTES)
        programHeaders = [
            Self.load(flags: 4, offset: 0, physical: 0x100000, file: 0x1000, memory: 0x1000),
            Self.load(flags: 5, offset: 0x1000, physical: 0x101000, file: 0x1000, memory: 0x1000),
            Self.load(flags: 6, offset: 0x2000, physical: 0x102000, file: 64, memory: 0x1000 + area),
            ELFProgramHeader(
                type: ELFProgramHeader.note, flags: 4, offset: UInt64(Self.noteOffset), virtualAddress: 0, physicalAddress: 0,
                fileByteCount: 0,
                memoryByteCount: 0, alignment: 4),
        ]
        header.entry = Self.base + 0x101000
        note.start = Self.base + 0x101000
        note.exceptionEntries = Self.base + 0x101200
        note.coreEntry = Self.base + 0x101800
        note.machineArea = Self.base + 0x103000
        let count = UInt64(notes().count)
        programHeaders[3].fileByteCount = count
        programHeaders[3].memoryByteCount = count
    }

    /// Gives the image a root: a read-only segment behind all others, on the page after the writable one.
    public mutating func addRoot(_ bytes: [UInt8]) {
        root = bytes
        let end = (programHeaders[2].physicalAddress + programHeaders[2].memoryByteCount + 4095) & ~4095
        let count = UInt64(bytes.count)
        programHeaders.append(Self.load(flags: 4, offset: UInt64(Self.rootOffset), physical: end, file: count, memory: count))
    }

    private static func load(flags: UInt32, offset: UInt64, physical: UInt64, file: UInt64, memory: UInt64) -> ELFProgramHeader {
        ELFProgramHeader(
            type: ELFProgramHeader.load, flags: flags, offset: offset, virtualAddress: base + physical, physicalAddress: physical,
            fileByteCount: file, memoryByteCount: memory, alignment: 4096)
    }

    private static func note(_ name: String, type: UInt32, _ descriptor: [UInt8]) -> [UInt8] {
        let padded = Array(name.utf8) + [0]
        var bytes = little(UInt32(padded.count)) + little(UInt32(descriptor.count)) + little(type) + padded
        while bytes.count % 4 != 0 { bytes.append(0) }
        bytes += descriptor
        while bytes.count % 4 != 0 { bytes.append(0) }
        return bytes
    }

    private static func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    private func notes() -> [UInt8] {
        let descriptor = Self.written(BriqueNote.byteCount) { (writer) throws(FormatError) in try note.write(into: &writer) }
        let pvh = pvhDescriptor.map { Self.note("Xen", type: 18, $0) } ?? []
        return pvh + Self.note("Brique", type: noteType, noteBytes.map { descriptor[$0] })
    }

    private static func written(_ count: Int, _ body: (inout ByteWriter) throws(FormatError) -> Void) -> [UInt8] {
        var storage = [UInt8](repeating: 0, count: count)
        var span = storage.mutableSpan
        var writer = ByteWriter(&span)
        do throws(FormatError) { try body(&writer) } catch { fatalError("no room for the test image") }
        return storage
    }

    /// The file.
    public func bytes() -> [UInt8] {
        var file = [UInt8](repeating: 0x90, count: root.isEmpty ? 0x2040 : Self.rootOffset)
        file += root
        var header = header
        header.programHeaderCount = UInt16(programHeaders.count)
        let headers = Self.written(ELFHeader.byteCount + programHeaders.count * ELFProgramHeader.byteCount) {
            (writer) throws(FormatError) in
            try header.write(into: &writer)
            for programHeader in programHeaders {
                var programHeader = programHeader
                if pvhDescriptor != nil, programHeader.type == ELFProgramHeader.note {
                    programHeader.fileByteCount = UInt64(notes().count)
                }
                try programHeader.write(into: &writer)
            }
        }
        file.replaceSubrange(0..<headers.count, with: headers)
        let noteBytes = notes()
        file.replaceSubrange(Self.noteOffset..<Self.noteOffset + noteBytes.count, with: noteBytes)
        for (offset, byte) in patches { file[offset] = byte }
        if let truncated { file.removeLast(file.count - truncated) }
        return file
    }
}
