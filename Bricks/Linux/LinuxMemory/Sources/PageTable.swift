/// What is behind the pages of an address space: a radix tree of four levels over 45 bits of address.
final class PageTable {
    /// Frame number << 12, and these.
    static var present: UInt64 { 1 }
    /// Mapped for writing.
    static var writable: UInt64 { 2 }
    /// Belongs to a shared mapping: never copied on a write.
    static var shared: UInt64 { 8 }
    /// A copy of a file's page, made for this process.
    static var owned: UInt64 { 16 }

    final class Leaf {
        var entries = InlineArray<512, UInt64>(repeating: 0)
        var count = 0
    }
    private final class Directory {
        var leaves = InlineArray<512, Leaf?>(repeating: nil)
    }
    private final class Pointers {
        var directories = InlineArray<512, Directory?>(repeating: nil)
    }
    private var root: [Pointers?] = []
    private var lastIndex = UInt64.max
    private var lastLeaf: Leaf?
    private(set) var pageCount = 0

    func leaf(of address: UInt64, create: Bool) -> Leaf? {
        let index = address >> 21
        if index == lastIndex { return lastLeaf }
        guard let leaf = find(address, create) else { return nil }
        lastIndex = index
        lastLeaf = leaf
        return leaf
    }

    private func find(_ address: UInt64, _ create: Bool) -> Leaf? {
        let top = Int(address >> 39)
        while root.count <= top {
            guard create else { return nil }
            root.append(nil)
        }
        var pointers = root[top]
        if pointers == nil {
            guard create else { return nil }
            pointers = Pointers()
            root[top] = pointers
        }
        guard let pointers else { return nil }
        var directory = pointers.directories[Int(address >> 30 & 511)]
        if directory == nil {
            guard create else { return nil }
            directory = Directory()
            pointers.directories[Int(address >> 30 & 511)] = directory
        }
        guard let directory else { return nil }
        if directory.leaves[Int(address >> 21 & 511)] == nil, create { directory.leaves[Int(address >> 21 & 511)] = Leaf() }
        return directory.leaves[Int(address >> 21 & 511)]
    }

    subscript(address: UInt64) -> UInt64 {
        get { leaf(of: address, create: false)?.entries[Int(address >> 12 & 511)] ?? 0 }
        set {
            guard let leaf = leaf(of: address, create: newValue != 0) else { return }
            let index = Int(address >> 12 & 511)
            let change = (newValue != 0 ? 1 : 0) - (leaf.entries[index] != 0 ? 1 : 0)
            leaf.count += change
            pageCount += change
            leaf.entries[index] = newValue
        }
    }

    /// The first page at or after `address` and before `end` that has an entry.
    func nextPage(from address: UInt64, to end: UInt64) -> UInt64? {
        var address = address
        while address < end {
            let top = Int(address >> 39)
            guard top < root.count else { return nil }
            guard let pointers = root[top] else {
                address = ((address >> 39) + 1) << 39
                continue
            }
            guard let directory = pointers.directories[Int(address >> 30 & 511)] else {
                address = ((address >> 30) + 1) << 30
                continue
            }
            guard let leaf = directory.leaves[Int(address >> 21 & 511)], leaf.count > 0 else {
                address = ((address >> 21) + 1) << 21
                continue
            }
            let stop = min(end, ((address >> 21) + 1) << 21)
            while address < stop {
                if leaf.entries[Int(address >> 12 & 511)] != 0 { return address }
                address += 4096
            }
        }
        return nil
    }
}
