/// A stream's bytes in a ring that has no memory until there is something to keep. How many bytes count is the owner's to know:
/// offsets are distances from the first byte.
struct RingBuffer: Sendable {
    /// The smallest that is allocated.
    static var leastCapacity: Int { 512 }

    /// As long as a power of two, or empty.
    var storage: [UInt8] = []
    var head = 0

    var capacity: Int { storage.count }

    func position(of offset: Int) -> Int { (head &+ offset) & (capacity &- 1) }

    /// Makes room for `byteCount` bytes in all; the first `used` keep their values.
    mutating func reserve(_ byteCount: Int, used: Int) {
        guard byteCount > capacity else { return }
        var larger = max(capacity, Self.leastCapacity)
        while larger < byteCount { larger *= 2 }
        var grown = RingBuffer(storage: [UInt8](repeating: 0, count: larger))
        if used > 0 { withBytes(at: 0, count: used) { grown.storeBoth($0, $1) } }
        self = grown
    }

    private mutating func storeBoth(_ first: RawSpan, _ second: RawSpan) {
        store(first, at: 0)
        store(second, at: first.byteCount)
    }

    mutating func dropFirst(_ byteCount: Int) {
        guard capacity > 0 else { return }
        head = position(of: byteCount)
    }

    /// Gives the memory back. Nothing may be stored.
    mutating func release() { self = RingBuffer() }
}
