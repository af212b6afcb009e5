import BootFormat
import Bytes

/// What of an image goes where: the result of every check, so that whoever holds one may load it blindly.
public struct ImageLayout {
    /// This much of the file, from its start, holds all headers and notes.
    public static let prefixByteCount = 4096
    public static let maximumSegmentCount = 8
    public static let virtualBase = UInt64(BRIQUE_VIRTUAL_BASE)
    public static let pageByteCount = UInt64(BRIQUE_PAGE_SIZE)
    /// Physical addresses: segments are inside [lowest, highest). PVH entry and tables of a PC are 32-bit.
    public static let lowestAddress = UInt64(BRIQUE_MEMORY_BASE)
    public static let highestAddress: UInt64 = 1 << 32

    public enum Access: Equatable, Sendable { case read, readExecute, readWrite }

    /// One loadable segment. Addresses are physical; the pages of no two segments meet.
    public struct Segment: Equatable, Sendable {
        public internal(set) var access = Access.read
        public internal(set) var fileOffset = 0
        public internal(set) var fileByteCount = 0
        public internal(set) var start: UInt64 = 0
        public internal(set) var memoryByteCount: UInt64 = 0

        public var end: UInt64 { start + memoryByteCount }
        public var firstPage: UInt64 { start & ~(pageByteCount - 1) }
        public var endPage: UInt64 { (end + pageByteCount - 1) & ~(pageByteCount - 1) }

        /// Whether the `byteCount` bytes at `virtualAddress` are all inside.
        public func contains(virtualAddress: UInt64, byteCount: UInt64) -> Bool {
            let (physical, isBelow) = virtualAddress.subtractingReportingOverflow(virtualBase)
            return !isBelow && physical >= start && physical < end && end - physical >= byteCount
        }
    }

    /// The image's root: a read-only file system, which loaders map beside guest memory, or where `start` says in the RAM of a PC.
    public struct Root: Equatable, Sendable {
        /// A whole page.
        public internal(set) var fileOffset = 0
        public internal(set) var byteCount = 0
        /// Physical, a whole page.
        public internal(set) var start: UInt64 = 0

        public var end: UInt64 { start + UInt64(byteCount) }
    }

    private let segments: InlineArray<8, Segment>
    public let segmentCount: Int
    /// Virtual addresses, as in `struct brique_note`.
    public let note: BriqueNote
    /// Physical address of the PVH entry (Xen's public/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY), if the image has one.
    public let pvhEntry: UInt64?
    public let executable: Segment
    /// The last segment but for the root; it ends the image.
    public let writable: Segment
    /// A read-only segment after the writable one, if there is one; not among the other segments.
    public let root: Root?

    public subscript(segment index: Int) -> Segment {
        precondition(index < segmentCount)
        return segments[index]
    }
    /// Physical, a whole page: memory from here on is free, but for a root that a PC has in RAM.
    public var imageEnd: UInt64 { writable.endPage }
    /// Physical address of the machine area.
    public var machineArea: UInt64 { note.machineArea - Self.virtualBase }

    /// Checks everything that BootFormat.h promises. `prefix` is the file's first `prefixByteCount` bytes, or all of a shorter one.
    public init(parsing prefix: RawSpan, fileByteCount: Int) throws(ELFError) {
        let header = try ELFHeader(checking: prefix)
        var found = Segments()
        var notes = Notes()
        var reader = ByteReader(try header.programHeaders(in: prefix))
        for _ in 0..<header.programHeaderCount {
            let programHeader: ELFProgramHeader
            do throws(FormatError) { programHeader = try ELFProgramHeader(parsing: &reader) } catch { throw .programHeadersOutsideFile }
            switch programHeader.type {
            case ELFProgramHeader.load: try found.add(programHeader, fileByteCount: fileByteCount)
            case ELFProgramHeader.note: try notes.add(programHeader, in: prefix)
            case ELFProgramHeader.dynamic, ELFProgramHeader.interpreter, ELFProgramHeader.threadLocal: throw .dynamicallyLinked
            default: break
            }
        }
        segments = found.list
        segmentCount = found.count
        root = found.root
        (executable, writable) = try found.roles()
        guard let brique = notes.brique else { throw .noBriqueNote }
        note = brique
        pvhEntry = notes.pvhEntry
        try checkEntries(header)
    }
}
