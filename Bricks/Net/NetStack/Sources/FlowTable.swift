import NetFormats
import Random

/// What tells one flow from all others (RFC 9293 §3.1, RFC 768).
struct FlowKey: Equatable {
    var local: IPAddress
    var remote: IPAddress
    var localPort: UInt16
    var remotePort: UInt16

    /// Keyed, so that nobody can choose flows that fall together.
    func hash(_ key: SipHash.Key) -> UInt32 {
        var hash = SipHash(key: key)
        Self.add(local, to: &hash)
        Self.add(remote, to: &hash)
        hash.add(UInt32(localPort) << 16 | UInt32(remotePort))
        return UInt32(truncatingIfNeeded: hash.value)
    }

    private static func add(_ address: IPAddress, to hash: inout SipHash) {
        switch address {
        case .v4(let address): hash.add(address.rawValue)
        case .v6(let address):
            hash.add(address.high)
            hash.add(address.low)
        }
    }
}

/// Slots by hash: open addressing with linear probing, eight bytes an entry. What a slot holds is the caller's to compare.
struct FlowTable {
    private struct Entry {
        var hash: UInt32
        /// -1: empty.
        var slot: Int32
    }

    private var entries: [Entry] = []
    private(set) var count = 0

    private var mask: Int { entries.count - 1 }

    /// The first slot with this hash that `matches` agrees to.
    func find(_ hash: UInt32, _ matches: (Int) -> Bool) -> Int? {
        guard !entries.isEmpty else { return nil }
        var index = Int(hash) & mask
        while entries[index].slot >= 0 {
            if entries[index].hash == hash, matches(Int(entries[index].slot)) { return Int(entries[index].slot) }
            index = (index + 1) & mask
        }
        return nil
    }

    mutating func insert(_ hash: UInt32, slot: Int) {
        // At most three quarters full, so that a search ends soon.
        if (count + 1) * 4 > entries.count * 3 { resize(to: max(16, entries.count * 2)) }
        place(Entry(hash: hash, slot: Int32(slot)))
        count += 1
    }

    mutating func remove(_ hash: UInt32, slot: Int) {
        guard !entries.isEmpty else { return }
        var hole = Int(hash) & mask
        while entries[hole].slot != Int32(slot) {
            guard entries[hole].slot >= 0 else { return }
            hole = (hole + 1) & mask
        }
        count -= 1
        // What follows without a gap moves up if its own place allows.
        var index = (hole + 1) & mask
        while entries[index].slot >= 0 {
            let home = Int(entries[index].hash) & mask
            if (index - home) & mask >= (index - hole) & mask {
                entries[hole] = entries[index]
                hole = index
            }
            index = (index + 1) & mask
        }
        entries[hole] = Entry(hash: 0, slot: -1)
        if entries.count > 64, count * 8 < entries.count { resize(to: entries.count / 2) }
    }

    private mutating func resize(to capacity: Int) {
        let old = entries
        entries = [Entry](repeating: Entry(hash: 0, slot: -1), count: capacity)
        for entry in old where entry.slot >= 0 { place(entry) }
    }

    private mutating func place(_ entry: Entry) {
        var index = Int(entry.hash) & mask
        while entries[index].slot >= 0 { index = (index + 1) & mask }
        entries[index] = entry
    }
}
