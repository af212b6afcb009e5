import Hypercalls

// Whole pages, for who manages memory of his own: the frames of programs.
extension Memory {
    /// `byteCount` bytes, whole pages, and whether nothing was ever written there since the start.
    public static func allocatePages(byteCount: Int, alignment: Int) -> (address: UInt, isFresh: Bool)? {
        withHeap { heap in
            let frontier = heap.frontierAddress
            guard let address = heap.allocate(byteCount: byteCount, alignment: alignment) else { return nil }
            return (address, address >= frontier)
        }
    }

    public static func freePages(_ address: UInt) {
        let isFreed = withHeap { heap in heap.free(address) }
        precondition(isFreed, "pages that were never allocated")
    }

    /// Maps pages for programs (`Hypercalls.map`), and feeds the platform pages for its tables.
    public static func map(_ address: UInt64, byteCount: UInt64, to physical: UInt64, access: UInt64) throws(HypercallError) {
        try withTables(limit: Int(byteCount >> 21) + 8) { () throws(HypercallError) in
            try Hypercalls.map(address, byteCount: byteCount, to: physical, access: access)
        }
    }
}
