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
        self.byteCount = pages * pageByteCount
        if let base = withSpareStacks({ stacks in stacks.take(byteCount: pages * pageByteCount) }) {
            self.base = base
            return
        }
        guard let base = withHeap({ heap in heap.allocate(byteCount: total, alignment: pageByteCount) }) else {
            throw OutOfMemory(byteCount: total)
        }
        guard (try? Memory.protect(address: base, byteCount: pageByteCount, access: .none)) != nil else {
            _ = withHeap { heap in heap.free(base) }
            throw OutOfMemory(byteCount: total)
        }
        self.base = base
    }

    deinit {
        let base = base, byteCount = byteCount
        if withSpareStacks({ stacks in stacks.keep(base, byteCount: byteCount) }) { return }
        // Giving access back takes no memory: the tables that withheld it are there.
        guard (try? Memory.protect(address: base, byteCount: pageByteCount, access: .readWrite)) != nil else {
            fatalError("a guard page could not be opened")
        }
        _ = withHeap { heap in heap.free(base) }
    }
}

/// Stacks of the usual size that wait for their next use, guard page in place: under some monitors that page costs more than all else
/// about a thread.
struct SpareStacks {
    static var limit: Int { 16 }
    static var usualByteCount: Int { 64 << 10 }

    private var bases = InlineArray<16, UInt>(repeating: 0)
    private var count = 0

    mutating func take(byteCount: Int) -> UInt? {
        guard byteCount == Self.usualByteCount, count > 0 else { return nil }
        count -= 1
        return bases[count]
    }

    /// False: there are enough already, or it is of another size.
    mutating func keep(_ base: UInt, byteCount: Int) -> Bool {
        guard byteCount == Self.usualByteCount, count < Self.limit else { return false }
        bases[count] = base
        count += 1
        return true
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
