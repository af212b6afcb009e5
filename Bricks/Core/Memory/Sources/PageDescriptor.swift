/// What the heap knows of one page: 16 bytes. All zero is a page that was never used.
struct PageDescriptor {
    enum Kind: UInt8 {
        case untouched = 0
        /// First and last page of a run of free pages; `length` counts the run's pages.
        case freeHead, freeTail
        /// First and last page of an allocated run.
        case runHead, runTail
        /// First page of a slab, and each other page of it; `length` of those is the distance to the first.
        case slabHead, slabTail
    }

    var kind: Kind
    /// Slab heads: the size class.
    var sizeClass: UInt8 = 0
    /// Slab heads: blocks handed out; blocks that were ever handed out; the first free block.
    var usedCount: UInt16 = 0
    /// Runs: pages. Slab heads: see `carvedCount` and `freeBlock`.
    var length: UInt32 = 0
    /// Links of free runs and of slabs with room.
    var next: UInt32 = noPage
    var previous: UInt32 = noPage

    /// Blocks of this slab that have ever been handed out.
    var carvedCount: UInt16 {
        get { UInt16(truncatingIfNeeded: length) }
        set { length = length & 0xffff_0000 | UInt32(newValue) }
    }

    /// Index of the first freed block of this slab, or `noBlock`.
    var freeBlock: UInt16 {
        get { UInt16(truncatingIfNeeded: length >> 16) }
        set { length = length & 0xffff | UInt32(newValue) << 16 }
    }
}

let noPage = UInt32.max
let noBlock = UInt16.max
