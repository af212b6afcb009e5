/// A point on the monotonic clock of one instance, in nanoseconds since the instance started.
///
/// It never goes back and never jumps; 2^64 ns are 584 years.
public struct Instant: Comparable, Hashable, Sendable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static let start = Instant(nanoseconds: 0)
    /// Later than every deadline: "never".
    public static let distantFuture = Instant(nanoseconds: .max)

    public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// The instant `duration` later; a negative duration counts as zero, an overflow as `distantFuture`.
    public func advanced(by duration: Duration) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.nanosecondsRoundedUp)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }

    /// The time from this instant to `other`, zero if `other` is earlier.
    public func duration(to other: Instant) -> Duration {
        guard other.nanoseconds > nanoseconds else { return .zero }
        return .nanoseconds(Int64(clamping: other.nanoseconds - nanoseconds))
    }
}

extension Duration {
    /// Whole nanoseconds, rounded up so that a wait is never too short; negative counts as zero, overflow as `UInt64.max`.
    public var nanosecondsRoundedUp: UInt64 {
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = whole.addingReportingOverflow((UInt64(attoseconds) + 999_999_999) / 1_000_000_000)
        return overflow || carried ? .max : sum
    }
}

/// A time of day: nanoseconds since 1970-01-01 00:00 UTC, without leap seconds (POSIX.1-2017 §4.16).
public struct WallTime: Comparable, Hashable, Sendable {
    public var nanosecondsSince1970: UInt64

    public init(nanosecondsSince1970: UInt64) { self.nanosecondsSince1970 = nanosecondsSince1970 }

    public static func < (a: WallTime, b: WallTime) -> Bool { a.nanosecondsSince1970 < b.nanosecondsSince1970 }
}
