/// Why a file is not an image that a monitor starts: one case per rule.
public enum ELFError: Error, Equatable, CaseIterable, Sendable {
    case truncatedHeader, notELF, not64Bit, notLittleEndian, badVersion, wrongMachine, notAnExecutable, badHeaderSize
    case badProgramHeaderSize, noProgramHeaders, programHeadersOutsideFile
    case noSegments, tooManySegments, segmentOutsideFile, memorySmallerThanFile, badAlignment, badAccess, writableAndExecutable
    case addressMismatch, addressOutOfRange, segmentsOverlap, segmentsShareAPage, noSingleExecutableSegment, noSingleWritableSegment
    case segmentAfterRoot, rootMisaligned, rootNotWhole
    case dynamicallyLinked
    case notesTooFar, notesTruncated, noBriqueNote, severalBriqueNotes, badBriqueNoteSize, wrongABIVersion, unknownFlags
    case badPVHNote, pvhEntryNotExecutable
    case startNotExecutable, exceptionEntriesNotExecutable, coreEntryNotExecutable, machineAreaMisaligned, machineAreaNotWritable

    /// One line for a person.
    public var text: StaticString {
        switch self {
        case .truncatedHeader: "the file ends inside the ELF header"
        case .notELF: "not an ELF file"
        case .not64Bit: "not a 64-bit ELF file"
        case .notLittleEndian: "not a little-endian ELF file"
        case .badVersion: "unknown ELF version"
        case .wrongMachine: "built for another processor: not x86-64"
        case .notAnExecutable: "not a fixed-address executable (ET_EXEC)"
        case .badHeaderSize: "wrong size of the ELF header"
        case .badProgramHeaderSize: "wrong size of a program header"
        case .noProgramHeaders: "no program headers"
        case .programHeadersOutsideFile: "the program headers are not inside the first page of the file"
        case .noSegments: "no loadable segments"
        case .tooManySegments: "more than 8 loadable segments"
        case .segmentOutsideFile: "a segment lies outside the file: truncated?"
        case .memorySmallerThanFile: "a segment has more bytes in the file than in memory"
        case .badAlignment: "a segment is misaligned"
        case .badAccess: "a segment is not readable or has unknown access bits"
        case .writableAndExecutable: "a segment is both writable and executable"
        case .addressMismatch: "a segment's virtual address is not the direct map of its physical address"
        case .addressOutOfRange: "a segment lies outside guest memory: not within 1 MiB to 4 GiB"
        case .segmentsOverlap: "segments overlap or are not in ascending order"
        case .segmentsShareAPage: "two segments share a page"
        case .noSingleExecutableSegment: "not exactly one executable segment"
        case .noSingleWritableSegment: "not exactly one writable segment, or not the last one"
        case .segmentAfterRoot: "a segment follows the root"
        case .rootMisaligned: "the root does not begin on a page of the file and of memory"
        case .rootNotWhole: "the root is larger in memory than in the file"
        case .dynamicallyLinked: "dynamically linked, or needs thread-local storage"
        case .notesTooFar: "the notes are not inside the first page of the file"
        case .notesTruncated: "the notes are truncated"
        case .noBriqueNote: "no Brique note: not a Brique image"
        case .severalBriqueNotes: "more than one Brique note"
        case .badBriqueNoteSize: "wrong size of the Brique note"
        case .wrongABIVersion: "built for another version of the boot contract"
        case .unknownFlags: "the Brique note has unknown flags"
        case .badPVHNote: "wrong size of the PVH note"
        case .pvhEntryNotExecutable: "the PVH entry is not inside the executable segment"
        case .startNotExecutable: "the start address is not inside the executable segment"
        case .exceptionEntriesNotExecutable: "the exception entries are not inside the executable segment"
        case .coreEntryNotExecutable: "the core entry is not inside the executable segment"
        case .machineAreaMisaligned: "the machine area does not begin on a page"
        case .machineAreaNotWritable: "the machine area is not inside the zero-filled end of the writable segment"
        }
    }
}
