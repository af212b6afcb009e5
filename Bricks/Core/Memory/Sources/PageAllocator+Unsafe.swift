/// Hands out runs of pages of one region. Freed neighbours join; a fit is found in the first list that has one.
///
/// The region starts with its own descriptor table, of which only what describes used pages is ever touched: pages
/// above `frontier` were never handed out.
@safe struct PageAllocator {
    /// List k holds free runs of 2^k to 2^(k+1)-1 pages.
    static let listCount = 32

    let base: UInt
    let pageCount: Int
    private let table: UnsafeMutablePointer<PageDescriptor>
    private var frontier = 0
    private(set) var usedPageCount = 0
    private(set) var tablePageCount = 0
    private var lists = InlineArray<32, UInt32>(repeating: noPage)

    /// The caller owns [base, base + pageCount pages) for the life of the allocator; base is page-aligned.
    @unsafe init(base: UInt, pageCount: Int) {
        let tableBytes = pageCount * MemoryLayout<PageDescriptor>.stride
        tablePageCount = min((tableBytes + pageByteCount - 1) / pageByteCount, pageCount)
        self.base = base + UInt(tablePageCount * pageByteCount)
        self.pageCount = min(pageCount - tablePageCount, Int(noPage) - 1)
        unsafe table = UnsafeMutablePointer(bitPattern: base)!
    }

    // SAFETY (all of this file): an index below pageCount names an entry of the table that the region holds.
    subscript(page: Int) -> PageDescriptor {
        get {
            precondition(page >= 0 && page < pageCount)
            return unsafe table[page]
        }
        set {
            precondition(page >= 0 && page < pageCount)
            unsafe table[page] = newValue
        }
    }

    var frontierAddress: UInt { address(ofPage: frontier) }
    func address(ofPage page: Int) -> UInt { base + UInt(page * pageByteCount) }

    /// The page that holds `address`, or nil outside of what was ever handed out.
    func page(holding address: UInt) -> Int? {
        guard address >= base else { return nil }
        let page = Int((address - base) / UInt(pageByteCount))
        return page < frontier ? page : nil
    }

    /// The first page of a run of `count` pages, or nil if there is none.
    mutating func allocate(count: Int) -> Int? {
        guard count > 0, count <= pageCount else { return nil }
        guard let page = takeFree(count: count) ?? takeFresh(count: count) else { return nil }
        usedPageCount += count
        markRun(page, count: count, head: .runHead, tail: .runTail)
        return page
    }

    /// Gives back `count` pages from `page` on, which were part of one allocated run.
    mutating func free(page: Int, count: Int) {
        usedPageCount -= count
        var first = page, total = count
        if first > 0, self[first - 1].kind == .freeTail || (self[first - 1].kind == .freeHead && self[first - 1].length == 1) {
            let length = Int(self[first - 1].length)
            unlink(first - length)
            first -= length
            total += length
        }
        if first + total < frontier, self[first + total].kind == .freeHead {
            let neighbour = first + total
            total += Int(self[neighbour].length)
            unlink(neighbour)
        }
        markRun(first, count: total, head: .freeHead, tail: .freeTail)
        link(first)
    }

    private mutating func takeFresh(count: Int) -> Int? {
        guard count <= pageCount - frontier else { return nil }
        let page = frontier
        frontier += count
        // The ends are marked by the caller. Memory need not be zero at first, so what lies between is marked too.
        var inner = page + 1
        while inner < page + count - 1 {
            self[inner] = PageDescriptor(kind: .untouched)
            inner += 1
        }
        return page
    }

    private mutating func takeFree(count: Int) -> Int? {
        var list = Self.list(for: count)
        while list < Self.listCount {
            var candidate = lists[list]
            while candidate != noPage {
                let length = Int(self[Int(candidate)].length)
                if length >= count {
                    split(Int(candidate), length: length, count: count)
                    return Int(candidate)
                }
                candidate = self[Int(candidate)].next
            }
            list += 1
        }
        return nil
    }

    private mutating func split(_ page: Int, length: Int, count: Int) {
        unlink(page)
        guard length > count else { return }
        markRun(page + count, count: length - count, head: .freeHead, tail: .freeTail)
        link(page + count)
    }

    private mutating func markRun(_ page: Int, count: Int, head: PageDescriptor.Kind, tail: PageDescriptor.Kind) {
        let length = UInt32(truncatingIfNeeded: count)
        self[page] = PageDescriptor(kind: head, length: length)
        if count > 1 { self[page + count - 1] = PageDescriptor(kind: tail, length: length) }
    }

    private static func list(for count: Int) -> Int { Int.bitWidth - 1 - count.leadingZeroBitCount }

    private mutating func link(_ page: Int) {
        let list = Self.list(for: Int(self[page].length))
        self[page].next = lists[list]
        self[page].previous = noPage
        if lists[list] != noPage { self[Int(lists[list])].previous = UInt32(truncatingIfNeeded: page) }
        lists[list] = UInt32(truncatingIfNeeded: page)
    }

    private mutating func unlink(_ page: Int) {
        let run = self[page]
        if run.previous == noPage {
            lists[Self.list(for: Int(run.length))] = run.next
        } else {
            self[Int(run.previous)].next = run.next
        }
        if run.next != noPage { self[Int(run.next)].previous = run.previous }
    }
}
