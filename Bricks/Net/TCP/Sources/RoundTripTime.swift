import Time

/// The estimator of RFC 6298, with the floor of Linux: a peer may delay an acknowledgment by 40 ms and more.
struct RoundTripTime: Sendable {
    /// Without a sample, RFC 6298 §2.1.
    static var initialTimeout: Nanoseconds { .seconds(1) }
    /// Below RFC 6298 §2.4, as all of today's stacks.
    static var leastVariance: Nanoseconds { .milliseconds(200) }
    /// RFC 6298 §2.5
    static var longestTimeout: Nanoseconds { .seconds(120) }
    /// A minimum is forgotten after this time: paths change.
    static var minimumLifetime: Nanoseconds { .seconds(300) }

    /// SRTT, zero before the first sample.
    var smoothed = Nanoseconds.zero
    /// RTTVAR
    var variation = Nanoseconds.zero
    /// The least of the last minutes; zero before the first sample.
    var minimum = Nanoseconds.zero
    var minimumTaken = Instant.start

    var hasSample: Bool { smoothed > .zero }

    mutating func add(_ measured: Nanoseconds, now: Instant) {
        let sample = min(max(measured, Nanoseconds(rawValue: 1_000)), Self.longestTimeout)
        if !hasSample || sample <= minimum || now - minimumTaken > Self.minimumLifetime {
            minimum = sample
            minimumTaken = now
        }
        guard hasSample else {
            smoothed = sample
            variation = sample / 2
            return
        }
        let error = sample > smoothed ? sample - smoothed : smoothed - sample
        variation = variation + (error - variation) / 4
        smoothed = smoothed + (sample - smoothed) / 8
    }

    /// RTO, before any backing off.
    var timeout: Nanoseconds {
        hasSample ? min(smoothed + max(Self.leastVariance, variation * 4), Self.longestTimeout) : Self.initialTimeout
    }
}
