import NetFormats
import Time

/// Recent acknowledgment: a range is lost when one that was sent after it, by more than the reordering window, has arrived
/// (RFC 8985).
struct RACK: Sendable {
    /// A window once widened stays so for as many recoveries (RFC 8985 §6.2 step 4, RACK.reo_wnd_persist).
    static var persistence: UInt8 { 16 }
    /// DupThresh, RFC 8985 §5.3.
    static var duplicateThreshold: Int { 3 }

    /// RACK.xmit_ts
    var transmitted = Instant.start
    /// RACK.end_seq
    var end = SequenceNumber(rawValue: 0)
    /// RACK.rtt
    var roundTripTime = Nanoseconds.zero
    /// RACK.fack: behind the highest byte known to have arrived.
    var highestDelivered = SequenceNumber(rawValue: 0)
    /// RACK.reordering_seen
    var hasSeenReordering = false
    /// RACK.reo_wnd_mult
    var windowMultiplier: UInt8 = 1
    /// RACK.reo_wnd_persist
    var windowPersistence = RACK.persistence
    /// RACK.dsack_round: RACK.windowMultiplier grows once a round trip.
    var duplicateRound: SequenceNumber?

    init(start: SequenceNumber) { highestDelivered = start }

    /// RACK_sent_after, the other way round.
    static func isSent(_ time: Instant, _ end: SequenceNumber, before otherTime: Instant, _ otherEnd: SequenceNumber) -> Bool {
        time < otherTime || time == otherTime && end < otherEnd
    }

    /// RFC 8985 §6.2 steps 2 and 3. `isEchoOlder`: the segment's timestamp echo is older than the latest range's retransmission, which
    /// therefore is not what was answered.
    mutating func update(_ delivery: Delivery, minimumRoundTripTime: Nanoseconds, now: Instant, isEchoOlder: (Instant) -> Bool) {
        if let lowest = delivery.lowestOriginalEnd, lowest < highestDelivered { hasSeenReordering = true }
        if let highest = delivery.highestEnd, highest > highestDelivered { highestDelivered = highest }
        guard let latest = delivery.latest else { return }
        let sample = now - latest.transmitted
        if latest.wasRetransmitted, isEchoOlder(latest.transmitted) || sample < minimumRoundTripTime { return }
        roundTripTime = sample
        if Self.isSent(transmitted, end, before: latest.transmitted, latest.end) {
            transmitted = latest.transmitted
            end = latest.end
        }
    }

    /// A report of a duplicate: the window was too small (RFC 8985 §6.2 step 4).
    mutating func noteDuplicate(acknowledged: SequenceNumber, sendNext: SequenceNumber) {
        if let round = duplicateRound, acknowledged < round { return }
        duplicateRound = sendNext
        if windowMultiplier < .max { windowMultiplier += 1 }
        windowPersistence = Self.persistence
    }

    mutating func noteRecoveryEnd() {
        if windowPersistence > 0 { windowPersistence -= 1 }
        if windowPersistence == 0 { windowMultiplier = 1 }
    }

    /// RACK_update_reo_wnd.
    func reorderingWindow(isRecovering: Bool, sackedSegmentCount: Int, roundTrip: RoundTripTime) -> Nanoseconds {
        if !hasSeenReordering, isRecovering || sackedSegmentCount >= Self.duplicateThreshold { return .zero }
        return min(roundTrip.minimum * Int64(windowMultiplier) / 4, roundTrip.smoothed)
    }
}
