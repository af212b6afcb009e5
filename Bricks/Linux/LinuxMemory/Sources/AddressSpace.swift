import Errno
import PageFrames
import VFS

/// The memory of one process: areas, the frames behind their pages, and what the processor sees of both.
///
/// Pages come with the first access. Whoever changes a mapping is refused before anything is lost.
public final class AddressSpace {
    public static var pageByteCount: UInt64 { 4096 }
    /// Programs live in [lowest, highest).
    public static var lowest: UInt64 { 0x1_0000 }
    public static var highest: UInt64 { 0x1fff_ffff_f000 }
    /// vm.max_map_count
    public static var areaLimit: Int { 65530 }

    public let frames: PageFrames
    let mapper: PageMapper
    /// Ascending, disjoint.
    public internal(set) var areas: [Area] = []
    let table = PageTable()
    /// Where mmap(2) looks first, downwards.
    public var mapTop: UInt64
    /// The heap of brk(2): [heapStart, heapEnd).
    public var heapStart: UInt64 = 0
    public var heapEnd: UInt64 = 0
    /// Bytes mapped, and their bound (RLIMIT_AS).
    public internal(set) var mappedByteCount: UInt64 = 0
    public var byteLimit = UInt64.max
    /// RLIMIT_STACK: how far a stack grows.
    public var stackByteLimit: UInt64 = 8 << 20
    public internal(set) var faultCount: UInt64 = 0
    private var lastArea = 0
    /// Counts changes of what is mapped: what was checked before one must be checked again.
    public internal(set) var generation: UInt64 = 0

    public init(frames: PageFrames, mapper: PageMapper, mapTop: UInt64 = 0x1fff_e000_0000) {
        self.frames = frames
        self.mapper = mapper
        self.mapTop = mapTop
    }

    public static func roundUp(_ value: UInt64) -> UInt64 { (value &+ 4095) & ~4095 }
    public static func isInside(_ address: UInt64, _ byteCount: UInt64) -> Bool {
        address >= lowest && address < highest && byteCount <= highest - address
    }

    // MARK: Areas

    /// The index of the first area that ends above `address`.
    func index(above address: UInt64) -> Int {
        var low = 0, high = areas.count
        while low < high {
            let middle = (low + high) / 2
            if areas[middle].end > address { high = middle } else { low = middle + 1 }
        }
        return low
    }

    func areaIndex(of address: UInt64) -> Int? {
        if lastArea < areas.count, areas[lastArea].start <= address, address < areas[lastArea].end { return lastArea }
        let index = index(above: address)
        guard index < areas.count, areas[index].start <= address else { return nil }
        lastArea = index
        return index
    }

    public func area(of address: UInt64) -> Area? { areaIndex(of: address).map { areas[$0] } }

    /// A free range of `byteCount`, searched downwards from `mapTop`. `.enomem`: there is none.
    public func findFree(_ byteCount: UInt64, below limit: UInt64? = nil, alignment: UInt64 = 4096) throws(Errno) -> UInt64 {
        var top = limit ?? mapTop
        var index = index(above: top)
        if index < areas.count, areas[index].start < top { top = areas[index].start }
        while true {
            let floor = index == 0 ? Self.lowest : areas[index - 1].end
            if top > floor, top - floor >= byteCount {
                let start = (top - byteCount) & ~(alignment - 1)
                if start >= floor { return start }
            }
            guard index > 0 else { throw .enomem }
            index -= 1
            top = min(top, areas[index].start)
        }
    }

    public func isFree(_ start: UInt64, _ byteCount: UInt64) -> Bool {
        let index = index(above: start)
        return index == areas.count || areas[index].start >= start + byteCount
    }

    /// Adds an area where nothing is; joins it to its neighbours.
    func insert(_ area: Area) {
        generation &+= 1
        mappedByteCount += area.byteCount
        let index = index(above: area.start)
        if index > 0, areas[index - 1].joins(area) {
            areas[index - 1].end = area.end
            joinNext(index - 1)
        } else {
            areas.insert(area, at: index)
            joinNext(index)
        }
    }

    func joinNext(_ index: Int) {
        guard index + 1 < areas.count, areas[index].joins(areas[index + 1]) else { return }
        areas[index].end = areas[index + 1].end
        areas.remove(at: index + 1)
    }

    /// Makes `address` a border between areas.
    func split(at address: UInt64) {
        guard let index = areaIndex(of: address), areas[index].start < address else { return }
        let upper = areas[index].part(from: address, to: areas[index].end)
        areas[index].end = address
        areas.insert(upper, at: index + 1)
    }

    /// Room for the two borders that an operation may add.
    func checkAreaLimit() throws(Errno) {
        guard areas.count + 3 <= Self.areaLimit else { throw .enomem }
    }

    // MARK: Mapping

    /// Maps [start, start + byteCount), in place of what was there. Both are whole pages inside the program's part.
    public func map(
        _ start: UInt64, _ byteCount: UInt64, _ protection: Protection, isShared: Bool = false, file: OpenFile? = nil, page: Int64 = 0,
        growsDown: Bool = false, name: AreaName = .none
    ) throws(Errno) {
        guard byteCount > 0, Self.isInside(start, byteCount) else { throw .enomem }
        try checkAreaLimit()
        guard byteCount <= byteLimit, mappedByteCount <= byteLimit - byteCount else { throw .enomem }
        try unmap(start, byteCount)
        let mapping = file.map { FileMapping($0, in: self, isWritable: isShared && $0.flags.isWritable) }
        insert(
            Area(
                start: start, end: start + byteCount, protection: protection, isShared: isShared, mapping: mapping, filePage: page,
                growsDown: growsDown, name: name))
    }

    public func unmap(_ start: UInt64, _ byteCount: UInt64) throws(Errno) {
        let end = start + byteCount
        let first = index(above: start)
        guard first < areas.count, areas[first].start < end else { return }
        try checkAreaLimit()
        split(at: start)
        split(at: end)
        generation &+= 1
        dropPages(start, end)
        let begin = index(above: start)
        var stop = begin
        var gone: [FileMapping] = []
        while stop < areas.count, areas[stop].start < end {
            mappedByteCount -= areas[stop].byteCount
            if let mapping = areas[stop].mapping, gone.last !== mapping { gone.append(mapping) }
            stop += 1
        }
        areas.removeSubrange(begin..<stop)
        for mapping in gone where !areas.contains(where: { $0.mapping === mapping }) { mapping.end() }
    }

    /// mprotect(2). `.enomem`: a part is not mapped; `.eacces`: the file was not opened for it.
    /// What lies before the part that refuses it is changed.
    public func protect(_ start: UInt64, _ byteCount: UInt64, _ protection: Protection) throws(Errno) {
        try checkAreaLimit()
        var end = start
        var failure: Errno?
        var index = index(above: start)
        while end < start + byteCount, failure == nil {
            if index == areas.count || areas[index].start > end {
                failure = .enomem
            } else if let mapping = areas[index].mapping, areas[index].isShared, protection.contains(.write), !mapping.file.flags.isWritable
            {
                failure = .eacces
            } else {
                end = min(areas[index].end, start + byteCount)
                index += 1
            }
        }
        if end > start { change(start, end, to: protection) }
        if let failure { throw failure }
    }

    private func change(_ start: UInt64, _ end: UInt64, to protection: Protection) {
        split(at: start)
        split(at: end)
        generation &+= 1
        var index = self.index(above: start)
        while index < areas.count, areas[index].start < end {
            let old = areas[index].protection
            areas[index].protection = protection
            if old != protection { reprotect(areas[index]) }
            index += 1
        }
        join(from: start, to: end)
    }

    /// Joins what became alike.
    func join(from start: UInt64, to end: UInt64) {
        var index = max(0, self.index(above: start) - 1)
        while index + 1 < areas.count, areas[index].start <= end {
            if areas[index].joins(areas[index + 1]) { joinNext(index) } else { index += 1 }
        }
    }

    /// Everything goes: execve(2) and exit.
    public func removeAll() {
        for area in areas { dropPages(area.start, area.end) }
        var last: FileMapping?
        var ended: [FileMapping] = []
        for area in areas {
            guard let mapping = area.mapping, mapping !== last else { continue }
            last = mapping
            if !ended.contains(where: { $0 === mapping }) { ended.append(mapping) }
        }
        areas = []
        for mapping in ended { mapping.end() }
        mappedByteCount = 0
        generation &+= 1
    }
}
