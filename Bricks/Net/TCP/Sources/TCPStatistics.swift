import NetFormats
import Time

/// What has happened to one connection.
public struct TCPStatistics: Equatable, Sendable {
    public var retransmittedSegments: UInt32 = 0
    /// Retransmission timers that ran out.
    public var timeouts: UInt32 = 0
    /// Losses that were found without one.
    public var recoveries: UInt32 = 0
    /// Recoveries and time-outs that turned out to be needless.
    public var spuriousRecoveries: UInt32 = 0
    public var tailProbes: UInt32 = 0

    public init() {}
}

extension TCPControlBlock {
    /// What the parts of the state must agree on, for tests; nil if they do.
    public var inconsistency: String? {
        if sendUnacknowledged > sendNext { return "SND.UNA is beyond SND.NXT" }
        if sendNext > dataEnd + (state.isFinQueued ? 1 : 0), !isClosed, !isTimeWait { return "SND.NXT is beyond what was written" }
        if state.isSynchronized, !isTimeWait {
            // Between them are the SYN, before it is acknowledged, and the FIN, after it is.
            let distance = dataStart - sendUnacknowledged
            if distance != 0, distance != -1 || !state.isFinQueued || sendByteCount > 0 { return "send buffer begins elsewhere" }
        }
        if sendByteCount > sendRing.capacity { return "send buffer holds more than it can" }
        if receiveBuffer.readableByteCount > receiveBuffer.ring.capacity { return "receive buffer holds more than it can" }
        if receiveWindowEnd < receiveNext, state.isSynchronized { return "receive window ends before RCV.NXT" }
        if cubic.window < 1 { return "congestion window is empty" }
        if !sentRanges.isEmpty, deadlines.retransmit == .distantFuture, state.isSynchronized { return "no timer for what is in flight" }
        return inconsistencyOfRanges ?? inconsistencyOfIslands
    }

    private var inconsistencyOfRanges: String? {
        guard state.isSynchronized, !isTimeWait else { return nil }
        var place = sendUnacknowledged
        var sacked = 0, lost = 0
        for index in 0..<sentRanges.count {
            let range = sentRanges[index]
            if range.start != place || range.byteCount <= 0 { return "sent ranges have a gap" }
            place = range.end
            if range.fate == .sacked { sacked += range.byteCount }
            if range.fate == .lost { lost += range.byteCount }
        }
        if place != sendNext { return "sent ranges do not end at SND.NXT" }
        if sacked != sentRanges.sackedByteCount || lost != sentRanges.lostByteCount { return "sums of the sent ranges are wrong" }
        return nil
    }

    private var inconsistencyOfIslands: String? {
        var place = receiveNext
        for island in receiveBuffer.islands {
            if island.start <= place || island.end <= island.start { return "islands are out of order" }
            place = island.end
        }
        if place > receiveWindowEnd, !receiveBuffer.islands.isEmpty { return "an island lies outside the window" }
        if receiveBuffer.islands.count > ReceiveBuffer.islandLimit { return "too many islands" }
        return nil
    }
}
