import Errno
import PageFrames

/// The clocks of an instance, and the page on which programs read them.
public final class ClockPage {
    /// Positions on the page, in bytes.
    enum Word {
        /// 32 bits that change with each change of the page.
        static var sequence: Int { 0 }
        /// The counter at which the clocks showed what stands here.
        static var base: Int { 8 }
        /// Ticks from the base on that the page holds for; 0: not at all.
        static var limit: Int { 16 }
        /// A clock: its rate in 2^-32 nanoseconds a tick, seconds, nanoseconds.
        static var monotonic: Int { 24 }
        static var wall: Int { 48 }
    }
    static var longest: UInt64 { 1_000_000_000 }
    static var shortest: UInt64 { 10_000_000 }
    /// From so far apart on, two readings give the rate by themselves.
    private static var baseline: UInt64 { 250_000_000 }
    private static var strikeLimit: Int { 8 }

    public let frame: Frame
    private let frames: PageFrames
    private let source: ClockSource
    private let isSteady: Bool
    private var strikes = 0
    /// What the rate is measured from.
    private var anchor: ClockReading?
    private var firstReading: UInt64 = 0
    private var rate: UInt64 = 0
    private var sequence: UInt32 = 0
    private var base: UInt64 = 0
    private var limit: UInt64 = 0
    private var monotonicLine = ClockLine()
    private var wallLine = ClockLine()
    /// The latest that the monotonic clock may have shown.
    private var floor: UInt64 = 0

    /// `isSteady`: the counter has one rate, whatever the processor does. Otherwise programs make calls.
    public init(_ source: ClockSource, frames: PageFrames, isSteady: Bool) throws(Errno) {
        self.source = source
        self.frames = frames
        self.isSteady = isSteady
        frame = try frames.allocate()
        refresh()
    }

    /// Nanoseconds of the monotonic clock.
    public var monotonic: UInt64 {
        if let ticks = currentTicks { return monotonicLine.nanoseconds(after: ticks) }
        return max(floor, source.monotonic)
    }

    /// Nanoseconds since 1970.
    public var wall: UInt64 {
        if let ticks = currentTicks { return wallLine.nanoseconds(after: ticks) }
        return source.wall
    }

    /// Forgets what it knows of the counter: the instance went on somewhere else.
    public func invalidate() {
        raiseFloor()
        anchor = nil
        rate = 0
        publish(limit: 0)
    }

    /// Ticks since the base, for which the page holds; nil: there is no such page.
    private var currentTicks: UInt64? {
        guard isSteady, strikes < Self.strikeLimit else { return nil }
        let ticks = source.counter &- base
        if ticks < limit { return ticks }
        refresh()
        return limit > 0 ? min(source.counter &- base, limit - 1) : nil
    }

    private func raiseFloor() {
        if limit > 0 { floor = max(floor, monotonicLine.nanoseconds(after: limit)) }
    }

    // MARK: Measuring

    private func refresh() {
        guard isSteady else { return }
        let reading = ClockReading(of: source, isWall: false)
        guard let anchor else { return begin(reading) }
        let passed = reading.nanoseconds &- anchor.nanoseconds
        // Too early to tell: what the first readings are apart is not much more than what they are wrong.
        guard passed >= Self.shortest, passed <= .max >> 1 else {
            if passed > .max >> 1 { strike(reading) }
            return
        }
        guard let measured = Self.rate(passed, reading.counter &- anchor.counter) else { return strike(reading) }
        if rate != 0 {
            let difference = measured > rate ? measured - rate : rate - measured
            guard difference <= rate >> 10 else { return strike(reading) }
        }
        rate = measured
        if passed >= Self.baseline { self.anchor = reading }
        setLines(reading)
        let window = min(Self.longest, max(Self.shortest, reading.nanoseconds &- firstReading))
        publish(limit: max(1, (window << 32) / rate))
    }

    private func begin(_ reading: ClockReading) {
        anchor = reading
        firstReading = reading.nanoseconds
    }

    private func strike(_ reading: ClockReading) {
        strikes += 1
        invalidate()
        begin(reading)
    }

    private static func rate(_ nanoseconds: UInt64, _ ticks: UInt64) -> UInt64? {
        var nanoseconds = nanoseconds, ticks = ticks
        while nanoseconds >> 32 != 0 {
            nanoseconds >>= 1
            ticks >>= 1
        }
        // Slower than 1 MHz or faster than 1 THz: no such counter.
        guard ticks > nanoseconds / 1000, ticks / 1000 < nanoseconds else { return nil }
        return (nanoseconds << 32) / ticks
    }

    private func setLines(_ reading: ClockReading) {
        let wallReading = ClockReading(of: source, isWall: true)
        let now = source.counter
        let passed = min(now &- base, limit)
        let shown = limit > 0 ? monotonicLine.nanoseconds(after: passed) : floor
        let shownWall = limit > 0 ? wallLine.nanoseconds(after: passed) : 0
        let exact = reading.nanoseconds &+ ClockLine.nanoseconds(of: now &- reading.counter, rate)
        let exactWall = wallReading.nanoseconds &+ ClockLine.nanoseconds(of: now &- wallReading.counter, rate)
        monotonicLine.follow(exact, shown: shown, rate: rate, mayStepBack: false)
        wallLine.follow(exactWall, shown: shownWall, rate: rate, mayStepBack: true)
        base = now
    }

    // MARK: The page

    private func publish(limit: UInt64) {
        self.limit = limit
        sequence &+= 1
        let (sequence, base, monotonic, wall) = (sequence, base, monotonicLine, wallLine)
        frames.withBytes(of: frame) { bytes in
            bytes.storeBytes(of: sequence, toByteOffset: Word.sequence, as: UInt32.self)
            bytes.storeBytes(of: base, toByteOffset: Word.base, as: UInt64.self)
            bytes.storeBytes(of: limit, toByteOffset: Word.limit, as: UInt64.self)
            for (line, at) in [(monotonic, Word.monotonic), (wall, Word.wall)] {
                bytes.storeBytes(of: line.rate, toByteOffset: at, as: UInt64.self)
                bytes.storeBytes(of: line.start / 1_000_000_000, toByteOffset: at + 8, as: UInt64.self)
                bytes.storeBytes(of: line.start % 1_000_000_000, toByteOffset: at + 16, as: UInt64.self)
            }
        }
    }
}
