import BootFormat
import ELFFormat
import Foundation

/// What `brique build` and `brique inspect` report of an image; NAME.json beside it.
public struct ImageReport: Codable, Equatable, Sendable {
    public struct Brick: Codable, Equatable, Sendable {
        public var name: String
        /// Bytes in the image.
        public var bytes: UInt64
        /// Further bytes of memory, zero at start.
        public var zeroBytes: UInt64
    }

    public struct Segment: Codable, Equatable, Sendable {
        public var access: String
        public var fileOffset: Int
        public var fileBytes: Int
        public var memoryBytes: UInt64
        /// Hexadecimal, as are all addresses here: JSON's numbers end at 2^53.
        public var physicalAddress: String
        public var virtualAddress: String
    }

    public struct Entries: Codable, Equatable, Sendable {
        public var start: String
        public var exceptions: String
        public var core: String
        public var pvh: String?
        public var machineArea: String
    }

    /// Version of this report's own shape.
    public var format = 1
    public var name: String
    public var digest: String
    public var bytes: Int
    public var abiVersion: UInt32
    /// What our monitors must at least be given to load it; the app's own heap comes on top.
    public var leastMemoryBytes: UInt64
    public var entries: Entries
    public var segments: [Segment]
    /// The file system behind them, if there is one.
    public var root: Segment?
    public var notes: [String]
    /// Largest first; nil when the image was built elsewhere.
    public var bricks: [Brick]?

    public init(name: String, file: ImageFile, digest: String, bricks: [Brick]?) {
        self.name = name
        self.digest = digest
        self.bricks = bricks
        let layout = file.layout
        bytes = file.bytes.count
        abiVersion = layout.note.abiVersion
        leastMemoryBytes = Self.leastMemory(of: layout)
        entries = Entries(
            start: Self.hexadecimal(layout.note.start), exceptions: Self.hexadecimal(layout.note.exceptionEntries),
            core: Self.hexadecimal(layout.note.coreEntry), pvh: layout.pvhEntry.map(Self.hexadecimal),
            machineArea: Self.hexadecimal(layout.note.machineArea))
        segments = file.segments.map { segment in
            Segment(
                access: segment.access.letters, fileOffset: segment.fileOffset, fileBytes: segment.fileByteCount,
                memoryBytes: segment.memoryByteCount, physicalAddress: Self.hexadecimal(segment.start),
                virtualAddress: Self.hexadecimal(ImageLayout.virtualBase + segment.start))
        }
        root = layout.root.map { root in
            Segment(
                access: ImageLayout.Access.read.letters, fileOffset: root.fileOffset, fileBytes: root.byteCount,
                memoryBytes: UInt64(root.byteCount), physicalAddress: Self.hexadecimal(root.start),
                virtualAddress: Self.hexadecimal(ImageLayout.virtualBase + root.start))
        }
        notes = ["Brique \(BRIQUE_NOTE_TYPE)"] + (layout.pvhEntry == nil ? [] : ["Xen 18 (PVH entry)"])
    }

    /// The shares of a link map, and as `headers and padding` what of the file no share explains.
    public static func bricks(of map: LinkMap, imageByteCount: Int) -> [Brick] {
        let bricks = map.shares.map { Brick(name: $0.name, bytes: $0.byteCount, zeroBytes: $0.zeroByteCount) }
        let known = bricks.reduce(UInt64(0)) { $0 &+ $1.bytes }
        let rest = UInt64(imageByteCount).subtractingReportingOverflow(known)
        guard !rest.overflow, rest.partialValue > 0 else { return bricks }
        return bricks + [Brick(name: "headers and padding", bytes: rest.partialValue, zeroBytes: 0)]
    }

    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }

    public init(json: Data) throws {
        self = try JSONDecoder().decode(ImageReport.self, from: json)
    }

    /// The image, then what a loader takes of the end of memory: one page of boot information and four levels of page
    /// tables, of which only the last has more than one page.
    public static func leastMemory(of layout: ImageLayout) -> UInt64 {
        let page = ImageLayout.pageByteCount
        let image = layout.imageEnd - ImageLayout.lowestAddress
        let tableReach: UInt64 = 512 * page
        let lastTables = (layout.imageEnd + 5 * page + tableReach - 1) / tableReach - ImageLayout.lowestAddress / tableReach
        // A root takes a page directory per GiB, and a table for its end.
        let rootTables = layout.root.map { UInt64($0.byteCount) / (512 * tableReach) + 2 } ?? 0
        return image + (1 + 3 + lastTables + rootTables) * page
    }

    static func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}

extension ImageLayout.Access {
    var letters: String {
        switch self {
        case .read: "R"
        case .readExecute: "RX"
        case .readWrite: "RW"
        }
    }
}
