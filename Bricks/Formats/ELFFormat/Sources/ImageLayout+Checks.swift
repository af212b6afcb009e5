import BootFormat
import Bytes

extension ELFHeader {
    /// The header of a file that a monitor could start, as far as the header tells.
    init(checking prefix: RawSpan) throws(ELFError) {
        var reader = ByteReader(prefix)
        do throws(FormatError) {
            self = try ELFHeader(parsing: &reader)
        } catch {
            throw error == .invalid ? .notELF : .truncatedHeader
        }
        guard fileClass == 2 else { throw .not64Bit }
        guard encoding == 1 else { throw .notLittleEndian }
        guard identVersion == 1, version == 1 else { throw .badVersion }
        guard machine == Self.x86_64 else { throw .wrongMachine }
        guard type == Self.executable else { throw .notAnExecutable }
        guard headerByteCount == UInt16(Self.byteCount) else { throw .badHeaderSize }
        guard programHeaderByteCount == UInt16(ELFProgramHeader.byteCount) else { throw .badProgramHeaderSize }
        guard programHeaderCount > 0 else { throw .noProgramHeaders }
    }

    @_lifetime(copy prefix)
    func programHeaders(in prefix: RawSpan) throws(ELFError) -> RawSpan {
        var reader = ByteReader(prefix)
        guard let offset = Int(exactly: programHeaderOffset) else { throw .programHeadersOutsideFile }
        do throws(FormatError) {
            try reader.skip(offset)
            return try reader.read(byteCount: Int(programHeaderCount) * ELFProgramHeader.byteCount)
        } catch {
            throw .programHeadersOutsideFile
        }
    }
}

/// The loadable segments seen so far, in ascending order.
struct Segments {
    var list = InlineArray<8, ImageLayout.Segment>(repeating: ImageLayout.Segment())
    var count = 0
    var root: ImageLayout.Root?

    mutating func add(_ header: ELFProgramHeader, fileByteCount: Int) throws(ELFError) {
        guard header.memoryByteCount >= header.fileByteCount else { throw .memorySmallerThanFile }
        guard header.memoryByteCount > 0 else { return }
        guard root == nil else { throw .segmentAfterRoot }
        let (fileEnd, overflow) = header.offset.addingReportingOverflow(header.fileByteCount)
        guard !overflow, fileEnd <= UInt64(fileByteCount) else { throw .segmentOutsideFile }
        var segment = ImageLayout.Segment()
        segment.access = try access(header.flags)
        segment.fileOffset = Int(header.offset)
        segment.fileByteCount = Int(header.fileByteCount)
        segment.start = header.physicalAddress
        segment.memoryByteCount = header.memoryByteCount
        try checkPlace(header)
        if count > 0 {
            guard segment.start >= list[count - 1].end else { throw .segmentsOverlap }
            guard segment.firstPage >= list[count - 1].endPage else { throw .segmentsShareAPage }
        }
        if segment.access == .read, count > 0, list[count - 1].access == .readWrite { return root = try Self.root(segment) }
        guard count < ImageLayout.maximumSegmentCount else { throw .tooManySegments }
        list[count] = segment
        count += 1
    }

    private static func root(_ segment: ImageLayout.Segment) throws(ELFError) -> ImageLayout.Root {
        let page = Int(ImageLayout.pageByteCount)
        guard segment.fileOffset % page == 0, segment.start == segment.firstPage else { throw .rootMisaligned }
        guard segment.memoryByteCount == UInt64(segment.fileByteCount) else { throw .rootNotWhole }
        return ImageLayout.Root(fileOffset: segment.fileOffset, byteCount: segment.fileByteCount, start: segment.start)
    }

    private func access(_ flags: UInt32) throws(ELFError) -> ImageLayout.Access {
        switch flags {
        case ELFProgramHeader.read: return .read
        case ELFProgramHeader.read | ELFProgramHeader.execute: return .readExecute
        case ELFProgramHeader.read | ELFProgramHeader.write: return .readWrite
        case ELFProgramHeader.read | ELFProgramHeader.write | ELFProgramHeader.execute: throw .writableAndExecutable
        default: throw .badAccess
        }
    }

    private func checkPlace(_ header: ELFProgramHeader) throws(ELFError) {
        let lowest = ImageLayout.lowestAddress, highest = ImageLayout.highestAddress
        guard header.physicalAddress >= lowest, header.physicalAddress < highest,
            header.memoryByteCount <= highest - header.physicalAddress
        else { throw .addressOutOfRange }
        guard header.virtualAddress == ImageLayout.virtualBase + header.physicalAddress else { throw .addressMismatch }
        // gABI: p_align is a power of two, and address and offset are congruent modulo it; 0 and 1 mean none.
        guard header.alignment & (header.alignment &- 1) == 0 else { throw .badAlignment }
        guard header.alignment <= 1 || (header.virtualAddress &- header.offset) & (header.alignment - 1) == 0 else {
            throw .badAlignment
        }
    }

    /// The executable and the writable segment.
    func roles() throws(ELFError) -> (executable: ImageLayout.Segment, writable: ImageLayout.Segment) {
        guard count > 0 else { throw .noSegments }
        var executable: ImageLayout.Segment?
        var writableCount = 0
        for index in 0..<count {
            switch list[index].access {
            case .read: break
            case .readExecute:
                guard executable == nil else { throw .noSingleExecutableSegment }
                executable = list[index]
            case .readWrite: writableCount += 1
            }
        }
        guard let executable else { throw .noSingleExecutableSegment }
        guard writableCount == 1, list[count - 1].access == .readWrite else { throw .noSingleWritableSegment }
        return (executable, list[count - 1])
    }
}

/// What the notes say.
struct Notes {
    var brique: BriqueNote?
    var pvhEntry: UInt64?

    mutating func add(_ header: ELFProgramHeader, in prefix: RawSpan) throws(ELFError) {
        guard let offset = Int(exactly: header.offset), let byteCount = Int(exactly: header.fileByteCount) else { throw .notesTooFar }
        var prefixReader = ByteReader(prefix)
        var reader: ByteReader
        do throws(FormatError) {
            try prefixReader.skip(offset)
            reader = ByteReader(try prefixReader.read(byteCount: byteCount))
        } catch {
            throw .notesTooFar
        }
        // A note takes at least 12 bytes, so a page of them ends soon.
        while reader.remainingByteCount > 0 {
            let note: ELFNote
            do throws(FormatError) { note = try ELFNote(parsing: &reader) } catch { throw .notesTruncated }
            try add(note)
        }
    }

    private mutating func add(_ note: borrowing ELFNote) throws(ELFError) {
        var reader = ByteReader(note.descriptor)
        if note.nameNumber == ELFNote.brique, note.type == UInt32(BRIQUE_NOTE_TYPE) {
            guard brique == nil else { throw .severalBriqueNotes }
            guard note.descriptor.byteCount == BriqueNote.byteCount else { throw .badBriqueNoteSize }
            do throws(FormatError) { brique = try BriqueNote(parsing: &reader) } catch { throw .badBriqueNoteSize }
        } else if note.nameNumber == ELFNote.xen, note.type == Self.pvhEntryType {
            do throws(FormatError) {
                switch note.descriptor.byteCount {
                case 4: pvhEntry = UInt64(try reader.read(UInt32.self, .little))
                case 8: pvhEntry = try reader.read(UInt64.self, .little)
                default: throw .invalid
                }
            } catch {
                throw .badPVHNote
            }
        }
    }

    /// XEN_ELFNOTE_PHYS32_ENTRY
    private static let pvhEntryType: UInt32 = 18
}

extension ImageLayout {
    func checkEntries(_ header: ELFHeader) throws(ELFError) {
        guard note.abiVersion == UInt32(BRIQUE_ABI_VERSION) else { throw .wrongABIVersion }
        guard note.flags == 0 else { throw .unknownFlags }
        let entriesByteCount = UInt64(32 * BRIQUE_EXCEPTION_STRIDE)
        guard executable.contains(virtualAddress: header.entry, byteCount: 1),
            executable.contains(virtualAddress: note.start, byteCount: 1)
        else { throw .startNotExecutable }
        guard executable.contains(virtualAddress: note.exceptionEntries, byteCount: entriesByteCount) else {
            throw .exceptionEntriesNotExecutable
        }
        guard executable.contains(virtualAddress: note.coreEntry, byteCount: 1) else { throw .coreEntryNotExecutable }
        if let pvhEntry {
            let (address, overflow) = pvhEntry.addingReportingOverflow(Self.virtualBase)
            guard !overflow, executable.contains(virtualAddress: address, byteCount: 1) else { throw .pvhEntryNotExecutable }
        }
        guard note.machineArea & (Self.pageByteCount - 1) == 0 else { throw .machineAreaMisaligned }
        guard writable.contains(virtualAddress: note.machineArea, byteCount: UInt64(BRIQUE_AREA_BYTES)),
            machineArea >= writable.start + UInt64(writable.fileByteCount)
        else { throw .machineAreaNotWritable }
    }
}
