import NetFormats

/// Leaves slow start when round trips grow longer, before anything is lost (HyStart++, RFC 9406 §4.2, §4.3).
struct HyStart: Sendable {
    enum Advice { case grow, growSlowly, leave }

    /// N_RTT_SAMPLE
    static var sampleCount: UInt8 { 8 }
    /// CSS_GROWTH_DIVISOR
    static var growthDivisor: Int { 4 }
    /// CSS_ROUNDS
    static var cautiousRounds: UInt8 { 5 }
    /// MIN_RTT_THRESH, MAX_RTT_THRESH, MIN_RTT_DIVISOR
    static var leastThreshold: Nanoseconds { .milliseconds(4) }
    static var greatestThreshold: Nanoseconds { .milliseconds(16) }
    static var thresholdDivisor: Int64 { 8 }

    var roundEnd: SequenceNumber
    var lastRoundMinimum = Nanoseconds.longest
    var roundMinimum = Nanoseconds.longest
    var samples: UInt8 = 0
    /// What made slow start cautious (CSS); nil while it is not.
    var baseline: Nanoseconds?
    var rounds: UInt8 = 0

    init(start: SequenceNumber) { roundEnd = start }

    mutating func acknowledge(upTo sequence: SequenceNumber, sendNext: SequenceNumber, sample: Nanoseconds?) -> Advice {
        if sequence > roundEnd {
            lastRoundMinimum = roundMinimum
            roundMinimum = .longest
            samples = 0
            roundEnd = sendNext
            if baseline != nil {
                rounds += 1
                if rounds >= Self.cautiousRounds { return .leave }
            }
        }
        if let sample {
            roundMinimum = min(roundMinimum, sample)
            if samples < .max { samples += 1 }
        }
        if let baseline {
            if samples >= Self.sampleCount, roundMinimum < baseline { self.baseline = nil }
        } else if samples >= Self.sampleCount, roundMinimum < .longest, lastRoundMinimum < .longest {
            let threshold = min(max(lastRoundMinimum / Self.thresholdDivisor, Self.leastThreshold), Self.greatestThreshold)
            if roundMinimum >= lastRoundMinimum + threshold {
                baseline = roundMinimum
                rounds = 0
            }
        }
        return baseline == nil ? .grow : .growSlowly
    }
}
