import Bytes
import Random
import VFS

/// The entries of a directory: by name through a keyed hash, and in the order they came, which is the order they are read in.
///
/// Every entry has a position that it keeps, so that reading goes on where it was, whatever came and went meanwhile.
public struct NameTable {
    private struct Entry {
        var name: [UInt8]
        var hash: UInt32
        /// nil: removed.
        var vnode: Vnode?
        var position: Int64
    }

    private var entries: [Entry] = []
    /// Open addressing over indices of `entries`, a power of two of them; none while entries are few.
    private var slots: [Int32] = []
    private var nextPosition: Int64 = 2
    private let key: SipHash.Key
    public private(set) var count = 0

    private static var emptySlot: Int32 { -1 }
    /// So many are searched one by one.
    private static var smallCount: Int { 8 }

    public init(key: SipHash.Key) { self.key = key }

    private func hash(_ name: RawSpan) -> UInt32 {
        var hash = SipHash(key: key)
        for offset in 0..<name.byteCount { hash.add(name.byte(at: offset)) }
        return UInt32(truncatingIfNeeded: hash.value)
    }

    private func index(_ name: RawSpan) -> Int? {
        if slots.isEmpty {
            for index in entries.indices where entries[index].vnode != nil && isSame(index, name) { return index }
            return nil
        }
        let wanted = hash(name)
        let mask = slots.count - 1
        var slot = Int(wanted) & mask
        while slots[slot] != Self.emptySlot {
            let index = Int(slots[slot])
            if entries[index].hash == wanted, entries[index].vnode != nil, isSame(index, name) { return index }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private func isSame(_ index: Int, _ name: RawSpan) -> Bool {
        entries[index].name.count == name.byteCount && entries[index].name.hasSameBytes(as: name, from: 0)
    }

    public func lookup(_ name: RawSpan) -> Vnode? { index(name).flatMap { entries[$0].vnode } }

    /// The name must be free.
    public mutating func insert(_ name: RawSpan, _ vnode: Vnode) {
        if entries.count > 2 * count + Self.smallCount { compact() }
        entries.append(
            Entry(name: Array(copying: name), hash: slots.isEmpty ? 0 : hash(name), vnode: vnode, position: nextPosition))
        nextPosition += 1
        count += 1
        if slots.isEmpty {
            if entries.count > Self.smallCount { rebuild() }
        } else if entries.count * 2 > slots.count {
            rebuild()
        } else {
            fill(entries.count - 1)
        }
    }

    @discardableResult
    public mutating func remove(_ name: RawSpan) -> Vnode? {
        guard let index = index(name) else { return nil }
        let vnode = entries[index].vnode
        // The slot stays and leads nowhere until the table is built anew.
        entries[index].vnode = nil
        entries[index].name = []
        count -= 1
        if count == 0 {
            entries = []
            slots = []
        }
        return vnode
    }

    /// The entry keeps its name and position.
    public mutating func replace(_ name: RawSpan, with vnode: Vnode) {
        guard let index = index(name) else { return }
        entries[index].vnode = vnode
    }

    private mutating func compact() {
        entries.removeAll { $0.vnode == nil }
        if !slots.isEmpty { rebuild() }
    }

    private mutating func rebuild() {
        var slotCount = 32
        while slotCount < entries.count * 4 { slotCount *= 2 }
        if slots.isEmpty {
            for index in entries.indices {
                let name = entries[index].name
                entries[index].hash = hash(name.raw)
            }
        }
        slots = Array(repeating: Self.emptySlot, count: slotCount)
        for index in entries.indices { fill(index) }
    }

    private mutating func fill(_ index: Int) {
        let mask = slots.count - 1
        var slot = Int(entries[index].hash) & mask
        while slots[slot] != Self.emptySlot { slot = (slot + 1) & mask }
        slots[slot] = Int32(index)
    }

    /// Entries at `position` and after it, until `body` returns false: name, vnode, position behind.
    public func read(from position: Int64, _ body: (_ name: RawSpan, _ vnode: Vnode, _ next: Int64) -> Bool) {
        var low = 0, high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].position < position { low = middle + 1 } else { high = middle }
        }
        while low < entries.count {
            if let vnode = entries[low].vnode {
                let name = entries[low].name
                guard body(name.raw, vnode, entries[low].position + 1) else { return }
            }
            low += 1
        }
    }
}
