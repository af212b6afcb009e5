import NetFormats
import Time

/// Dynamic right-sizing: what is read in a round trip, twice over, is what the window must hold.
struct WindowTuning: Sendable {
    var roundStart: Instant
    /// Read since then.
    var readByteCount = 0
    /// The most that was read in a round trip.
    var greatestByteCount = 0

    init(now: Instant) { roundStart = now }
}

extension TCPControlBlock {
    /// Grows the receive limit if the application keeps up with the peer.
    mutating func tune(now: Instant) {
        let round = max(roundTrip.smoothed, .milliseconds(1))
        guard now - tuning.roundStart >= round else { return }
        let read = tuning.readByteCount
        tuning.roundStart = now
        tuning.readByteCount = 0
        guard read > tuning.greatestByteCount else { return }
        // A sender in slow start doubles: room for the next round, and for the one after it.
        let growth = tuning.greatestByteCount == 0 ? 0 : read - tuning.greatestByteCount
        tuning.greatestByteCount = read
        let target = 2 * (read + 2 * growth) + 16 * receivedSegmentSize
        receiveLimit = max(receiveLimit, min(target, configuration.receiveBufferLimit))
    }

    /// Bytes that may be announced: the last step of the scale is kept free, so that rounding up cannot exceed the limit.
    private var freeByteCount: Int { max(0, receiveLimit - receiveBuffer.readableByteCount - (1 << Int(receiveScale)) + 1) }

    /// Moves the window's end as far as is not silly (RFC 9293 §3.8.6.2.2), and returns the field for a header.
    mutating func announceWindow(isScaled: Bool) -> UInt16 {
        let scale = isScaled ? Int(receiveScale) : 0
        let current = receiveWindowEnd - receiveNext
        let free = min(freeByteCount >> scale, 0xffff) << scale
        if free - current >= min(receiveLimit / 2, receivedSegmentSize) { receiveWindowEnd = receiveNext + free }
        let units = min((max(receiveWindowEnd - receiveNext, 0) + (1 << scale) - 1) >> scale, 0xffff)
        if units << scale > receiveWindowEnd - receiveNext { receiveWindowEnd = receiveNext + units << scale }
        return UInt16(units)
    }

    /// After a read: the peer is told if its window was small and is large again.
    mutating func noteRead(_ byteCount: Int) {
        tuning.readByteCount += byteCount
        guard state.canReceive else { return }
        let current = receiveWindowEnd - receiveNext
        let free = freeByteCount
        if current * 2 <= receiveLimit, free >= max(2 * current, min(receiveLimit / 2, receivedSegmentSize)) {
            owed.insert(.acknowledgment)
        }
    }
}
