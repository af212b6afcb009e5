import Time

/// A difference of two instants in one word. `Duration` has two, and its arithmetic is too slow for every segment.
struct Nanoseconds: Comparable, Hashable, Sendable {
    var rawValue: Int64

    static var zero: Nanoseconds { Nanoseconds(rawValue: 0) }
    /// Longer than any that is measured; sums of a few of them still fit.
    static var longest: Nanoseconds { Nanoseconds(rawValue: .max / 8) }

    static func milliseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(rawValue: count &* 1_000_000) }
    static func seconds(_ count: Int64) -> Nanoseconds { Nanoseconds(rawValue: count &* 1_000_000_000) }

    var milliseconds: Int64 { rawValue / 1_000_000 }

    static func < (a: Nanoseconds, b: Nanoseconds) -> Bool { a.rawValue < b.rawValue }
    static func + (a: Nanoseconds, b: Nanoseconds) -> Nanoseconds { Nanoseconds(rawValue: a.rawValue &+ b.rawValue) }
    static func - (a: Nanoseconds, b: Nanoseconds) -> Nanoseconds { Nanoseconds(rawValue: a.rawValue &- b.rawValue) }
    static func * (a: Nanoseconds, b: Int64) -> Nanoseconds { Nanoseconds(rawValue: a.rawValue &* b) }
    static func / (a: Nanoseconds, b: Int64) -> Nanoseconds { Nanoseconds(rawValue: a.rawValue / b) }

    /// Twice as long, `exponent` times, and at most `limit`.
    func doubled(_ exponent: Int, limit: Nanoseconds) -> Nanoseconds {
        var result = self
        for _ in 0..<exponent where result < limit { result = result * 2 }
        return min(result, limit)
    }
}

extension Instant {
    static func + (a: Instant, b: Nanoseconds) -> Instant {
        let (sum, overflow) = a.nanoseconds.addingReportingOverflow(UInt64(clamping: b.rawValue))
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }

    /// Negative if `a` is earlier.
    static func - (a: Instant, b: Instant) -> Nanoseconds {
        let limit = Nanoseconds.longest.rawValue
        if a.nanoseconds >= b.nanoseconds { return Nanoseconds(rawValue: min(limit, Int64(clamping: a.nanoseconds &- b.nanoseconds))) }
        return Nanoseconds(rawValue: -min(limit, Int64(clamping: b.nanoseconds &- a.nanoseconds)))
    }
}
