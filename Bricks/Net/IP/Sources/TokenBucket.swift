import Time

/// Lets through `capacity` events at once and then one per `interval`: bounds what a stranger can make us send.
public struct TokenBucket: Sendable {
    private let capacity: UInt64
    private let intervalNanoseconds: UInt64
    private var tokens: UInt64
    private var last: Instant

    /// `interval` must be positive.
    public init(capacity: Int, interval: Duration, now: Instant = .start) {
        precondition(capacity > 0 && interval > .zero)
        self.capacity = UInt64(capacity)
        intervalNanoseconds = interval.nanosecondsRoundedUp
        tokens = UInt64(capacity)
        last = now
    }

    public mutating func take(now: Instant) -> Bool {
        if now > last {
            let gained = (now.nanoseconds - last.nanoseconds) / intervalNanoseconds
            if tokens + min(gained, capacity) >= capacity {
                tokens = capacity
                last = now
            } else {
                tokens += gained
                last = Instant(nanoseconds: last.nanoseconds + gained * intervalNanoseconds)
            }
        }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }
}
