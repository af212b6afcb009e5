import Errno
import PageFrames

// mremap(2): the pages go to another address, their frames stay.
extension AddressSpace {
    /// Moves [old, old + byteCount), which lies in one area, to [new, new + newByteCount), where nothing is. `keepsArea`: the old
    /// addresses stay mapped, without their pages.
    public func move(
        from old: UInt64, _ byteCount: UInt64, to new: UInt64, _ newByteCount: UInt64, keepsArea: Bool = false
    ) throws(Errno) {
        guard areas.count + 5 <= Self.areaLimit, Self.isInside(new, newByteCount) else { throw .enomem }
        guard let area = area(of: old), old + byteCount <= area.end else { throw .efault }
        let growth = keepsArea ? newByteCount : newByteCount - min(newByteCount, byteCount)
        guard growth <= byteLimit, mappedByteCount <= byteLimit - growth else { throw .enomem }
        let kept = min(byteCount, newByteCount)
        try mapAgain(from: old, kept, at: new, area.protection)
        split(at: old)
        split(at: old + byteCount)
        generation &+= 1
        var moved = area.part(from: old, to: old + byteCount)
        moved.start = new
        moved.end = new + newByteCount
        moved.name = .none
        moveEntries(from: old, kept, to: new)
        dropPages(old + kept, old + byteCount)
        if !keepsArea, let index = areaIndex(of: old) {
            areas.remove(at: index)
            mappedByteCount -= byteCount
        }
        insert(moved)
    }

    /// Lets the processor see the pages at the new address too; all of them or none.
    private func mapAgain(from old: UInt64, _ byteCount: UInt64, at new: UInt64, _ protection: Protection) throws(Errno) {
        var page = old
        while let start = table.nextPage(from: page, to: old + byteCount) {
            let entry = table[start]
            var count: UInt64 = 1
            while start + count * Self.pageByteCount < old + byteCount {
                let next = table[start + count * Self.pageByteCount]
                guard next >> 12 == (entry >> 12) + count, next & 0xfff == entry & 0xfff else { break }
                count += 1
            }
            let seen = entry & PageTable.writable != 0 ? protection : protection.subtracting(.write)
            guard mapper.map(new + (start - old), byteCount: count * Self.pageByteCount, to: entry & ~0xfff, seen) else {
                _ = mapper.map(new, byteCount: byteCount, to: 0, [])
                throw .enomem
            }
            page = start + count * Self.pageByteCount
        }
    }

    private func moveEntries(from old: UInt64, _ byteCount: UInt64, to new: UInt64) {
        var page = old
        while let start = table.nextPage(from: page, to: old + byteCount) {
            var stop = start
            while stop < old + byteCount, table[stop] != 0 {
                table[new + (stop - old)] = table[stop]
                table[stop] = 0
                stop += Self.pageByteCount
            }
            _ = mapper.map(start, byteCount: stop - start, to: 0, [])
            page = stop
        }
    }

    /// The area that ends at `end` grows by `byteCount`, where nothing is.
    public func extend(_ end: UInt64, by byteCount: UInt64) throws(Errno) {
        guard let index = areaIndex(of: end - 1), areas[index].end == end, Self.isInside(end, byteCount), isFree(end, byteCount) else {
            throw .enomem
        }
        guard byteCount <= byteLimit, mappedByteCount <= byteLimit - byteCount else { throw .enomem }
        generation &+= 1
        areas[index].end += byteCount
        mappedByteCount += byteCount
        joinNext(index)
    }

    /// A second view of the file that a shared area shows.
    public func duplicate(_ old: UInt64, at new: UInt64, _ byteCount: UInt64) throws(Errno) {
        try checkAreaLimit()
        guard let area = area(of: old), area.isShared, area.mapping != nil, Self.isInside(new, byteCount) else { throw .einval }
        guard byteCount <= byteLimit, mappedByteCount <= byteLimit - byteCount else { throw .enomem }
        var second = area
        second.filePage += Int64((old - area.start) / Self.pageByteCount)
        second.start = new
        second.end = new + byteCount
        insert(second)
    }
}
