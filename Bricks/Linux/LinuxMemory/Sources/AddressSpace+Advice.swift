import Errno

// madvise(2), msync(2), mincore(2).
extension AddressSpace {
    /// The parts of areas in [start, end). Result: whether there was no hole.
    public func forEachPart(_ start: UInt64, _ end: UInt64, _ body: (Area) throws(Errno) -> Void) throws(Errno) -> Bool {
        var at = start
        var isWhole = true
        while at < end {
            let index = index(above: at)
            guard index < areas.count, areas[index].start < end else { return false }
            if areas[index].start > at { isWhole = false }
            let part = areas[index].part(from: max(at, areas[index].start), to: min(end, areas[index].end))
            at = part.end
            try body(part)
        }
        return isWhole
    }

    /// MADV_DONTNEED: private pages are forgotten, those of files are asked for again.
    public func forget(_ part: Area) {
        generation &+= 1
        dropPages(part.start, part.end)
    }

    /// MADV_NOHUGEPAGE, and MADV_HUGEPAGE, which takes it back.
    public func setSparse(_ part: Area, _ isSparse: Bool) throws(Errno) {
        guard part.isSparse != isSparse else { return }
        try checkAreaLimit()
        split(at: part.start)
        split(at: part.end)
        let index = index(above: part.start)
        areas[index].isSparse = isSparse
        join(from: part.start, to: part.end)
    }

    /// MADV_REMOVE of shared memory without a file: every area that shows the pages loses them. False: it is a file's.
    public func clear(_ part: Area) -> Bool {
        guard let mapping = part.mapping, let memory = mapping.file as? SharedMemory else { return false }
        let range = part.filePage..<part.filePage + Int64(part.byteCount / Self.pageByteCount)
        generation &+= 1
        drop(range, of: mapping)
        memory.remove(range)
        return true
    }

    public func isResident(_ page: UInt64, in part: Area) -> Bool { part.mapping != nil || table[page] != 0 }
}
