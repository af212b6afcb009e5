import Hypercalls
import Time

extension Instant {
    /// Now, on this instance's monotonic clock.
    public static var now: Instant { Instant(nanoseconds: Hypercalls.monotonicNanoseconds()) }
}

extension WallTime {
    /// Now, as the host's clock says. It may jump when that is set.
    public static var now: WallTime { Hypercalls.wallTime() }
}
