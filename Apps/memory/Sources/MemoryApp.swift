import Brique

/// Fills the instance's memory, frees it, fills it again, and reports.
@main struct MemoryApp {
    static func main() {
        let first = fill(blockByteCount: 16 << 10)
        print("filled: \(first > 0)")
        print("freed all: \(Memory.statistics.live < 16 << 10)")
        let second = fill(blockByteCount: 16 << 10)
        // The heap keeps a slab of each size that was used, so the second time may end one block earlier.
        print("filled again as far: \(second >= first - 1)")
        let small = fill(blockByteCount: 100)
        print("small blocks hold half as much or more: \(small * 100 * 2 >= first * (16 << 10))")
        print("one block of everything: \(oneBlock())")
        do {
            _ = try MemoryBlock(byteCount: Int.max)
            print("more than there is: given")
        } catch {
            print("more than there is: refused")
        }
        if Instance.environmentValue(of: "REPORT") != nil { report(blocks: first) }
    }

    /// Takes blocks until there are no more, checks that none lost what was written, and gives all back.
    private static func fill(blockByteCount: Int) -> Int {
        var chain = Chain()
        var count = 0
        do {
            while true {
                try chain.add(byteCount: blockByteCount, mark: UInt8(truncatingIfNeeded: count))
                count += 1
            }
        } catch {
            // Full, which is what was wanted.
        }
        print("blocks intact: \(chain.isIntact())")
        return count
    }

    private static func oneBlock() -> Bool {
        (try? MemoryBlock(byteCount: Memory.freeByteCount / 2)) != nil
    }

    private static func report(blocks: Int) {
        let statistics = Memory.statistics
        print("memory \(Instance.memoryByteCount), heap \(statistics.capacity), peak \(statistics.peak), live \(statistics.live)")
        print("\(blocks) blocks of 16 KiB, \(statistics.allocationCount) allocations in all")
    }
}

/// Blocks that hold one another, so that keeping many takes no memory beside them.
private struct Chain: ~Copyable {
    private var first: Link?

    /// Left alone by the blocks: the links between them are the language's own allocations, which cannot be refused.
    private static let reserve = 16 << 10

    mutating func add(byteCount: Int, mark: UInt8) throws(OutOfMemory) {
        guard Memory.freeByteCount >= byteCount + Self.reserve else { throw OutOfMemory(byteCount: byteCount) }
        var block = try MemoryBlock(byteCount: byteCount)
        for offset in 0..<byteCount { block[offset] = mark }
        first = Link(block: block, mark: mark, next: first)
    }

    func isIntact() -> Bool {
        var link = first
        while let current = link {
            for offset in 0..<current.block.byteCount where current.block[offset] != current.mark {
                return false
            }
            link = current.next
        }
        return true
    }

    deinit {
        // One at a time: a chain that frees itself recursively would need a stack as long as itself.
        var link = first
        while let current = link {
            link = current.next
            current.next = nil
        }
    }
}

private final class Link {
    let block: MemoryBlock
    let mark: UInt8
    var next: Link?

    init(block: consuming MemoryBlock, mark: UInt8, next: Link?) {
        self.block = block
        self.mark = mark
        self.next = next
    }
}
