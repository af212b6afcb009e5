import Random
import Time

/// What one direction of a simulated link does to packets.
public struct LinkConditions: Equatable, Sendable {
    /// Of one packet on an empty link, besides the time that its bytes take.
    public var delay = Duration.milliseconds(1)
    /// Bits per second; zero for a link without a limit.
    public var rate = 0
    /// What may wait for the link; more is dropped.
    public var queueByteCount = 256 << 10
    /// Chances, of a million packets each.
    public var loss = 0
    public var reordering = 0
    public var duplication = 0
    public var corruption = 0
    /// How much later a reordered packet comes.
    public var reorderingDelay = Duration.milliseconds(5)
    /// Losses that come together: the chances to enter and to leave a bad time, in which half of all is lost.
    public var burstStart = 0
    public var burstEnd = 200_000
    /// Larger packets are dropped, and the sender is told.
    public var maximumPacketByteCount = 1_500

    public init() {}
}

/// Something that is said of one packet in a million.
public let million = 1_000_000

extension SplitMix {
    /// True for `chance` of a million.
    mutating func happens(_ chance: Int) -> Bool { chance > 0 && Int(next() % UInt64(million)) < chance }

    /// A number from `range`.
    mutating func number(in range: ClosedRange<Int>) -> Int { range.lowerBound + Int(next() % UInt64(range.count)) }

    /// One of `choices`.
    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[Int(next() % UInt64(choices.count))] }

    /// A number from `range`, of any magnitude with the same chance.
    mutating func magnitude(in range: ClosedRange<Int>) -> Int {
        let bits = number(
            in: range.lowerBound.bitWidth - range.lowerBound.leadingZeroBitCount...Int.bitWidth - range.upperBound.leadingZeroBitCount)
        let number = Int(next() % UInt64(max(1, 1 << bits)))
        return min(max(number, range.lowerBound), range.upperBound)
    }
}
