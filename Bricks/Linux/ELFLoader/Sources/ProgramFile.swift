import Bytes
import ELFFormat
import Errno
import LinuxMemory
import VFS

/// An ELF file that can be mapped: its header and loadable segments, checked.
struct ProgramFile {
    static var headerLimit: Int { 64 }
    /// The longest path in PT_INTERP (PATH_MAX).
    static var interpreterLimit: UInt64 { 4096 }
    private static var sharedObject: UInt16 { 3 }

    let file: OpenFile
    let header: ELFHeader
    private(set) var segments: [ELFProgramHeader] = []
    private(set) var interpreter: [UInt8]?
    /// PT_GNU_STACK asks for code on the stack.
    private(set) var hasExecutableStack = false
    var isMovable: Bool { header.type == Self.sharedObject }

    /// `.enoexec`: not an ELF file for this machine.
    init(_ file: OpenFile) throws(Errno) {
        self.file = file
        let start = try Self.read(file, at: 0, byteCount: ELFHeader.byteCount)
        guard start.count == ELFHeader.byteCount else { throw .enoexec }
        var reader = ByteReader(start.span.raw)
        do { header = try ELFHeader(parsing: &reader) } catch { throw .enoexec }
        guard header.fileClass == 2, header.encoding == 1, header.machine == ELFHeader.x86_64,
            header.type == ELFHeader.executable || header.type == Self.sharedObject,
            header.programHeaderByteCount == UInt16(ELFProgramHeader.byteCount),
            header.programHeaderCount > 0, Int(header.programHeaderCount) <= Self.headerLimit, header.programHeaderOffset < 1 << 40
        else { throw .enoexec }
        let byteCount = Int(header.programHeaderCount) * ELFProgramHeader.byteCount
        let table = try Self.read(file, at: Int64(header.programHeaderOffset), byteCount: byteCount)
        guard table.count == byteCount else { throw .enoexec }
        reader = ByteReader(table.span.raw)
        for _ in 0..<header.programHeaderCount {
            let entry: ELFProgramHeader
            do { entry = try ELFProgramHeader(parsing: &reader) } catch { throw .enoexec }
            try add(entry)
        }
        guard !segments.isEmpty else { throw .enoexec }
    }

    private mutating func add(_ entry: ELFProgramHeader) throws(Errno) {
        switch entry.type {
        case ELFProgramHeader.load:
            guard entry.memoryByteCount > 0 else { return }
            let (end, overflow) = entry.virtualAddress.addingReportingOverflow(entry.memoryByteCount)
            guard !overflow, end < AddressSpace.highest, entry.memoryByteCount >= entry.fileByteCount, entry.offset < 1 << 40,
                entry.fileByteCount < 1 << 40, entry.offset % 4096 == entry.virtualAddress % 4096,
                entry.virtualAddress >= (segments.last.map { $0.virtualAddress + $0.memoryByteCount } ?? 0)
            else { throw .enoexec }
            segments.append(entry)
        case ELFProgramHeader.interpreter:
            guard interpreter == nil, entry.fileByteCount > 1, entry.fileByteCount <= Self.interpreterLimit, entry.offset < 1 << 40 else {
                throw .enoexec
            }
            var path = try Self.read(file, at: Int64(entry.offset), byteCount: Int(entry.fileByteCount))
            guard path.count == Int(entry.fileByteCount), path.removeLast() == 0, !path.contains(0) else { throw .enoexec }
            interpreter = path
        case 0x6474_e551: hasExecutableStack = entry.flags & ELFProgramHeader.execute != 0  // PT_GNU_STACK
        default: return
        }
    }

    static func read(_ file: OpenFile, at offset: Int64, byteCount: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var filled = 0
        while filled < byteCount {
            var span = bytes.mutableSpan
            var raw = span.raw
            var rest = raw._mutatingExtracting(droppingFirst: filled)
            let count = try file.read(at: offset + Int64(filled), into: &rest)
            guard count > 0 else { break }
            filled += count
        }
        bytes.removeLast(byteCount - filled)
        return bytes
    }

    // MARK: Mapping

    /// Bytes from the first page to the end of the last.
    var extent: UInt64 {
        let last = segments[segments.count - 1]
        return AddressSpace.roundUp(last.virtualAddress + last.memoryByteCount) - firstPage
    }
    var firstPage: UInt64 { segments[0].virtualAddress & ~4095 }
    var alignment: UInt64 {
        var alignment: UInt64 = 4096
        for segment in segments
        where segment.alignment > alignment && segment.alignment <= 1 << 30 && segment.alignment & (segment.alignment - 1) == 0 {
            alignment = segment.alignment
        }
        return alignment
    }

    /// Maps all segments, `bias` bytes above where they want to be.
    func map(into memory: AddressSpace, bias: UInt64) throws(Errno) {
        for segment in segments { try map(segment, into: memory, bias: bias) }
    }

    private func map(_ segment: ELFProgramHeader, into memory: AddressSpace, bias: UInt64) throws(Errno) {
        var protection: Protection = []
        if segment.flags & ELFProgramHeader.read != 0 { protection.insert(.read) }
        if segment.flags & ELFProgramHeader.write != 0 { protection.insert(.write) }
        if segment.flags & ELFProgramHeader.execute != 0 { protection.insert(.execute) }
        let start = (segment.virtualAddress & ~4095) &+ bias
        let fileEnd = segment.virtualAddress &+ bias &+ segment.fileByteCount
        let mappedEnd = segment.fileByteCount > 0 ? AddressSpace.roundUp(fileEnd) : start
        let end = AddressSpace.roundUp(segment.virtualAddress &+ bias &+ segment.memoryByteCount)
        if mappedEnd > start {
            try memory.map(start, mappedEnd - start, protection, file: file, page: Int64(segment.offset / 4096))
        }
        if end > mappedEnd { try memory.map(mappedEnd, end - mappedEnd, protection) }
        // The rest of the last page of the file is memory of the program's own.
        if segment.memoryByteCount > segment.fileByteCount, protection.contains(.write), fileEnd < mappedEnd {
            try memory.withWritable(fileEnd, Int(mappedEnd - fileEnd)) { (bytes) throws(Errno) in
                for index in 0..<bytes.byteCount { bytes.storeBytes(of: UInt8(0), toByteOffset: index, as: UInt8.self) }
            }
        }
    }
}
