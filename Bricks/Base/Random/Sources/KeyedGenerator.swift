/// Numbers that only the holder of the key can foresee: SipHash-2-4 of a counter. For identifiers and ports that a stranger must
/// not guess.
public struct KeyedGenerator: RandomNumberGenerator, Sendable {
    private let key: SipHash.Key
    private var count: UInt64 = 0

    public init(key: SipHash.Key) { self.key = key }

    public mutating func next() -> UInt64 {
        count &+= 1
        var hash = SipHash(key: key)
        hash.add(count)
        return hash.value
    }
}
