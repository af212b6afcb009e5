import NetFormats
import Time

/// One connection as a value (RFC 9293): segments, reads, writes and the time go in; segments, events and a deadline come out.
///
/// The owner calls `handle` for each segment, `tick` at `nextDeadline`, and after every call of any kind `nextTransmission` until
/// it has nothing more to send.
public struct TCPControlBlock: Sendable {
    public internal(set) var local: SocketAddress
    public internal(set) var remote: SocketAddress
    public internal(set) var state: State
    var configuration: Configuration

    // MARK: What the handshake settled
    var features: Features = []
    /// Snd.Wind.Shift and Rcv.Wind.Shift, RFC 7323 §2.3.
    var sendScale: UInt8 = 0
    var receiveScale: UInt8 = 0
    /// SendMSS, RFC 9293 §3.7.1, without options.
    var peerSegmentSize = TCPControlBlock.defaultSegmentSize
    var pathSegmentSize: Int
    var timestampOffset: UInt32

    // MARK: Sending
    /// ISS
    var initialSendSequence: SequenceNumber
    /// SND.UNA
    var sendUnacknowledged: SequenceNumber
    /// SND.NXT
    var sendNext: SequenceNumber
    /// SND.WND
    var sendWindow = 0
    /// The largest ever seen: Max(SND.WND), RFC 9293 §3.8.6.2.1.
    var greatestSendWindow = 0
    /// SND.WL1
    var windowSequence: SequenceNumber
    /// SND.WL2
    var windowAcknowledgment: SequenceNumber
    /// Where the ring begins: SND.UNA, but for SYN and FIN, which are not in it.
    var dataStart: SequenceNumber
    var sendRing = RingBuffer()
    var sendByteCount = 0
    var sentRanges = SentRanges()
    /// Behind the last segment that was not full (Minshall's form of Nagle's algorithm).
    var smallSegmentEnd: SequenceNumber
    var lastSent: Instant
    /// When SND.UNA moved, or the first byte after a pause was sent.
    var lastProgress: Instant
    /// A `write` took less than it was given.
    var isWriteBlocked = false

    // MARK: Congestion and loss
    var cubic: Cubic
    /// The window, not the application, limits what is sent (RFC 7661 §4.3).
    var isWindowLimited = false
    var roundTrip = RoundTripTime()
    var rack: RACK
    var recovery = Recovery.open
    var undo: Undo?
    var tailProbe: TailProbe?
    /// How many segments the reports since the last clean state stand for.
    var sackedSegmentCount = 0
    /// Of a peer that does not report.
    var duplicateAcknowledgmentCount = 0

    // MARK: Receiving
    /// IRS
    var initialReceiveSequence = SequenceNumber(rawValue: 0)
    /// RCV.NXT
    var receiveNext = SequenceNumber(rawValue: 0)
    /// RCV.NXT + RCV.WND as announced: it never moves back (RFC 9293 §3.8.6.2.2).
    var receiveWindowEnd = SequenceNumber(rawValue: 0)
    /// Last.ACK.sent, RFC 7323 §4.3.
    var lastAcknowledgmentSent = SequenceNumber(rawValue: 0)
    var receiveBuffer = ReceiveBuffer()
    /// What may wait to be read at present, below the configured limit.
    var receiveLimit: Int
    var tuning: WindowTuning
    /// Of a FIN that arrived, perhaps before what precedes it.
    var receivedFin: SequenceNumber?
    var duplicate: SACKBlock?
    /// TS.Recent, and when it was set.
    var recentTimestamp: UInt32 = 0
    var recentTimestampTaken: Instant
    var lastReceived: Instant
    /// How many of the next segments are acknowledged at once: the peer is in slow start.
    var quickAcknowledgmentCount: UInt8 = 16
    /// The largest payload of late, a guess at the peer's segment size.
    var receivedSegmentSize = TCPControlBlock.defaultSegmentSize
    /// `close` was called: data that arrives has no reader.
    var isUnread = false

    // MARK: What is to be done, and when
    var owed: Owed = []
    /// A RST with this sequence number, and nothing else, answers a segment that belongs to another connection.
    var strayReset: SequenceNumber?
    var deadlines = Deadlines()
    /// Doublings of the timeout (RFC 6298 §5.5).
    var backoff: UInt8 = 0
    var retransmissionCount: UInt8 = 0
    var unansweredProbeCount: UInt8 = 0
    var challenges: ChallengeBudget
    public internal(set) var statistics = TCPStatistics()

    /// If the peer says nothing, RFC 9293 §3.7.1; IPv6's larger one is only a default too.
    static var defaultSegmentSize: Int { 536 }
    static var leastSegmentSize: Int { 64 }
    /// A receive window begins with this, if the limit allows.
    static var initialReceiveLimit: Int { 128 << 10 }
    /// RFC 7323 §2.3
    static var greatestScale: UInt8 { 14 }
    /// What a send buffer may hold before the congestion window asks for more.
    static var initialSendLimit: Int { 64 << 10 }
    /// Buffers without a byte give their memory back after this time.
    static var releaseDelay: Nanoseconds { .seconds(1) }

    init(
        state: State, local: SocketAddress, remote: SocketAddress, sequence: SequenceNumber, timestampOffset: UInt32,
        configuration: Configuration, now: Instant
    ) {
        self.state = state
        self.local = local
        self.remote = remote
        self.configuration = configuration
        self.timestampOffset = timestampOffset
        pathSegmentSize = min(max(configuration.maximumSegmentSize, Self.leastSegmentSize), 0xffff)
        initialSendSequence = sequence
        sendUnacknowledged = sequence
        sendNext = sequence
        windowSequence = sequence
        windowAcknowledgment = sequence
        dataStart = sequence + 1
        smallSegmentEnd = sequence
        lastSent = now
        lastProgress = now
        lastReceived = now
        recentTimestampTaken = now
        cubic = Cubic(segmentSize: Self.defaultSegmentSize, start: sequence)
        rack = RACK(start: sequence)
        receiveLimit = min(configuration.receiveBufferLimit, Self.initialReceiveLimit)
        tuning = WindowTuning(now: now)
        challenges = ChallengeBudget(now: now)
    }
}

extension TCPControlBlock {
    /// Options that both ends have.
    struct Features: OptionSet, Sendable {
        var rawValue: UInt8
        static var timestamps: Features { Features(rawValue: 1) }
        static var sack: Features { Features(rawValue: 2) }
        static var windowScale: Features { Features(rawValue: 4) }
    }

    /// What the next transmissions must be.
    struct Owed: OptionSet, Sendable {
        var rawValue: UInt8
        static var acknowledgment: Owed { Owed(rawValue: 1) }
        static var syn: Owed { Owed(rawValue: 2) }
        static var reset: Owed { Owed(rawValue: 4) }
        /// A segment that the peer must answer: keep-alive, zero window.
        static var probe: Owed { Owed(rawValue: 8) }
        /// The last bytes again, or new ones beyond the window (RFC 8985 §7.3).
        static var tailProbe: Owed { Owed(rawValue: 16) }
        /// A segment that is not full although that is silly: the timer has run out (RFC 9293 §3.8.6.2.1).
        static var smallSegment: Owed { Owed(rawValue: 32) }
    }

    /// Each is `distantFuture` when it is not set.
    struct Deadlines: Sendable {
        /// RFC 6298 §5
        var retransmit = Instant.distantFuture
        /// RFC 9293 §3.8.6.1
        var persist = Instant.distantFuture
        /// PTO, RFC 8985 §7.2
        var tailProbe = Instant.distantFuture
        /// RFC 8985 §6.2 step 5
        var reorder = Instant.distantFuture
        var acknowledge = Instant.distantFuture
        var keepAlive = Instant.distantFuture
        /// Of FIN-WAIT-2 without a reader.
        var orphan = Instant.distantFuture
        var release = Instant.distantFuture

        var first: Instant {
            min(min(min(retransmit, persist), min(tailProbe, reorder)), min(min(acknowledge, keepAlive), min(orphan, release)))
        }
    }

    /// How many answers to segments that should not be there are allowed (RFC 5961 §7).
    struct ChallengeBudget: Sendable {
        static var count: UInt8 { 10 }
        static var period: Nanoseconds { .seconds(1) }

        var start: Instant
        var remaining = ChallengeBudget.count

        init(now: Instant) { start = now }

        mutating func take(now: Instant) -> Bool {
            if now - start >= Self.period {
                start = now
                remaining = Self.count
            }
            guard remaining > 0 else { return false }
            remaining -= 1
            return true
        }
    }
}

extension TCPControlBlock {
    /// Why the connection ended before its time; nil if it has not, or ended in order.
    public var failure: TCPFailure? {
        switch state {
        case .closed(let closed): closed.failure
        case .synSent, .synReceived, .established, .finWait1, .finWait2, .closeWait, .closing, .lastAck, .timeWait: nil
        }
    }

    public var isClosed: Bool {
        switch state {
        case .closed: true
        case .synSent, .synReceived, .established, .finWait1, .finWait2, .closeWait, .closing, .lastAck, .timeWait: false
        }
    }

    public var isTimeWait: Bool {
        switch state {
        case .timeWait: true
        case .synSent, .synReceived, .established, .finWait1, .finWait2, .closeWait, .closing, .lastAck, .closed: false
        }
    }

    /// The peer has sent its FIN, and everything before it has been read.
    public var isEndOfStream: Bool { hasReceivedFin && receiveBuffer.readableByteCount == 0 }

    /// The peer's FIN has arrived in order.
    var hasReceivedFin: Bool { receivedFin.map { receiveNext > $0 } ?? false }

    /// Payload bytes of a full segment: RFC 9293 §3.7.1, Eff.snd.MSS, without SACK blocks.
    public var segmentSize: Int {
        max(min(peerSegmentSize, pathSegmentSize) - (features.contains(.timestamps) ? 12 : 0), Self.leastSegmentSize - 12)
    }

    /// Behind the last byte that was written.
    var dataEnd: SequenceNumber { dataStart + sendByteCount }

    /// Bytes sent and neither acknowledged, reported nor lost (RFC 6675 §4, pipe).
    var pipe: Int { max(0, sendNext - sendUnacknowledged - sentRanges.sackedByteCount - sentRanges.lostByteCount) }

    /// TSval, in milliseconds (RFC 7323 §5.4).
    func timestamp(at now: Instant) -> UInt32 { timestampOffset &+ UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000) }

    /// The smoothed round-trip time, nil before the first sample.
    public var roundTripTime: Duration? { roundTrip.hasSample ? .nanoseconds(roundTrip.smoothed.rawValue) : nil }

    /// cwnd
    public var congestionWindow: Int { cubic.window }

    /// Bytes of memory behind this value.
    public var bufferedCapacity: Int { sendRing.capacity + receiveBuffer.ring.capacity }
}
