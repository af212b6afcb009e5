/// Turns ticks of a constant-rate counter into nanoseconds by one multiplication and one shift.
public struct TickRate: Equatable, Sendable {
    private let multiplier: UInt64

    /// Not known: every count of ticks is zero nanoseconds.
    public static let unknown = TickRate()

    public var isKnown: Bool { multiplier != 0 }

    private init() { multiplier = 0 }

    /// `kilohertz` must be at least 1; counters of 1 kHz to 18 THz are exact to 2^-32 ns per tick.
    public init(kilohertz: UInt64) {
        precondition(kilohertz > 0)
        multiplier = (1_000_000 << 32) / kilohertz
    }

    public func nanoseconds(of ticks: UInt64) -> UInt64 {
        let product = ticks.multipliedFullWidth(by: multiplier)
        return product.high << 32 | product.low >> 32
    }
}
