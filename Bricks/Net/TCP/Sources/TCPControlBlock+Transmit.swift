import NetFormats
import Time

extension TCPControlBlock {
    /// Whether `nextTransmission` may have something; false is certain.
    var hasSomethingToSend: Bool {
        !owed.isEmpty || strayReset != nil || sentRanges.lostByteCount > 0 || sendNext < dataEnd || state.isFinQueued && sendNext == dataEnd
    }

    /// What is to be sent next; nil if there is nothing, or nothing may be sent now. It counts as sent.
    ///
    /// `maximumByteCount` of payload; above one segment it allows a super-segment, which the link cuts.
    public mutating func nextTransmission(now: Instant, maximumByteCount: Int) -> TCPTransmission? {
        if let sequence = strayReset {
            strayReset = nil
            return bare(TCPHeader(sourcePort: local.port, destinationPort: remote.port, sequenceNumber: sequence, flags: .rst))
        }
        if owed.contains(.reset) {
            owed = []
            var header = makeHeader([.rst, .ack], at: sendNext, now: now)
            header.options = TCPOptions()
            return bare(header)
        }
        switch state {
        case .closed: return bareAcknowledgment(now: now)
        case .synSent: return openingTransmission([.syn], now: now)
        case .synReceived: return openingTransmission([.syn, .ack], now: now) ?? bareAcknowledgment(now: now)
        case .finWait2, .timeWait: return probe(now: now) ?? bareAcknowledgment(now: now)
        case .established, .finWait1, .closeWait, .closing, .lastAck:
            let limit = max(maximumByteCount, segmentSize)
            return retransmission(now: now, limit: limit) ?? tailTransmission(now: now) ?? newTransmission(now: now, limit: limit)
                ?? probe(now: now) ?? bareAcknowledgment(now: now)
        }
    }

    /// Shows the payload of what `nextTransmission` has just returned.
    public func withPayload<Result>(of transmission: TCPTransmission, _ body: (RawSpan, RawSpan) -> Result) -> Result {
        payload(of: transmission).withBytes(body)
    }

    /// The link had no room for what `nextTransmission` has just returned: it comes again. `nextDeadline` is a moment later; the
    /// owner may ask earlier if it knows that there is room.
    public mutating func withdraw(_ transmission: TCPTransmission, now: Instant) {
        let header = transmission.header
        if header.flags.contains(.rst) { return }
        deadlines.acknowledge = now + .milliseconds(1)
        if header.flags.contains(.syn) { return owed.formUnion(.syn) }
        owed.insert(.acknowledgment)
        let count = transmission.byteCount + (header.flags.contains(.fin) ? 1 : 0)
        guard count > 0 else { return }
        if case .fast(var fast) = recovery {
            fast.reduction.sent = max(0, fast.reduction.sent - count)
            recovery = .fast(fast)
        }
        let end = header.sequenceNumber + count
        if end == sendNext, let last = sentRanges.last, last.fate == .inFlight, last.start <= header.sequenceNumber {
            sentRanges.removeLast(from: header.sequenceNumber)
            sendNext = header.sequenceNumber
            tailProbe = nil
            if sentRanges.isEmpty {
                deadlines.retransmit = .distantFuture
                deadlines.tailProbe = .distantFuture
            }
        } else {
            sentRanges.markLost(from: header.sequenceNumber, to: end)
        }
    }

    // MARK: Without payload

    private func bare(_ header: TCPHeader) -> TCPTransmission {
        TCPTransmission(header: header, byteCount: 0, segmentSize: segmentSize)
    }

    private mutating func openingTransmission(_ flags: TCPFlags, now: Instant) -> TCPTransmission? {
        guard owed.contains(.syn) else { return nil }
        owed.subtract([.syn, .acknowledgment])
        lastSent = now
        var header = TCPHeader(
            sourcePort: local.port, destinationPort: remote.port, sequenceNumber: initialSendSequence,
            acknowledgmentNumber: receiveNext, flags: flags, window: announceWindow(isScaled: false))
        header.options.maximumSegmentSize = UInt16(clamping: configuration.maximumSegmentSize)
        header.options.isSACKPermitted = features.contains(.sack)
        if features.contains(.windowScale) { header.options.windowScale = receiveScale }
        if features.contains(.timestamps) {
            header.options.timestamps = TCPTimestamps(value: timestamp(at: now), echo: flags.contains(.ack) ? recentTimestamp : 0)
        }
        return bare(header)
    }

    private mutating func bareAcknowledgment(now: Instant) -> TCPTransmission? {
        guard owed.contains(.acknowledgment) else { return nil }
        if quickAcknowledgmentCount > 0 { quickAcknowledgmentCount -= 1 }
        return bare(makeHeader(.ack, at: sendNext, now: now))
    }

    /// An acknowledgment that is out of the peer's window, so that it must be answered (RFC 9293 §3.8.4).
    private mutating func probe(now: Instant) -> TCPTransmission? {
        guard owed.contains(.probe) else { return nil }
        owed.remove(.probe)
        return bare(makeHeader(.ack, at: sendUnacknowledged - 1, now: now))
    }

    /// A header that acknowledges everything; nothing of that kind is owed afterwards.
    private mutating func makeHeader(_ flags: TCPFlags, at sequence: SequenceNumber, now: Instant) -> TCPHeader {
        var header = TCPHeader(
            sourcePort: local.port, destinationPort: remote.port, sequenceNumber: sequence, acknowledgmentNumber: receiveNext,
            flags: flags.union(.ack), window: announceWindow(isScaled: true))
        if features.contains(.timestamps) {
            header.options.timestamps = TCPTimestamps(value: timestamp(at: now), echo: recentTimestamp)
        }
        if features.contains(.sack), duplicate != nil || !receiveBuffer.islands.isEmpty {
            header.options.sackBlocks = receiveBuffer.sackBlocks(duplicate: duplicate)
            duplicate = nil
        }
        owed.remove(.acknowledgment)
        deadlines.acknowledge = .distantFuture
        lastAcknowledgmentSent = receiveNext
        lastSent = now
        return header
    }

    // MARK: With payload

    /// `count` sequence numbers from `start` on: payload, and the FIN if they go so far.
    private mutating func segment(from start: SequenceNumber, count: Int, now: Instant) -> TCPTransmission {
        let payload = min(count, max(dataEnd - start, 0))
        var flags: TCPFlags = .ack
        if payload > 0, start + payload == dataEnd { flags.insert(.psh) }
        if payload < count { flags.insert(.fin) }
        // Data that goes out so soon after data came in answers it: acknowledgments can ride on it from now on.
        if quickAcknowledgmentCount > 0, hasRecentlyReceived(now) { quickAcknowledgmentCount = 0 }
        let header = makeHeader(flags, at: start, now: now)
        return TCPTransmission(header: header, byteCount: payload, segmentSize: sizeBeside(header))
    }

    private func hasRecentlyReceived(_ now: Instant) -> Bool {
        receiveNext != initialReceiveSequence + 1 && now - lastReceived < configuration.delayTime
    }

    /// What is left of a full segment beside the header's options.
    private func sizeBeside(_ header: TCPHeader) -> Int {
        let blocks = header.options.writtenBlockCount
        return blocks == 0 ? segmentSize : max(segmentSize - 4 - blocks * 8, 1)
    }

    /// As `sizeBeside`, before the header is made.
    private var nextSegmentSize: Int {
        guard features.contains(.sack), duplicate != nil || !receiveBuffer.islands.isEmpty else { return segmentSize }
        let blocks = min(receiveBuffer.sackBlocks(duplicate: duplicate).count, features.contains(.timestamps) ? 3 : 4)
        return max(segmentSize - 4 - blocks * 8, 1)
    }

    /// The first lost bytes, as far as the window lets them (RFC 6675 §5, NextSeg rule 1).
    private mutating func retransmission(now: Instant, limit: Int) -> TCPTransmission? {
        guard let lost = sentRanges.firstLost else { return nil }
        let size = nextSegmentSize
        let room = cubic.window - pipe
        guard room >= min(size, lost.byteCount) || pipe == 0 else { return nil }
        // A window that shrank lets only its first byte through.
        let windowRoom = sendUnacknowledged + sendWindow - lost.start
        guard windowRoom > 0 || lost.start == sendUnacknowledged else { return nil }
        let count = whole(min(lost.byteCount, limit, max(room, size), max(windowRoom, size)), of: lost.byteCount, size: size)
        return resend(from: lost.start, count: count, now: now)
    }

    /// As much of `count` as makes full segments, unless it is everything.
    private func whole(_ count: Int, of all: Int, size: Int) -> Int { count == all || count < size ? count : count - count % size }

    private mutating func resend(from start: SequenceNumber, count: Int, now: Instant) -> TCPTransmission {
        statistics.retransmittedSegments &+= UInt32(truncatingIfNeeded: (count + segmentSize - 1) / segmentSize)
        sentRanges.markRetransmitted(from: start, to: start + count, at: now)
        if case .fast(var fast) = recovery {
            fast.reduction.sent += count
            recovery = .fast(fast)
        }
        if var undo {
            undo.firstTimestamp = undo.firstTimestamp ?? timestamp(at: now)
            undo.unreportedByteCount += count
            self.undo = undo
        }
        if start == sendUnacknowledged || deadlines.retransmit == .distantFuture { armRetransmission(now: now) }
        return segment(from: start, count: count, now: now)
    }

    /// RFC 8985 §7.3
    private mutating func tailTransmission(now: Instant) -> TCPTransmission? {
        guard owed.contains(.tailProbe) else { return nil }
        owed.remove(.tailProbe)
        guard let last = sentRanges.last, recovery.isOpen else { return nil }
        statistics.tailProbes &+= 1
        let size = nextSegmentSize
        let unsent = min(dataEnd - sendNext, size)
        let windowRoom = sendUnacknowledged + sendWindow - sendNext
        deadlines.retransmit = .distantFuture
        if unsent > 0, windowRoom >= unsent {
            tailProbe = TailProbe(end: sendNext + unsent, isRetransmission: false)
            return send(unsent, size: size, now: now)
        }
        let start = max(last.byteCount - size, 0)
        tailProbe = TailProbe(end: sendNext, isRetransmission: true)
        let transmission = resend(from: last.start + start, count: last.byteCount - start, now: now)
        armRetransmission(now: now)
        return transmission
    }

    /// Bytes that were never sent.
    private mutating func newTransmission(now: Instant, limit: Int) -> TCPTransmission? {
        let unsent = dataEnd - sendNext
        let hasFin = state.isFinQueued && unsent >= 0
        guard unsent > 0 || hasFin else {
            isWindowLimited = isWindowLimited && unsent > 0
            return nil
        }
        if sentRanges.isEmpty { restartAfterPause(now: now) }
        let all = unsent + (hasFin ? 1 : 0)
        let size = nextSegmentSize
        let windowRoom = sendUnacknowledged + sendWindow - sendNext
        guard let count = sendableByteCount(all, size: size, limit: limit, windowRoom: windowRoom, now: now) else {
            if sentRanges.isEmpty, deadlines.persist == .distantFuture, windowRoom < min(all, size) { armPersist(now: now) }
            return nil
        }
        owed.remove(.smallSegment)
        deadlines.persist = .distantFuture
        return send(count, size: size, now: now)
    }

    /// How many of `all` sequence numbers may go now: by the windows, by Nagle and against silly windows (RFC 9293 §3.8.6.2.1,
    /// RFC 1122 §4.2.3.4).
    private mutating func sendableByteCount(_ all: Int, size: Int, limit: Int, windowRoom: Int, now: Instant) -> Int? {
        let flight = pipe
        let congestionRoom = cubic.window - flight
        guard congestionRoom >= min(size, all) || flight == 0 else {
            isWindowLimited = true
            return nil
        }
        let room = min(max(congestionRoom, size), windowRoom)
        if room >= all, all <= limit {
            // The last ones, FIN included.
            let isHeld = all < size && !configuration.isNoDelay && !state.isFinQueued && smallSegmentEnd > sendUnacknowledged
            if !isHeld || owed.contains(.smallSegment) { return all }
            return whole(all, of: -1, size: size) >= size ? whole(all, of: -1, size: size) : nil
        }
        if room < size {
            let isWorthwhile = room > 0 && (room >= greatestSendWindow / 2 || owed.contains(.smallSegment))
            return isWorthwhile ? min(room, all) : nil
        }
        if congestionRoom < windowRoom { isWindowLimited = true }
        if flight > 0, limit > size, recovery.isOpen, room < min(limit, all, cubic.window / 3), isBusy(now) { return nil }
        return whole(min(room, limit, all), of: -1, size: size)
    }

    /// Acknowledgments come in one after another: more will be allowed at once, and one large transmission costs less than two.
    private func isBusy(_ now: Instant) -> Bool { sentRanges.last.map { now - $0.transmitted < .milliseconds(1) } ?? false }

    private mutating func send(_ count: Int, size: Int, now: Instant) -> TCPTransmission {
        let start = sendNext
        if sentRanges.isEmpty { lastProgress = now }
        sendNext += count
        sentRanges.append(from: start, to: sendNext, at: now)
        if count % size != 0 { smallSegmentEnd = sendNext }
        if case .fast(var fast) = recovery {
            fast.reduction.sent += count
            recovery = .fast(fast)
        }
        if deadlines.retransmit == .distantFuture { armRetransmission(now: now) }
        if recovery.isOpen { armTailProbe(now: now) }
        return segment(from: start, count: count, now: now)
    }

    private mutating func restartAfterPause(now: Instant) {
        let pause = now - lastSent, timeout = roundTrip.timeout
        if pause > timeout, roundTrip.hasSample {
            cubic.restart(timeouts: pause.rawValue / max(timeout.rawValue, 1), segmentSize: segmentSize)
        }
    }

    private mutating func armPersist(now: Instant) {
        deadlines.persist = now + roundTrip.timeout.doubled(Int(backoff), limit: RoundTripTime.longestTimeout)
    }
}
