import Scheduler
import Time

/// A timer that expires once, or again and again: what timerfd, setitimer and timer_create have in common.
open class IntervalTimer: Timer, @unchecked Sendable {
    public final let source: TimeSource
    public final let clock: ClockKind
    /// Nanoseconds; 0: once.
    public private(set) final var interval: UInt64 = 0
    private final var next = Instant.distantFuture

    public init(_ source: TimeSource, _ clock: ClockKind) {
        self.source = source
        self.clock = clock
        super.init()
    }

    /// Nanoseconds to the next expiration; 0: it is not armed.
    public final var remaining: UInt64 {
        guard next != .distantFuture else { return 0 }
        let now = source.now
        return next > now ? next.nanoseconds - now.nanoseconds : 1
    }

    public final var isArmed: Bool { next != .distantFuture }

    /// Arms it for `value` nanoseconds from now, or for when the clock shows `value`. 0 disarms it.
    public final func set(_ value: UInt64, interval: UInt64, isAbsolute: Bool) {
        disarm()
        guard value > 0 else { return }
        self.interval = interval
        if isAbsolute {
            next = source.instant(when: clock, shows: value)
        } else {
            let (sum, overflow) = source.now.nanoseconds.addingReportingOverflow(value)
            next = overflow ? Instant(nanoseconds: .max - 1) : Instant(nanoseconds: sum)
        }
        source.schedule(self, at: next)
    }

    public final func disarm() {
        guard next != .distantFuture else { return }
        source.cancel(self)
        next = .distantFuture
        interval = 0
    }

    public final override func fire() {
        guard next != .distantFuture else { return }
        let now = source.now
        guard next <= now else { return source.schedule(self, at: next) }
        var count: UInt64 = 1
        if interval > 0 {
            let missed = (now.nanoseconds - next.nanoseconds) / interval
            count += missed
            let (sum, overflow) = next.nanoseconds.addingReportingOverflow((missed + 1) * interval)
            next = overflow ? .distantFuture : Instant(nanoseconds: sum)
            if !overflow { source.schedule(self, at: next) }
        } else {
            next = .distantFuture
        }
        expired(count)
    }

    /// So many expirations since the last call.
    open func expired(_ count: UInt64) {}
}
