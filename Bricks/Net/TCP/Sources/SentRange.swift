import NetFormats
import Time

/// Neighbouring bytes that were sent at one time and have had one fate since.
struct SentRange: Sendable {
    enum Fate: UInt8 {
        /// Sent once, and nothing heard.
        case inFlight
        /// The peer reports it (RFC 2018).
        case sacked
        /// To be sent again.
        case lost
        /// Sent again after it was lost, and nothing heard.
        case retransmitted
    }

    var start: SequenceNumber
    /// Behind the last.
    var end: SequenceNumber
    /// The last time that it was sent.
    var transmitted: Instant
    var fate = Fate.inFlight
    /// Sent more than once at some time: what answers it cannot be told (Karn's algorithm, RFC 6298 §3).
    var wasRetransmitted = false

    var byteCount: Int { end - start }
    var isOutstanding: Bool { fate == .inFlight || fate == .retransmitted }
}

/// What one acknowledgment reports as newly delivered, gathered range by range for RACK, the round-trip time and PRR.
struct Delivery: Sendable {
    /// Newly acknowledged or newly reported.
    var byteCount = 0
    /// Of these, reported by SACK.
    var sackedByteCount = 0
    /// The latest sent range that was never sent twice, for a round-trip time.
    var latestOriginal: Instant?
    /// The end of the highest such range; a lower one than was delivered before is reordering.
    var lowestOriginalEnd: SequenceNumber?
    /// The latest sent range of all: RACK's (RFC 8985 §6.2 step 2).
    var latest: SentRange?
    var highestEnd: SequenceNumber?
    var includesRetransmitted = false

    mutating func add(_ range: SentRange) {
        byteCount += range.byteCount
        if highestEnd.map({ range.end > $0 }) ?? true { highestEnd = range.end }
        if range.wasRetransmitted {
            includesRetransmitted = true
        } else {
            if latestOriginal.map({ range.transmitted > $0 }) ?? true { latestOriginal = range.transmitted }
            if lowestOriginalEnd.map({ range.end < $0 }) ?? true { lowestOriginalEnd = range.end }
        }
        if let latest, !RACK.isSent(latest.transmitted, latest.end, before: range.transmitted, range.end) { return }
        latest = range
    }
}
