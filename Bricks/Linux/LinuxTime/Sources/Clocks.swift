import Errno
import Scheduler
import Time

/// Where time comes from and who wakes at a deadline. An instance has one.
open class TimeSource {
    public init() {}

    #if hasFeature(Embedded)
        /// Since the instance started.
        open var now: Instant { Instant.now }
        open var wallTime: WallTime { WallTime.now }
        /// `timer` fires at `deadline`, or as soon after as its turn comes; one that is scheduled already moves.
        open func schedule(_ timer: Timer, at deadline: Instant) {
            RunLoop.remove(timer)
            RunLoop.add(timer, at: deadline)
        }
        open func cancel(_ timer: Timer) { RunLoop.remove(timer) }
    #else
        open var now: Instant { .start }
        open var wallTime: WallTime { WallTime(nanosecondsSince1970: 0) }
        open func schedule(_ timer: Timer, at deadline: Instant) {}
        open func cancel(_ timer: Timer) {}
    #endif
}

/// The clocks of clock_gettime(2), by their numbers.
public enum ClockKind: Int32, Sendable {
    case realTime = 0
    case monotonic = 1
    case processTime = 2
    case threadTime = 3
    case monotonicRaw = 4
    case realTimeCoarse = 5
    case monotonicCoarse = 6
    case bootTime = 7
    case realTimeAlarm = 8
    case bootTimeAlarm = 9
    case internationalAtomic = 11

    /// What timers can run on (timerfd_create(2), timer_create(2)).
    public var canTime: Bool {
        switch self {
        case .realTime, .monotonic, .bootTime, .realTimeAlarm, .bootTimeAlarm: true
        case .processTime, .threadTime, .monotonicRaw, .realTimeCoarse, .monotonicCoarse, .internationalAtomic: false
        }
    }

    public var isWallTime: Bool {
        switch self {
        case .realTime, .realTimeCoarse, .realTimeAlarm, .internationalAtomic: true
        case .monotonic, .processTime, .threadTime, .monotonicRaw, .monotonicCoarse, .bootTime, .bootTimeAlarm: false
        }
    }
}

extension TimeSource {
    /// Nanoseconds of a clock that is not about processor time.
    public final func nanoseconds(of clock: ClockKind) -> UInt64 {
        clock.isWallTime ? wallTime.nanosecondsSince1970 : now.nanoseconds
    }

    /// When `clock` will show `nanoseconds`, at the earliest now.
    public final func instant(when clock: ClockKind, shows nanoseconds: UInt64) -> Instant {
        let current = self.nanoseconds(of: clock)
        guard nanoseconds > current else { return now }
        let (sum, overflow) = now.nanoseconds.addingReportingOverflow(nanoseconds - current)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }
}
