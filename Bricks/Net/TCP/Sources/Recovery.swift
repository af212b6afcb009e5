import NetFormats
import Time

/// Where loss recovery is.
enum Recovery: Sendable {
    case open
    case fast(FastRecovery)
    case loss(LossRecovery)

    /// Between the detection of a loss and its repair without a timeout (RFC 6675 §5, RFC 6937).
    struct FastRecovery: Sendable {
        /// RecoveryPoint
        var end: SequenceNumber
        var reduction: RateReduction
    }

    /// After a retransmission timeout, in slow start (RFC 6298 §5).
    struct LossRecovery: Sendable {
        var end: SequenceNumber
    }

    var isOpen: Bool {
        switch self {
        case .open: true
        case .fast, .loss: false
        }
    }

    var isLoss: Bool {
        switch self {
        case .loss: true
        case .open, .fast: false
        }
    }
}

/// What is taken back when a loss was none.
struct Undo: Sendable {
    var window: Int
    var threshold: Int
    var lastMaximum: Int
    /// TSval of the first retransmission; an answer with an older echo answers the original (Eifel, RFC 3522 §3.2).
    var firstTimestamp: UInt32?
    /// Retransmitted, and not yet reported as a duplicate (RFC 3708 §3).
    var unreportedByteCount = 0
}

/// A tail loss probe that has no answer yet (RFC 8985 §7).
struct TailProbe: Sendable {
    /// TLP.end_seq
    var end: SequenceNumber
    /// TLP.is_retrans
    var isRetransmission: Bool
}

extension TCPControlBlock {
    /// Takes what RACK finds for lost, and begins a recovery if there is one to begin. Returns whether anything was.
    mutating func detectLosses(pipeBefore: Int, now: Instant) -> Bool {
        let window = rack.reorderingWindow(
            isRecovering: !recovery.isOpen, sackedSegmentCount: sackedSegmentCount, roundTrip: roundTrip)
        let (lost, wait) = sentRanges.detectLosses(rack, window: window, now: now)
        deadlines.reorder = wait.map { now + $0 } ?? .distantFuture
        guard lost > 0 else { return false }
        if recovery.isOpen { beginRecovery(flight: pipeBefore) }
        return true
    }

    mutating func beginRecovery(flight: Int) {
        remember()
        statistics.recoveries &+= 1
        cubic.reduce(flight: isWindowLimited ? cubic.window : flight, segmentSize: segmentSize)
        recovery = .fast(Recovery.FastRecovery(end: sendNext, reduction: RateReduction(flight: max(flight, 1))))
        tailProbe = nil
        deadlines.tailProbe = .distantFuture
    }

    /// Keeps what a spurious recovery takes back.
    private mutating func remember() {
        undo = Undo(window: cubic.window, threshold: cubic.threshold, lastMaximum: cubic.lastMaximum)
    }

    /// RFC 6298 §5.4 to §5.6, RFC 8985 §6.3.
    mutating func retransmissionTimedOut(now: Instant, _ events: inout TCPEvents) {
        if retransmissionCount >= configuration.retransmissionLimit || hasRunOutOfTime(now) { return fail(.timedOut, &events) }
        retransmissionCount += 1
        statistics.timeouts &+= 1
        // A reported first byte that is not acknowledged: the peer has dropped it (RFC 2018 §8).
        if !sentRanges.isEmpty, sentRanges[0].fate == .sacked {
            sentRanges.forgetSacks()
            sackedSegmentCount = 0
        }
        if !recovery.isLoss {
            if recovery.isOpen { remember() }
            cubic.reduce(flight: pipe, segmentSize: segmentSize)
        }
        let patience = rack.roundTripTime + rack.reorderingWindow(isRecovering: true, sackedSegmentCount: 0, roundTrip: roundTrip)
        sentRanges.loseAll { roundTrip.hasSample && now - $0.transmitted < patience }
        recovery = .loss(Recovery.LossRecovery(end: sendNext))
        // LW is one segment, RFC 5681 §3.1.
        cubic.window = pipe + segmentSize
        duplicateAcknowledgmentCount = 0
        tailProbe = nil
        deadlines.tailProbe = .distantFuture
        deadlines.reorder = .distantFuture
        if backoff < .max { backoff += 1 }
        armRetransmission(now: now)
    }

    func hasRunOutOfTime(_ now: Instant) -> Bool { configuration.userTime.map { now - lastProgress >= $0 } ?? false }

    /// Starts the timer anew (RFC 6298 §5.1, §5.3).
    mutating func armRetransmission(now: Instant) {
        var deadline = now + roundTrip.timeout.doubled(Int(backoff), limit: RoundTripTime.longestTimeout)
        if let limit = configuration.userTime { deadline = min(deadline, max(now, lastProgress + limit)) }
        deadlines.retransmit = deadline
    }

    /// RFC 8985 §7.2: only where nothing else would find a loss at the end.
    mutating func armTailProbe(now: Instant) {
        guard features.contains(.sack), recovery.isOpen, tailProbe == nil, sentRanges.isClean, !sentRanges.isEmpty, roundTrip.hasSample
        else {
            deadlines.tailProbe = .distantFuture
            return
        }
        var wait = roundTrip.smoothed * 2
        // A peer that has one segment to answer may take its time: WCDelAckT.
        wait = wait + (sendNext - sendUnacknowledged <= segmentSize ? .milliseconds(200) : .milliseconds(2))
        deadlines.tailProbe = min(now + wait, deadlines.retransmit)
    }

    /// RFC 8985 §7.3: the probe goes out instead of the retransmission, whose time begins anew.
    mutating func tailProbeTimedOut(now: Instant) {
        deadlines.tailProbe = .distantFuture
        guard recovery.isOpen, !sentRanges.isEmpty else { return }
        owed.insert(.tailProbe)
    }

    // MARK: On an acknowledgment

    /// What an acknowledgment means for probes, recovery and the window. `advance` is how far SND.UNA moved.
    mutating func recover(_ header: TCPHeader, _ delivery: Delivery, advance: Int, pipeBefore: Int, isDuplicate: Bool, now: Instant) {
        noteTailProbe(header, advance: advance, reportsDuplicate: isDuplicate)
        if sentRanges.sackedByteCount == 0 {
            sackedSegmentCount = 0
        } else if delivery.sackedByteCount > 0 {
            sackedSegmentCount += max(1, delivery.sackedByteCount / segmentSize)
        }
        if advance > 0, isSpurious(header, isDuplicate: isDuplicate) { takeBack() }
        var hasLost = false
        if features.contains(.sack) {
            if !sentRanges.isClean || !recovery.isOpen { hasLost = detectLosses(pipeBefore: pipeBefore, now: now) }
        } else {
            hasLost = countDuplicates(header, advance: advance, pipeBefore: pipeBefore)
        }
        switch recovery {
        case .open:
            if advance > 0 { grow(advance, header, delivery, pipeBefore: pipeBefore, now: now) }
        case .fast(var fast):
            if sendUnacknowledged >= fast.end {
                // RFC 6937 §3, at the end of recovery.
                cubic.window = cubic.threshold
                endRecovery()
            } else {
                cubic.window = fast.reduction.window(
                    delivered: delivery.byteCount, pipe: pipe, threshold: cubic.threshold, segmentSize: segmentSize,
                    isSafe: advance > 0 && !hasLost)
                recovery = .fast(fast)
            }
        case .loss(let loss):
            if sendUnacknowledged >= loss.end {
                endRecovery()
            } else if advance > 0 {
                isWindowLimited = true
                grow(advance, header, delivery, pipeBefore: pipeBefore, now: now)
            }
        }
    }

    private mutating func endRecovery() {
        recovery = .open
        undo = nil
        rack.noteRecoveryEnd()
        duplicateAcknowledgmentCount = 0
    }

    private mutating func grow(_ byteCount: Int, _ header: TCPHeader, _ delivery: Delivery, pipeBefore: Int, now: Instant) {
        // A window that is not used says nothing about the path.
        guard isWindowLimited || cubic.isSlowStart && cubic.window < 2 * pipeBefore else { return }
        cubic.acknowledge(
            byteCount, upTo: header.acknowledgmentNumber, sendNext: sendNext, segmentSize: segmentSize,
            sample: delivery.latestOriginal.map { now - $0 }, smoothed: roundTrip.smoothed, now: now)
    }

    /// RFC 8985 §7.4.2
    private mutating func noteTailProbe(_ header: TCPHeader, advance: Int, reportsDuplicate: Bool) {
        guard let probe = tailProbe, header.acknowledgmentNumber >= probe.end else { return }
        if !probe.isRetransmission || reportsDuplicate {
            tailProbe = nil
        } else if header.acknowledgmentNumber > probe.end || advance > 0 {
            // The probe repaired a loss that nobody saw: the window answers for it as for any other.
            tailProbe = nil
            guard recovery.isOpen, reportsLossRepair(header, probe) else { return }
            cubic.reduce(flight: cubic.window, segmentSize: segmentSize)
            cubic.window = cubic.threshold
        }
    }

    /// False while the original may have been what was acknowledged and the duplicate's report is still to come.
    private func reportsLossRepair(_ header: TCPHeader, _ probe: TailProbe) -> Bool {
        guard let undo, let first = undo.firstTimestamp, let timestamps = header.options.timestamps else { return true }
        return Int32(bitPattern: timestamps.echo &- first) >= 0
    }

    /// Eifel detection (RFC 3522 §3.2), or every retransmission reported as a duplicate (RFC 3708).
    private func isSpurious(_ header: TCPHeader, isDuplicate: Bool) -> Bool {
        guard !recovery.isOpen, let undo else { return false }
        guard let first = undo.firstTimestamp else { return sentRanges.lostByteCount == 0 }
        if isDuplicate, undo.unreportedByteCount <= 0 { return true }
        guard features.contains(.timestamps), let timestamps = header.options.timestamps else { return false }
        return Int32(bitPattern: timestamps.echo &- first) < 0
    }

    private mutating func takeBack() {
        guard let undo else { return }
        statistics.spuriousRecoveries &+= 1
        cubic.window = max(cubic.window, undo.window)
        cubic.threshold = undo.threshold
        cubic.lastMaximum = undo.lastMaximum
        sentRanges.forgetLosses()
        backoff = 0
        endRecovery()
    }

    /// NewReno for a peer that does not report (RFC 6582).
    private mutating func countDuplicates(_ header: TCPHeader, advance: Int, pipeBefore: Int) -> Bool {
        if advance > 0 {
            duplicateAcknowledgmentCount = 0
            // A partial acknowledgment: the next one is lost too.
            guard case .fast(let fast) = recovery, sendUnacknowledged < fast.end else { return false }
            return sentRanges.loseFirst(segmentSize) > 0
        }
        guard !sentRanges.isEmpty else { return false }
        duplicateAcknowledgmentCount += 1
        guard duplicateAcknowledgmentCount == RACK.duplicateThreshold, recovery.isOpen else { return false }
        beginRecovery(flight: pipeBefore)
        return sentRanges.loseFirst(segmentSize) > 0
    }
}
