import BootFormat
import ELFFormat

/// Who may do what with a page of guest memory.
public enum PageAccess: Equatable, Sendable {
    /// Mapped by nobody: a guard page, or a gap between segments.
    case none
    /// For the ring-0 core only.
    case core
    case read, readExecute, readWrite
}

/// Every page of an instance's memory and its access, and where the loader's own pages are. Addresses are physical.
public struct InstanceMap {
    public struct Region: Equatable, Sendable {
        public var start: UInt64 = 0
        public var end: UInt64 = 0
        public var access = PageAccess.none
    }

    public static let pageByteCount = UInt64(BRIQUE_PAGE_SIZE)
    public static let largePageByteCount: UInt64 = 2 << 20
    /// What one table of page-directory pointers reaches.
    public static let maximumMemoryByteCount: UInt64 = (512 << 30) - UInt64(BRIQUE_MEMORY_BASE)
    public static let layerCount = Int(BRIQUE_LAYER_COUNT)
    private static let directoryReach: UInt64 = 1 << 30
    private static let maximumRegionCount = 32

    private var regions = InlineArray<32, Region>(repeating: Region())
    public private(set) var regionCount = 0

    public let layout: ImageLayout
    public let memoryByteCount: UInt64
    /// One past the last byte of guest memory.
    public let memoryEnd: UInt64
    /// `struct brique_boot_information`, then the strings.
    public let bootInformation: UInt64
    /// Page tables, from here to the end of memory: `tableCount` pages, perhaps none.
    public let tables: UInt64
    public let tableCount: UInt64
    /// Bytes of each layer, 0: there is none. The root is the image's.
    public let layerByteCounts: InlineArray<2, UInt64>

    /// Whether the image runs programs: layers are of use to nobody else.
    public var hasPrograms: Bool { layerByteCounts[0] != 0 || layerByteCounts[1] != 0 }

    /// Free for the guest's heap: [heapStart, heapEnd).
    public var heapStart: UInt64 { layout.imageEnd }
    public var heapEnd: UInt64 { bootInformation }

    public subscript(region index: Int) -> Region {
        precondition(index < regionCount)
        return regions[index]
    }

    /// The guest-physical address of layer number `index`.
    public static func layerStart(_ index: Int) -> UInt64 { UInt64(BRIQUE_LAYER_BASE) + UInt64(index) * UInt64(BRIQUE_LAYER_STEP) }

    /// The virtual address of layer number `index` in the direct map, 0 if there is none.
    func layerStart(_ index: Int) -> UInt64 { layerByteCounts[index] == 0 ? 0 : UInt64(BRIQUE_VIRTUAL_BASE) + Self.layerStart(index) }

    /// The bytes of layer `index` in whole pages.
    public func layerPageByteCount(_ index: Int) -> UInt64 { Self.pageBytes(layerByteCounts[index]) }

    /// Where layer number `index` is; empty if there is none. No region of guest memory.
    public func layerRegion(_ index: Int) -> Region {
        Region(start: Self.layerStart(index), end: Self.layerStart(index) + layerPageByteCount(index), access: .read)
    }

    private static func pageBytes(_ byteCount: UInt64) -> UInt64 { (byteCount + pageByteCount - 1) & ~(pageByteCount - 1) }

    /// `stringsByteCount` of arguments and environment follow the boot information. `layerByteCount`: of the layer over the root.
    public init(
        layout: ImageLayout, memoryByteCount: UInt64, stringsByteCount: UInt64, layerByteCount: UInt64 = 0, needsTables: Bool
    ) throws(Refusal) {
        let page = Self.pageByteCount
        guard memoryByteCount % page == 0, memoryByteCount <= Self.maximumMemoryByteCount else {
            throw Refusal(.usage, "the memory size is not a whole number of pages below 512 GiB")
        }
        let information = UInt64(MemoryLayout<brique_boot_information>.size)
        guard stringsByteCount < memoryByteCount else { throw Self.tooSmall }
        let bootPageCount = (information + stringsByteCount + page - 1) / page
        self.layout = layout
        self.memoryByteCount = memoryByteCount
        memoryEnd = UInt64(BRIQUE_MEMORY_BASE) + memoryByteCount
        layerByteCounts = [UInt64(layout.root?.byteCount ?? 0), layerByteCount]
        let layerTableCount = try Self.layerTableCount(layerByteCounts, memoryEnd: memoryEnd)
        tableCount =
            needsTables
            ? layerTableCount
                + Self.tableCount(memoryEnd: memoryEnd, imageEnd: layout.imageEnd, bootPageCount: bootPageCount + layerTableCount)
            : 0
        // At least one page is left for the heap.
        let taken = (bootPageCount + tableCount + 1) * page
        guard memoryEnd >= layout.imageEnd, memoryEnd - layout.imageEnd >= taken else { throw Self.tooSmall }
        tables = memoryEnd - tableCount * page
        bootInformation = tables - bootPageCount * page
        addImage()
        add(to: tables, .readWrite)
        add(to: memoryEnd, .core)
    }

    private static var tooSmall: Refusal { Refusal(.memoryTooSmall, "the memory is too small for this image") }

    /// The 4-level tables that map [1 MiB, memoryEnd), with 2 MiB pages where all of one is plain memory.
    static func tableCount(memoryEnd: UInt64, imageEnd: UInt64, bootPageCount: UInt64) -> UInt64 {
        let large = largePageByteCount
        let directories = (memoryEnd + (1 << 30) - 1) >> 30
        let blocks = (memoryEnd + large - 1) / large
        let imageBlocks = min((imageEnd + large - 1) / large, blocks)
        // The tables themselves move the start of the last mixed block down: grow until they fit.
        var count = 2 + directories
        while true {
            let taken = (count + bootPageCount) * pageByteCount
            let firstLoaderBlock = memoryEnd > taken ? (memoryEnd - taken) / large : 0
            let mixed = min(imageBlocks + (blocks - min(max(firstLoaderBlock, imageBlocks), blocks)), blocks)
            let needed = 2 + directories + mixed
            if needed <= count { return count }
            count = needed
        }
    }

    /// The tables that the layers take: page directories, and one table for what of each does not fill a large page.
    private static func layerTableCount(_ byteCounts: InlineArray<2, UInt64>, memoryEnd: UInt64) throws(Refusal) -> UInt64 {
        var count: UInt64 = 0
        for index in 0..<layerCount where byteCounts[index] > 0 {
            guard byteCounts[index] <= UInt64(BRIQUE_LAYER_STEP) else { throw Refusal(.imageRefused, "a layer is larger than 64 GiB") }
            guard memoryEnd <= UInt64(BRIQUE_LAYER_BASE) else { throw Refusal(.usage, "an instance with files has less than 256 GiB") }
            count += (byteCounts[index] + directoryReach - 1) / directoryReach
            if pageBytes(byteCounts[index]) % largePageByteCount != 0 { count += 1 }
        }
        return count
    }

    private mutating func addImage() {
        for index in 0..<layout.segmentCount {
            let segment = layout[segment: index]
            add(to: segment.firstPage, .none)
            switch segment.access {
            case .read: add(to: segment.endPage, .read)
            case .readExecute: add(to: segment.endPage, .readExecute)
            case .readWrite:
                addMachineArea()
                add(to: segment.endPage, .readWrite)
            }
        }
    }

    private mutating func addMachineArea() {
        let area = layout.machineArea
        add(to: area + UInt64(BRIQUE_AREA_STACK_GUARD), .readWrite)
        add(to: area + UInt64(BRIQUE_AREA_STACK), .none)
        add(to: area + UInt64(BRIQUE_AREA_STACK_TOP), .readWrite)
        add(to: area + UInt64(BRIQUE_AREA_EXCEPTION_STACK), .none)
        add(to: area + UInt64(BRIQUE_AREA_EXCEPTION_STACK_TOP), .readWrite)
        add(to: area + UInt64(BRIQUE_AREA_CORE_STACK), .none)
        add(to: area + UInt64(BRIQUE_AREA_BYTES), .core)
    }

    /// Everything from the last region's end to `end`. Regions of the same access are one.
    private mutating func add(to end: UInt64, _ access: PageAccess) {
        let start = regionCount == 0 ? UInt64(BRIQUE_MEMORY_BASE) : regions[regionCount - 1].end
        guard end > start else { return }
        if regionCount > 0 && regions[regionCount - 1].access == access {
            regions[regionCount - 1].end = end
        } else {
            // 8 segments with a gap before each, 7 parts of the machine area, 2 of the loader: 25 at most.
            regions[regionCount] = Region(start: start, end: end, access: access)
            regionCount += 1
        }
    }

    /// Whether the guest may read, or write, every byte of `range` as the loader maps it.
    public func allows(_ range: GuestRange, write: Bool) -> Bool {
        let start = range.physical, end = range.physical + UInt64(range.byteCount)
        for index in 0..<regionCount where regions[index].start < end && regions[index].end > start {
            switch regions[index].access {
            case .none, .core: return false
            case .read, .readExecute: if write { return false }
            case .readWrite: break
            }
        }
        return true
    }
}
