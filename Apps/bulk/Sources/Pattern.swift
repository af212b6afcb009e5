/// A stream that anyone can make and check from any offset on: word k is k times 0x9e3779b97f4a7c15 modulo 2^64, lowest byte first.
///
/// A lost, doubled or misplaced piece shows, whatever its length.
enum Pattern {
    static let blockByteCount = 65_536

    static func word(_ index: Int) -> UInt64 { UInt64(truncatingIfNeeded: index) &* 0x9e37_79b9_7f4a_7c15 }

    static func byte(at offset: Int) -> UInt8 { UInt8(truncatingIfNeeded: word(offset >> 3) >> UInt64((offset & 7) * 8)) }
}
