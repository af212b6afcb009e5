/// SipHash-2-4: a keyed hash whose values tell nothing about the key.
/// Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012.
public struct SipHash: Sendable {
    /// 128 secret bits.
    public struct Key: Sendable {
        public var low: UInt64
        public var high: UInt64

        public init(low: UInt64, high: UInt64) {
            self.low = low
            self.high = high
        }

        public init(using generator: inout some RandomNumberGenerator) {
            low = generator.next()
            high = generator.next()
        }
    }

    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64
    /// Bytes that do not yet fill a word, the first one lowest.
    private var tail: UInt64 = 0
    private var byteCount = 0

    public init(key: Key) {
        // "somepseudorandomlygeneratedbytes", §2.1.
        v0 = key.low ^ 0x736f_6d65_7073_6575
        v1 = key.high ^ 0x646f_7261_6e64_6f6d
        v2 = key.low ^ 0x6c79_6765_6e65_7261
        v3 = key.high ^ 0x7465_6462_7974_6573
    }

    /// Adds an integer's bytes, lowest first.
    public mutating func add(_ value: UInt64) { add(value, byteCount: 8) }
    public mutating func add(_ value: UInt32) { add(UInt64(value), byteCount: 4) }
    public mutating func add(_ value: UInt16) { add(UInt64(value), byteCount: 2) }
    public mutating func add(_ value: UInt8) { add(UInt64(value), byteCount: 1) }

    public mutating func add(_ bytes: Span<UInt8>) {
        for index in 0..<bytes.count { add(UInt64(bytes[index]), byteCount: 1) }
    }

    /// The hash of what has been added; more can be added afterwards.
    public var value: UInt64 {
        var end = self
        end.compress(tail | UInt64(truncatingIfNeeded: byteCount) << 56)
        end.v2 ^= 0xff
        for _ in 0..<4 { end.round() }
        return end.v0 ^ end.v1 ^ end.v2 ^ end.v3
    }

    /// `value` has no bit above its `byteCount` bytes.
    private mutating func add(_ value: UInt64, byteCount added: Int) {
        let filled = byteCount & 7
        byteCount &+= added
        tail |= value &<< UInt64(filled &* 8)
        guard filled &+ added >= 8 else { return }
        compress(tail)
        tail = filled == 0 ? 0 : value &>> UInt64(64 &- filled &* 8)
    }

    private mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    private mutating func round() {
        v0 &+= v1
        v1 = (v1 &<< 13 | v1 &>> 51) ^ v0
        v0 = v0 &<< 32 | v0 &>> 32
        v2 &+= v3
        v3 = (v3 &<< 16 | v3 &>> 48) ^ v2
        v0 &+= v3
        v3 = (v3 &<< 21 | v3 &>> 43) ^ v0
        v2 &+= v1
        v1 = (v1 &<< 17 | v1 &>> 47) ^ v2
        v2 = v2 &<< 32 | v2 &>> 32
    }
}
