/// Where time comes from: the platform, or a test.
open class ClockSource {
    public init() {}
    /// The processor's time-stamp counter.
    open var counter: UInt64 { 0 }
    /// Nanoseconds since the instance's zero; never goes back.
    open var monotonic: UInt64 { 0 }
    /// Nanoseconds since 1970.
    open var wall: UInt64 { 0 }
}

/// What a clock showed when the counter stood at `counter`.
struct ClockReading {
    var counter: UInt64 = 0
    var nanoseconds: UInt64 = 0

    private static var tries: Int { 3 }

    /// The tightest of a few: whoever is interrupted between counter and clock reads them apart.
    init(of source: ClockSource, isWall: Bool) {
        var tightest = UInt64.max
        for _ in 0..<Self.tries {
            let before = source.counter
            let nanoseconds = isWall ? source.wall : source.monotonic
            let width = source.counter &- before
            guard width < tightest else { continue }
            tightest = width
            counter = before &+ width / 2
            self.nanoseconds = nanoseconds
        }
    }
}

/// A clock as a line: nanoseconds over ticks.
struct ClockLine {
    /// Nanoseconds of a tick, in 2^-32.
    var rate: UInt64 = 0
    /// What it shows at no ticks.
    var start: UInt64 = 0

    func nanoseconds(after ticks: UInt64) -> UInt64 { start &+ Self.nanoseconds(of: ticks, rate) }

    static func nanoseconds(of ticks: UInt64, _ rate: UInt64) -> UInt64 {
        let product = ticks.multipliedFullWidth(by: rate)
        return product.high << 32 | product.low >> 32
    }

    /// Goes on where `shown` left off: at once if that is not ahead of `exact`, otherwise slower until it is right.
    mutating func follow(_ exact: UInt64, shown: UInt64, rate nominal: UInt64, mayStepBack: Bool) {
        rate = nominal
        start = exact
        guard shown > exact else { return }
        let ahead = shown - exact
        if mayStepBack, ahead > 10_000_000 { return }
        start = shown
        // What is ahead is lost within a second or so, and never more than a 256th of the rate.
        rate = nominal - min(nominal >> 8, (nominal >> 20).multipliedReportingOverflow(by: min(ahead, 1 << 40)).partialValue >> 10)
    }
}
