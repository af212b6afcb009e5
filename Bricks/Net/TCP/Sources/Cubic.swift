import NetFormats
import Time

/// The congestion window, by CUBIC (RFC 9438), in bytes and milliseconds.
struct Cubic: Sendable {
    /// Segments, RFC 6928.
    static var initialSegmentCount: Int { 10 }
    static var leastSegmentCount: Int { 2 }
    /// Keeps every product below in 64 bits.
    static var greatestWindow: Int { 1 << 30 }

    /// cwnd
    var window: Int
    /// ssthresh
    var threshold = Cubic.greatestWindow
    /// W_max
    var lastMaximum = 0
    /// t_epoch, nil between a congestion event and the first growth after it.
    var epoch: Instant?
    /// K
    var growthMilliseconds: Int64 = 0
    /// The window that the curve begins with; above `lastMaximum` for a first epoch.
    var origin = 0
    /// W_est
    var estimate = 0
    var hyStart: HyStart

    init(segmentSize: Int, start: SequenceNumber) {
        window = Self.initialWindow(segmentSize: segmentSize)
        hyStart = HyStart(start: start)
    }

    /// IW, RFC 6928 §2.
    static func initialWindow(segmentSize: Int) -> Int { min(initialSegmentCount * segmentSize, max(2 * segmentSize, 14_600)) }

    var isSlowStart: Bool { window < threshold }

    /// What an acknowledgment in order brings, while the window is what limits the sender.
    mutating func acknowledge(
        _ byteCount: Int, upTo sequence: SequenceNumber, sendNext: SequenceNumber, segmentSize: Int, sample: Nanoseconds?,
        smoothed: Nanoseconds, now: Instant
    ) {
        var remaining = byteCount
        if isSlowStart {
            // After a loss the threshold is known, and HyStart has nothing to find.
            let advice =
                threshold == Self.greatestWindow
                ? hyStart.acknowledge(upTo: sequence, sendNext: sendNext, sample: sample) : .grow
            let growth: Int
            switch advice {
            case .grow: growth = min(remaining, threshold - window)
            case .growSlowly: growth = remaining / HyStart.growthDivisor
            case .leave:
                threshold = window
                growth = 0
            }
            window = min(window + growth, Self.greatestWindow)
            remaining = isSlowStart || advice != .grow ? 0 : remaining - growth
        }
        if remaining > 0 { avoid(remaining, segmentSize: segmentSize, smoothed: smoothed, now: now) }
    }

    /// Congestion avoidance, RFC 9438 §4.2 to §4.5.
    private mutating func avoid(_ byteCount: Int, segmentSize: Int, smoothed: Nanoseconds, now: Instant) {
        let start = epoch ?? now
        if epoch == nil {
            epoch = now
            estimate = window
            origin = max(lastMaximum, window)
            // K = cubic root of ((W_max - cwnd) / C) seconds, C = 0.4, windows in segments.
            growthMilliseconds = Self.cubicRoot(UInt64(origin - window) * 2_500_000_000 / UInt64(segmentSize))
        }
        let elapsed = (now - start).milliseconds
        let target = min(max(curve(at: elapsed + smoothed.milliseconds, segmentSize), window), window + window / 2)
        var growth = byteCount * (target - window) / window
        // W_est grows by alpha, 3 * (1 - 0.7) / (1 + 0.7) = 9 / 17 segments a window, and by 1 once it is past W_max.
        let gain = byteCount * segmentSize / window
        estimate = min(estimate + (estimate < origin ? gain * 9 / 17 : gain), Self.greatestWindow)
        if curve(at: elapsed, segmentSize) < estimate { growth = max(growth, estimate - window) }
        // No faster than slow start.
        window = min(window + min(growth, byteCount), Self.greatestWindow)
    }

    /// W_cubic(t) = C * (t - K)^3 + W_max
    private func curve(at milliseconds: Int64, _ segmentSize: Int) -> Int {
        let distance = min(max(milliseconds - growthMilliseconds, -200_000), 200_000)
        // C * segment * ms^3 / 10^9
        return origin + Int(distance * distance * distance / 1_000 * Int64(segmentSize) / 2_500_000)
    }

    /// A congestion event: the threshold is lowered, the window left to the recovery (RFC 9438 §4.6, §4.7).
    mutating func reduce(flight: Int, segmentSize: Int) {
        epoch = nil
        // Fast convergence: a flow that has less than it had before leaves room. 0.85 = (1 + 0.7) / 2
        lastMaximum = window < lastMaximum ? window * 17 / 20 : window
        threshold = max(min(window, max(flight, window / 2)) * 7 / 10, Self.leastSegmentCount * segmentSize)
    }

    /// After a pause of as many timeouts the path is known less and less (RFC 5681 §4.1, RFC 2861 §3.2).
    mutating func restart(timeouts: Int64, segmentSize: Int) {
        if threshold < Self.greatestWindow { threshold = max(threshold, window * 3 / 4) }
        let least = min(window, Self.initialWindow(segmentSize: segmentSize))
        window = max(window >> Int(min(timeouts, 30)), least)
        epoch = nil
    }

    static func cubicRoot(_ value: UInt64) -> Int64 {
        var root: UInt64 = 0
        // 2^63 < (2^21)^3
        for bit in stride(from: 21, through: 0, by: -1) {
            let next = root | 1 << UInt64(bit)
            if next * next * next <= value { root = next }
        }
        return Int64(root)
    }
}
