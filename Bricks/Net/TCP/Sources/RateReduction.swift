/// Spreads what may be sent during a recovery over the acknowledgments that come in (PRR, RFC 6937 §3).
struct RateReduction: Sendable {
    /// RecoverFS
    var flight: Int
    /// prr_delivered
    var delivered = 0
    /// prr_out
    var sent = 0

    /// The window after an acknowledgment that delivered `byteCount`. `isSafe`: SND.UNA moved and nothing more was lost.
    mutating func window(
        delivered byteCount: Int, pipe: Int, threshold: Int, segmentSize: Int, isSafe: Bool
    ) -> Int {
        delivered += byteCount
        var count: Int
        if pipe > threshold {
            count = (delivered * threshold + flight - 1) / flight - sent
        } else {
            var limit = max(delivered - sent, 0)
            if isSafe { limit = max(limit, byteCount) + segmentSize }
            count = min(threshold - pipe, limit)
        }
        // The first retransmission is not held back.
        if sent == 0 { count = max(count, segmentSize) }
        return max(pipe + max(count, 0), segmentSize)
    }
}
