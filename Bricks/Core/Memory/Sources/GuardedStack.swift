import Hypercalls

/// A stack with a page below it that nobody can touch: running over its end is an exception, not a neighbour's loss.
public struct GuardedStack: ~Copyable {
    private let base: UInt
    /// Bytes between the guard page and `top`.
    public let byteCount: Int

    /// One past the last byte; a stack grows down from here.
    public var top: UInt { base + UInt(pageByteCount + byteCount) }

    /// Rounds `byteCount` up to whole pages.
    public init(byteCount: Int) throws(OutOfMemory) {
        let pages = max(1, (min(byteCount, Int.max - 2 * pageByteCount) + pageByteCount - 1) / pageByteCount)
        let total = (pages + 1) * pageByteCount
        guard let base = withHeap({ heap in heap.allocate(byteCount: total, alignment: pageByteCount) }) else {
            throw OutOfMemory(byteCount: total)
        }
        guard (try? Memory.protect(address: base, byteCount: pageByteCount, access: .none)) != nil else {
            _ = withHeap { heap in heap.free(base) }
            throw OutOfMemory(byteCount: total)
        }
        self.base = base
        self.byteCount = pages * pageByteCount
    }

    deinit {
        // Giving access back takes no memory: the tables that withheld it are there.
        guard (try? Memory.protect(address: base, byteCount: pageByteCount, access: .readWrite)) != nil else {
            fatalError("a guard page could not be opened")
        }
        _ = withHeap { heap in heap.free(base) }
    }
}

extension Memory {
    /// Changes the access of whole pages, and feeds the platform pages for its tables as it asks for them.
    static func protect(address: UInt, byteCount: Int, access: PageAccess) throws(HypercallError) {
        // One table serves 2 MiB, so a range needs at most one per 2 MiB, and one more at each end.
        try withTables(limit: byteCount >> 21 + 2) { () throws(HypercallError) in
            try Hypercalls.protect(address: address, byteCount: byteCount, access: access)
        }
    }

    static func withTables(limit: Int, _ call: () throws(HypercallError) -> Void) throws(HypercallError) {
        let outOfMemory: Int32 = 12  // ENOMEM, errno(3)
        var tables = limit
        while true {
            do {
                return try call()
            } catch {
                guard error.errno == outOfMemory, tables > 0,
                    let table = withHeap({ heap in heap.allocate(byteCount: pageByteCount, alignment: pageByteCount) })
                else { throw error }
                tables -= 1
                do {
                    try Hypercalls.donateTable(address: table)
                } catch {
                    _ = withHeap { heap in heap.free(table) }
                    throw error
                }
            }
        }
    }
}
