import PageFrames

/// The frames of a file by page, with holes: sorted groups of 64 pages.
struct PageTable {
    private struct Group {
        /// Page index / 64.
        let index: Int64
        /// As many as there are up to the last one; holes are `hole`.
        var frames: [UInt64] = []
    }

    private static var hole: UInt64 { .max }
    private static var groupSize: Int64 { 64 }
    private var groups: [Group] = []
    /// Pages that are there.
    private(set) var count = 0

    /// The first group with an index of at least `index`.
    private func position(_ index: Int64) -> Int {
        // Most files grow at the end.
        if let last = groups.last, last.index < index { return groups.count }
        var low = 0, high = groups.count
        while low < high {
            let middle = (low + high) / 2
            if groups[middle].index < index { low = middle + 1 } else { high = middle }
        }
        return low
    }

    subscript(page: Int64) -> Frame? {
        get {
            let place = position(page / Self.groupSize)
            guard place < groups.count, groups[place].index == page / Self.groupSize else { return nil }
            let offset = Int(page % Self.groupSize)
            guard offset < groups[place].frames.count, groups[place].frames[offset] != Self.hole else { return nil }
            return Frame(number: groups[place].frames[offset])
        }
        set {
            let index = page / Self.groupSize, offset = Int(page % Self.groupSize)
            let place = position(index)
            let isThere = place < groups.count && groups[place].index == index
            guard let newValue else {
                guard isThere, offset < groups[place].frames.count, groups[place].frames[offset] != Self.hole else { return }
                groups[place].frames[offset] = Self.hole
                count -= 1
                while groups[place].frames.last == Self.hole { groups[place].frames.removeLast() }
                if groups[place].frames.isEmpty { groups.remove(at: place) }
                return
            }
            if !isThere { groups.insert(Group(index: index), at: place) }
            while groups[place].frames.count <= offset { groups[place].frames.append(Self.hole) }
            if groups[place].frames[offset] == Self.hole { count += 1 }
            groups[place].frames[offset] = newValue.number
        }
    }

    /// The first page at or after `page` that is there.
    func firstPresent(from page: Int64) -> Int64? {
        var place = position(page / Self.groupSize)
        var offset = page % Self.groupSize
        while place < groups.count {
            if groups[place].index > page / Self.groupSize { offset = 0 }
            while offset < Int64(groups[place].frames.count) {
                if groups[place].frames[Int(offset)] != Self.hole { return groups[place].index * Self.groupSize + offset }
                offset += 1
            }
            place += 1
        }
        return nil
    }

    /// The first page at or after `page` that is not there.
    func firstHole(from page: Int64) -> Int64 {
        var page = page
        while self[page] != nil { page += 1 }
        return page
    }

    /// Takes the pages from `first` to before `end` out, each given to `body`.
    mutating func remove(from first: Int64, to end: Int64, _ body: (Frame) -> Void) {
        var page = first
        while let present = firstPresent(from: page), present < end {
            if let frame = self[present] { body(frame) }
            self[present] = nil
            page = present + 1
        }
    }
}
