/// What a heap holds, in bytes.
public struct HeapStatistics: Equatable, Sendable {
    /// The memory under the heap's management, its tables included.
    public var capacity = 0
    /// Handed out now, rounded up to block sizes; and the most there ever was.
    public var live = 0
    public var peak = 0
    /// Blocks handed out now, and all that ever were.
    public var blockCount = 0
    public var allocationCount = 0
}

/// A heap over one region of memory: slabs of 24 block sizes, and runs of pages for what is larger.
///
/// Bounded by its region; exhaustion is a nil, never a wait. Not thread-safe: an instance has one processor.
public struct Heap {
    private var pages: PageAllocator
    /// Slabs with room, per size class: the head page of the first.
    private var partial = InlineArray<24, UInt32>(repeating: noPage)
    public private(set) var statistics = HeapStatistics()

    /// The caller owns [base, base + byteCount) for the life of the heap; base is page-aligned.
    @unsafe public init(base: UInt, byteCount: Int) {
        unsafe pages = PageAllocator(base: base, pageCount: byteCount / pageByteCount)
        statistics.capacity = byteCount / pageByteCount * pageByteCount
    }

    /// Bytes in pages that hold nothing: what one large allocation could at most get, were they in one piece.
    public var freeByteCount: Int { (pages.pageCount - pages.usedPageCount) * pageByteCount }

    /// Nothing at or above this was ever handed out.
    var frontierAddress: UInt { pages.frontierAddress }

    /// The address of `byteCount` fresh bytes, aligned to `alignment` (a power of two, 16 at least), or nil.
    public mutating func allocate(byteCount: Int, alignment: Int = 16) -> UInt? {
        guard byteCount >= 0, byteCount <= statistics.capacity else { return nil }
        if let sizeClass = SizeClass(fitting: byteCount, alignment: alignment) {
            guard let address = allocateBlock(of: sizeClass) else { return nil }
            count(sizeClass.byteCount)
            return address
        }
        let pageCount = max(1, (byteCount + pageByteCount - 1) / pageByteCount)
        guard let page = allocateRun(of: pageCount, alignment: alignment) else { return nil }
        count(pageCount * pageByteCount)
        return pages.address(ofPage: page)
    }

    /// Gives back what `allocate` returned. False: this heap never handed out `address`, and nothing is changed.
    public mutating func free(_ address: UInt) -> Bool {
        guard let page = pages.page(holding: address) else { return false }
        switch pages[page].kind {
        case .runHead:
            let length = Int(pages[page].length)
            guard address == pages.address(ofPage: page) else { return false }
            discount(length * pageByteCount)
            pages.free(page: page, count: length)
            return true
        case .slabHead: return freeBlock(address, slab: page)
        case .slabTail: return freeBlock(address, slab: page - Int(pages[page].length))
        case .untouched, .freeHead, .freeTail, .runTail: return false
        }
    }

    /// The bytes behind `address` that its owner may use, or nil if this heap never handed it out.
    public func usableByteCount(of address: UInt) -> Int? {
        guard let page = pages.page(holding: address) else { return nil }
        switch pages[page].kind {
        case .runHead: return Int(pages[page].length) * pageByteCount
        case .slabHead: return SizeClass(index: pages[page].sizeClass).byteCount
        case .slabTail: return SizeClass(index: pages[page - Int(pages[page].length)].sizeClass).byteCount
        case .untouched, .freeHead, .freeTail, .runTail: return nil
        }
    }

    private mutating func count(_ byteCount: Int) {
        statistics.live += byteCount
        statistics.peak = max(statistics.peak, statistics.live)
        statistics.blockCount += 1
        statistics.allocationCount += 1
    }

    private mutating func discount(_ byteCount: Int) {
        statistics.live -= byteCount
        statistics.blockCount -= 1
    }

    private mutating func allocateRun(of count: Int, alignment: Int) -> Int? {
        let alignmentPages = alignment / pageByteCount
        guard alignmentPages > 1 else { return pages.allocate(count: count) }
        guard count <= pages.pageCount - alignmentPages, let page = pages.allocate(count: count + alignmentPages - 1) else {
            return nil
        }
        let excess = pages.address(ofPage: page) & UInt(alignment - 1)
        let lead = excess == 0 ? 0 : (alignment - Int(excess)) / pageByteCount
        let trail = alignmentPages - 1 - lead
        pages[page + lead] = PageDescriptor(kind: .runHead, length: UInt32(truncatingIfNeeded: count))
        if count > 1 { pages[page + lead + count - 1] = PageDescriptor(kind: .runTail, length: UInt32(truncatingIfNeeded: count)) }
        if lead > 0 { pages.free(page: page, count: lead) }
        if trail > 0 { pages.free(page: page + lead + count, count: trail) }
        return page + lead
    }
}

// Slabs. SAFETY: a block's first two bytes hold the next free block's index while the block is free; block indices
// come from descriptors, stay below blocksPerSlab, and so name memory inside the slab's own pages.
extension Heap {
    private mutating func allocateBlock(of sizeClass: SizeClass) -> UInt? {
        let list = Int(sizeClass.index)
        if partial[list] == noPage, !makeSlab(of: sizeClass) { return nil }
        let page = Int(partial[list])
        var slab = pages[page]
        let base = pages.address(ofPage: page)
        let block: Int
        if slab.freeBlock != noBlock {
            block = Int(slab.freeBlock)
            slab.freeBlock = unsafe nextFree(at: base + UInt(block * sizeClass.byteCount)).pointee
        } else {
            block = Int(slab.carvedCount)
            slab.carvedCount += 1
        }
        slab.usedCount += 1
        pages[page] = slab
        if Int(slab.usedCount) == sizeClass.blocksPerSlab { unlink(page, list: list) }
        return base + UInt(block * sizeClass.byteCount)
    }

    private mutating func makeSlab(of sizeClass: SizeClass) -> Bool {
        let count = sizeClass.slabPageCount
        guard let page = pages.allocate(count: count) else { return false }
        var tail = 1
        while tail < count {
            pages[page + tail] = PageDescriptor(kind: .slabTail, length: UInt32(truncatingIfNeeded: tail))
            tail += 1
        }
        var slab = PageDescriptor(kind: .slabHead, sizeClass: sizeClass.index)
        slab.freeBlock = noBlock
        pages[page] = slab
        link(page, list: Int(sizeClass.index))
        return true
    }

    private mutating func freeBlock(_ address: UInt, slab page: Int) -> Bool {
        var slab = pages[page]
        let sizeClass = SizeClass(index: slab.sizeClass)
        let offset = Int(address - pages.address(ofPage: page))
        let block = offset / sizeClass.byteCount
        guard offset % sizeClass.byteCount == 0, block < Int(slab.carvedCount), slab.usedCount > 0 else { return false }
        let wasFull = Int(slab.usedCount) == sizeClass.blocksPerSlab
        unsafe nextFree(at: address).pointee = slab.freeBlock
        slab.freeBlock = UInt16(truncatingIfNeeded: block)
        slab.usedCount -= 1
        pages[page] = slab
        discount(sizeClass.byteCount)
        let list = Int(sizeClass.index)
        if wasFull { link(page, list: list) }
        // The last slab of a class stays, so that one block coming and going costs no slab each time.
        if slab.usedCount == 0, pages[page].next != noPage || pages[page].previous != noPage {
            unlink(page, list: list)
            pages.free(page: page, count: sizeClass.slabPageCount)
        }
        return true
    }

    private func nextFree(at address: UInt) -> UnsafeMutablePointer<UInt16> { unsafe UnsafeMutablePointer(bitPattern: address)! }

    private mutating func link(_ page: Int, list: Int) {
        pages[page].next = partial[list]
        pages[page].previous = noPage
        if partial[list] != noPage { pages[Int(partial[list])].previous = UInt32(truncatingIfNeeded: page) }
        partial[list] = UInt32(truncatingIfNeeded: page)
    }

    private mutating func unlink(_ page: Int, list: Int) {
        let slab = pages[page]
        if slab.previous == noPage { partial[list] = slab.next } else { pages[Int(slab.previous)].next = slab.next }
        if slab.next != noPage { pages[Int(slab.next)].previous = slab.previous }
        pages[page].next = noPage
        pages[page].previous = noPage
    }
}
