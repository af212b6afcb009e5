import Errno
import PageFrames
import VFS

// The pages behind areas: how they come and go.
extension AddressSpace {
    /// Neighbours that come with a page of a file, and with memory of one's own when there is plenty.
    static var filePagesAround: UInt64 { 32 }
    static var freshPagesAround: Int { 16 }

    /// Makes the page at `address` accessible, for the processor and for the library OS.
    public func fault(_ address: UInt64, isWrite: Bool, isExecution: Bool = false) throws(MemoryFault) {
        let page = address & ~(Self.pageByteCount - 1)
        guard let index = areaIndex(of: page) ?? growStack(to: page) else { throw .notMapped }
        let area = areas[index]
        let wanted: Protection = isExecution ? .execute : isWrite ? .write : .read
        // On x86-64 what can be written or executed can be read.
        guard area.protection.contains(wanted) || (wanted == .read && !area.protection.isEmpty) else { throw .protected }
        let entry = table[page]
        if entry != 0 && (!isWrite || entry & PageTable.writable != 0) { return }
        faultCount &+= 1
        if entry != 0 { return try makeWritable(page, entry, area) }
        if area.mapping == nil { return try takeFresh(page, area) }
        if isWrite && !area.isShared { return try copyFromFile(page, area) }
        try takeFromFile(page, area, isWrite: isWrite)
    }

    /// Brings pages in ahead of their access.
    public func populate(_ start: UInt64, _ byteCount: UInt64, isWrite: Bool) throws(MemoryFault) {
        var page = start
        while page < start + byteCount {
            try fault(page, isWrite: isWrite)
            page += Self.pageByteCount
        }
    }

    private func growStack(to page: UInt64) -> Int? {
        let index = index(above: page)
        guard index < areas.count, areas[index].growsDown, areas[index].end - page <= stackByteLimit else { return nil }
        let floor = index == 0 ? Self.lowest : areas[index - 1].end
        // A gap stays below, so that a stack never runs into what lies there.
        guard page >= floor + stackGap else { return nil }
        mappedByteCount += areas[index].start - page
        areas[index].start = page
        return index
    }

    private var stackGap: UInt64 { 256 * Self.pageByteCount }
    private func install(_ page: UInt64, _ frame: Frame, count: UInt64 = 1, _ protection: Protection, flags: UInt64) throws(MemoryFault) {
        guard table.leaf(of: page, create: false) != nil || frames.hasRoomForTables else { throw .outOfMemory }
        guard mapper.map(page, byteCount: count * Self.pageByteCount, to: frame.address, protection) else { throw .outOfMemory }
        var bits = PageTable.present | flags
        if protection.contains(.write) { bits |= PageTable.writable }
        for index in 0..<count { table[page + index * Self.pageByteCount] = (frame.number + index) << 12 | bits }
    }

    private func frame(_ entry: UInt64) -> Frame { Frame(number: entry >> 12) }

    private func allocate() throws(MemoryFault) -> Frame {
        do { return try frames.allocate() } catch { throw .outOfMemory }
    }

    private func takeFresh(_ page: UInt64, _ area: Area) throws(MemoryFault) {
        // Neighbours come along while they cost nothing that others need.
        var count = area.isSparse ? 1 : Self.freshPagesAround
        while count > 1 {
            let start = page & ~(UInt64(count) * Self.pageByteCount - 1), end = start + UInt64(count) * Self.pageByteCount
            if frames.freeCount > count * 64, start >= area.start, end <= area.end, table.nextPage(from: start, to: end) == nil,
                let run = try? frames.allocate(count: count)
            {
                do throws(MemoryFault) {
                    return try install(start, run, count: UInt64(count), area.protection, flags: 0)
                } catch {
                    for index in 0..<UInt64(count) { frames.release(Frame(number: run.number + index)) }
                    throw error
                }
            }
            count /= 4
        }
        let frame = try allocate()
        do throws(MemoryFault) {
            try install(page, frame, area.protection, flags: 0)
        } catch {
            frames.release(frame)
            throw error
        }
    }

    /// A private page that is there but cannot be written: it belongs to a file, or was only protected.
    private func makeWritable(_ page: UInt64, _ entry: UInt64, _ area: Area) throws(MemoryFault) {
        let old = frame(entry)
        if area.isShared {
            guard area.mapping != nil else { return try install(page, old, area.protection, flags: PageTable.shared) }
            let new = try fileFrame(page, area, isWrite: true)
            frames.release(old)
            return try install(page, new, area.protection, flags: PageTable.shared)
        }
        if !frames.isForeign(old), frames.referenceCount(old) == 1, entry & PageTable.shared == 0, area.mapping == nil {
            return try install(page, old, area.protection, flags: 0)
        }
        let copy = try allocate()
        frames.copy(old, to: copy)
        do throws(MemoryFault) {
            try install(page, copy, area.protection, flags: 0)
        } catch {
            frames.release(copy)
            throw error
        }
        frames.release(old)
    }

    private func fileFrame(_ page: UInt64, _ area: Area, isWrite: Bool) throws(MemoryFault) -> Frame {
        guard let file = area.mapping?.file else { throw .beyondFile }
        do {
            return try file.frame(at: area.filePage + Int64((page - area.start) / Self.pageByteCount), forWriting: isWrite)
        } catch {
            throw error == .enomem || error == .enospc ? .outOfMemory : .beyondFile
        }
    }

    private func copyFromFile(_ page: UInt64, _ area: Area) throws(MemoryFault) {
        let source = try fileFrame(page, area, isWrite: false)
        defer { frames.release(source) }
        let copy = try allocate()
        frames.copy(source, to: copy)
        do throws(MemoryFault) {
            try install(page, copy, area.protection, flags: 0)
        } catch {
            frames.release(copy)
            throw error
        }
    }

    /// A page of a file as it is, with neighbours that are at hand; read-only unless the program shares and writes it.
    private func takeFromFile(_ page: UInt64, _ area: Area, isWrite: Bool) throws(MemoryFault) {
        let flags = area.isShared ? PageTable.shared : 0
        let protection = area.isShared && isWrite ? area.protection : area.protection.subtracting(.write)
        let first = try fileFrame(page, area, isWrite: isWrite)
        if area.isShared {
            return try install(page, first, protection, flags: flags)
        }
        // A run of neighbouring frames, as read-only layers have them, is mapped at once.
        var count: UInt64 = 1
        while count < Self.filePagesAround, page + count * Self.pageByteCount < area.end, table[page + count * Self.pageByteCount] == 0,
            let next = try? fileFrame(page + count * Self.pageByteCount, area, isWrite: false)
        {
            guard next.number == first.number + count else {
                frames.release(next)
                break
            }
            count += 1
        }
        try install(page, first, count: count, protection, flags: flags)
    }

    /// Unmaps the pages of [start, end) and gives their frames back.
    func dropPages(_ start: UInt64, _ end: UInt64) {
        var page = start
        while let first = table.nextPage(from: page, to: end) {
            var stop = first
            while stop < end, table[stop] != 0 {
                frames.release(frame(table[stop]))
                table[stop] = 0
                stop += Self.pageByteCount
            }
            _ = mapper.map(first, byteCount: stop - first, to: 0, [])
            page = stop
        }
    }

    /// The area's protection changed: pages that stay get it, those that nobody may touch stay behind an unmapped address.
    func reprotect(_ area: Area) {
        var page = area.start
        while let first = table.nextPage(from: page, to: area.end) {
            let entry = table[first]
            var count: UInt64 = 1
            let isOwned = { (entry: UInt64) -> Bool in
                entry & PageTable.shared == 0 && area.mapping == nil && !self.frames.isForeign(self.frame(entry))
            }
            let canWrite = isOwned(entry)
            while first + count * Self.pageByteCount < area.end {
                let next = table[first + count * Self.pageByteCount]
                guard next != 0, next >> 12 == (entry >> 12) + count, isOwned(next) == canWrite else { break }
                count += 1
            }
            let protection = canWrite ? area.protection : area.protection.subtracting(.write)
            _ = mapper.map(first, byteCount: count * Self.pageByteCount, to: frame(entry).address, protection)
            for index in 0..<count {
                let at = first + index * Self.pageByteCount
                var bits = table[at] & ~PageTable.writable
                if protection.contains(.write) { bits |= PageTable.writable }
                table[at] = bits
            }
            page = first + count * Self.pageByteCount
        }
    }

    /// A file lost pages: the next access asks it again.
    func drop(_ range: Range<Int64>, of mapping: FileMapping) {
        for area in areas where area.mapping === mapping {
            let pages = Int64(area.byteCount / Self.pageByteCount)
            let from = max(range.lowerBound, area.filePage), to = min(range.upperBound, area.filePage + pages)
            guard from < to else { continue }
            let start = area.start + UInt64(from - area.filePage) * Self.pageByteCount
            dropPages(start, start + UInt64(to - from) * Self.pageByteCount)
        }
    }

    /// Pages that have a frame now, in bytes.
    public var residentByteCount: UInt64 { UInt64(table.pageCount) * Self.pageByteCount }
    public func isResident(_ page: UInt64) -> Bool { table[page] != 0 }
}
