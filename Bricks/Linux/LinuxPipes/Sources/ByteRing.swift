import Bytes

/// Bytes in the order they came, in a ring that has no memory until there is something to keep.
public struct ByteRing {
    /// The smallest that is allocated.
    private static var leastCapacity: Int { 4096 }

    /// As long as a power of two, or empty.
    private var storage: [UInt8] = []
    private var head = 0
    public private(set) var count = 0

    public init() {}

    public var isEmpty: Bool { count == 0 }

    /// Adds all of `bytes`; how much may be kept is the owner's to know.
    public mutating func append(_ bytes: RawSpan) {
        let added = bytes.byteCount
        guard added > 0 else { return }
        reserve(count + added)
        let start = (head + count) & (storage.count - 1)
        let first = min(added, storage.count - start)
        storage.replace(from: start, with: bytes.extracting(first: first))
        if first < added { storage.replace(from: 0, with: bytes.extracting(droppingFirst: first)) }
        count += added
    }

    /// Copies bytes from `offset` on to the start of `target`, as many as there are and fit, and returns how many.
    @_lifetime(target: copy target)
    public func copy(from offset: Int = 0, into target: inout MutableRawSpan) -> Int {
        let copied = min(target.byteCount, count - offset)
        guard copied > 0 else { return 0 }
        let start = (head + offset) & (storage.count - 1)
        let first = min(copied, storage.count - start)
        target.replace(from: 0, with: storage.raw.extracting(start..<start + first))
        if first < copied { target.replace(from: first, with: storage.raw.extracting(0..<copied - first)) }
        return copied
    }

    public mutating func removeFirst(_ removed: Int) {
        count -= removed
        if count == 0 {
            head = 0
            // What was large once need not stay so.
            if storage.count > Self.leastCapacity * 4 { storage = [] }
        } else {
            head = (head + removed) & (storage.count - 1)
        }
    }

    public mutating func removeAll() { self = ByteRing() }

    private mutating func reserve(_ needed: Int) {
        guard needed > storage.count else { return }
        var larger = max(storage.count, Self.leastCapacity)
        while larger < needed { larger *= 2 }
        var grown = [UInt8](repeating: 0, count: larger)
        if count > 0 {
            let first = min(count, storage.count - head)
            grown.replace(from: 0, with: storage.raw.extracting(head..<head + first))
            if first < count { grown.replace(from: first, with: storage.raw.extracting(0..<count - first)) }
        }
        storage = grown
        head = 0
    }
}
