import Random

/// An endless stream of bytes that is known at every place, so that nothing has to be kept to compare with.
public struct StreamPattern: Sendable {
    private let table: [UInt8]

    public init(seed: UInt64) {
        var random = SplitMix(state: seed)
        table = (0..<1 << 16).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    /// Any two places less than 2^24 apart differ in what follows.
    public subscript(place: Int) -> UInt8 { table[place & 0xffff] ^ UInt8(truncatingIfNeeded: place >> 16) }

    public func bytes(from place: Int, count: Int) -> [UInt8] { (place..<place + count).map { self[$0] } }

    public func matches(_ bytes: RawSpan, at place: Int) -> Bool { bytes.isEqual { self[place + $0] } }
}
