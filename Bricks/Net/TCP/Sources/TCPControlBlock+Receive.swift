import NetFormats
import Time

extension TCPControlBlock {
    /// Timestamps older than this say nothing (RFC 7323 §5.5).
    private static var timestampLifetime: Nanoseconds { .seconds(24 * 86_400) }

    /// A segment for this connection, whose checksum is right (RFC 9293 §3.10.7).
    public mutating func handle(_ header: TCPHeader, _ payload: RawSpan, now: Instant) -> TCPEvents {
        var events: TCPEvents = []
        switch state {
        case .closed: return []
        case .synSent(let opening): handleInSynSent(header, opening, now: now, &events)
        case .synReceived, .established, .finWait1, .finWait2, .closeWait, .closing, .lastAck, .timeWait:
            arrive(header, payload, now: now, &events)
        }
        if deadlines.release == .distantFuture { deadlines.release = now + Self.releaseDelay }
        if hasSomethingToSend { events.insert(.transmit) }
        return events
    }

    /// RFC 9293 §3.10.7.4
    private mutating func arrive(_ header: TCPHeader, _ payload: RawSpan, now: Instant, _ events: inout TCPEvents) {
        guard isAcceptable(header, byteCount: payload.byteCount, now: now) else { return }
        if header.flags.contains(.rst) { return handleReset(header, now: now, &events) }
        if header.flags.contains(.syn) { return handleSyn(header, now: now, &events) }
        guard header.flags.contains(.ack) else { return }
        lastReceived = now
        unansweredProbeCount = 0
        if let timestamps = header.options.timestamps, features.contains(.timestamps),
            header.sequenceNumber <= lastAcknowledgmentSent, isNotOlder(timestamps.value)
        {
            recentTimestamp = timestamps.value
            recentTimestampTaken = now
        }
        if case .synReceived(let opening) = state {
            guard completeHandshake(header, opening, now: now, &events) else { return }
        }
        guard acknowledge(header, byteCount: payload.byteCount, now: now, &events) else { return }
        if payload.byteCount > 0 || header.flags.contains(.fin) { receive(header, payload, now: now, &events) }
    }

    private func isNotOlder(_ timestamp: UInt32) -> Bool { Int32(bitPattern: timestamp &- recentTimestamp) >= 0 }

    /// PAWS (RFC 7323 §5) and the window (RFC 9293 §3.10.7.4, first).
    private mutating func isAcceptable(_ header: TCPHeader, byteCount: Int, now: Instant) -> Bool {
        let isReset = header.flags.contains(.rst)
        if features.contains(.timestamps), !isReset {
            // RFC 7323 §3.2
            guard let timestamps = header.options.timestamps else { return false }
            if !isNotOlder(timestamps.value), now - recentTimestampTaken < Self.timestampLifetime {
                answerUnacceptable(header, byteCount: byteCount, now: now)
                return false
            }
        }
        let begin = header.sequenceNumber - receiveNext
        let end = begin + byteCount + (header.flags.contains(.fin) ? 1 : 0) + (header.flags.contains(.syn) ? 1 : 0)
        // What lies between the last acknowledgment and RCV.NXT is old, but its ACK may be new.
        if end >= lastAcknowledgmentSent - receiveNext, begin <= receiveWindowEnd - receiveNext { return true }
        if !isReset { answerUnacceptable(header, byteCount: byteCount, now: now) }
        return false
    }

    private mutating func answerUnacceptable(_ header: TCPHeader, byteCount: Int, now: Instant) {
        if case .timeWait = state, header.flags.contains(.fin) { restartTimeWait(now: now) }
        guard byteCount > 0 else { return challenge(now: now) }
        // Data is no loop of acknowledgments: it is always answered.
        if header.sequenceNumber + byteCount <= receiveNext {
            duplicate = SACKBlock(left: header.sequenceNumber, right: header.sequenceNumber + byteCount)
        }
        owed.insert(.acknowledgment)
    }

    private mutating func handleSyn(_ header: TCPHeader, now: Instant, _ events: inout TCPEvents) {
        // RFC 5961 §4.2
        guard case .synReceived(let opening) = state, header.sequenceNumber == initialReceiveSequence else { return challenge(now: now) }
        if header.flags.contains(.ack), header.acknowledgmentNumber == sendNext {
            // Both opened at once, and this answers our SYN.
            owed.insert(.acknowledgment)
            _ = completeHandshake(header, opening, now: now, &events)
        } else if challenges.take(now: now) {
            // Our SYN-ACK was lost.
            owed.insert(.syn)
        }
    }

    /// A challenge ACK, as far as the budget goes (RFC 5961 §3.2, §4.2, §5.2, §7).
    mutating func challenge(now: Instant) {
        if challenges.take(now: now) { owed.insert(.acknowledgment) }
    }

    private mutating func handleReset(_ header: TCPHeader, now: Instant, _ events: inout TCPEvents) {
        // RFC 5961 §3.2
        guard header.sequenceNumber == receiveNext else { return challenge(now: now) }
        switch state {
        case .synReceived(let opening): fail(opening.isPassive ? .reset : .refused, &events)
        case .established, .finWait1, .finWait2, .closeWait: fail(.reset, &events)
        case .closing, .lastAck: end(&events)
        // RFC 1337 §3
        case .timeWait: return
        case .synSent, .closed: return
        }
    }

    /// Payload and FIN, the ACK done (RFC 9293 §3.10.7.4, seventh and eighth).
    private mutating func receive(_ header: TCPHeader, _ payload: RawSpan, now: Instant, _ events: inout TCPEvents) {
        guard state.canReceive else {
            if case .timeWait = state, header.flags.contains(.fin) { restartTimeWait(now: now) }
            return owed.formUnion(.acknowledgment)
        }
        var sequence = header.sequenceNumber
        let old = min(max(receiveNext - sequence, 0), payload.byteCount)
        let room = max(receiveWindowEnd - sequence, old)
        let fresh = payload.extracting(old..<min(payload.byteCount, room))
        if old > 0 {
            duplicate = SACKBlock(left: sequence, right: sequence + old)
            owed.insert(.acknowledgment)
            sequence += old
        }
        if isUnread, fresh.byteCount > 0 {
            // RFC 9293 §3.6.1: nobody will read it, and the peer must know.
            owed.insert(.reset)
            return fail(.aborted, &events)
        }
        // What is beyond the window may be a probe of it.
        if payload.byteCount > room { owed.insert(.acknowledgment) }
        if header.flags.contains(.fin), payload.byteCount <= room { receivedFin = sequence + fresh.byteCount }
        if fresh.byteCount > 0 { place(fresh, at: sequence, now: now, &events) }
        // Data where a FIN was said to be: it was none.
        if let fin = receivedFin, receiveNext > fin { receivedFin = nil }
        if let fin = receivedFin, fin == receiveNext {
            receiveFin(now: now, &events)
        } else if header.flags.contains(.fin) {
            owed.insert(.acknowledgment)
        }
    }

    private mutating func place(_ payload: RawSpan, at sequence: SequenceNumber, now: Instant, _ events: inout TCPEvents) {
        let hadGap = !receiveBuffer.islands.isEmpty
        let arrival = receiveBuffer.insert(payload, at: sequence, next: receiveNext)
        receiveNext += arrival.advance
        if let seen = arrival.duplicate { duplicate = seen }
        guard arrival.advance > 0, !hadGap else {
            if arrival.advance > 0 { events.insert(.readable) }
            return owed.formUnion(.acknowledgment)
        }
        events.insert(.readable)
        noteSegmentSize(payload.byteCount)
        tune(now: now)
        // RFC 9293 §3.8.6.3, RFC 5681 §4.2: at least every second full segment.
        if quickAcknowledgmentCount > 0 || receiveNext - lastAcknowledgmentSent >= 2 * receivedSegmentSize {
            owed.insert(.acknowledgment)
        } else if deadlines.acknowledge == .distantFuture {
            deadlines.acknowledge = now + configuration.delayTime
        }
    }

    private mutating func noteSegmentSize(_ byteCount: Int) {
        if byteCount >= receivedSegmentSize { receivedSegmentSize = min(byteCount, pathSegmentSize) }
    }

    private mutating func receiveFin(now: Instant, _ events: inout TCPEvents) {
        receiveNext += 1
        receiveBuffer.forgetIslands()
        if receiveWindowEnd < receiveNext { receiveWindowEnd = receiveNext }
        owed.insert(.acknowledgment)
        events.insert([.endOfStream, .readable])
        switch state {
        case .synReceived, .established: state = .closeWait
        case .finWait1: state = .closing
        case .finWait2: enterTimeWait(now: now)
        case .synSent, .closeWait, .closing, .lastAck, .timeWait, .closed: return
        }
    }

    mutating func enterTimeWait(now: Instant) {
        state = .timeWait(TimeWait(until: now + configuration.timeWaitTime))
        stopSending()
    }

    private mutating func restartTimeWait(now: Instant) {
        state = .timeWait(TimeWait(until: now + configuration.timeWaitTime))
    }

    /// The end in order.
    mutating func end(_ events: inout TCPEvents) {
        state = .closed(Closed(failure: nil))
        stopSending()
        events.insert(.closed)
    }

    /// The end before its time. What has arrived can still be read.
    mutating func fail(_ failure: TCPFailure, _ events: inout TCPEvents) {
        state = .closed(Closed(failure: failure))
        stopSending()
        events.insert([.failed, .closed])
    }

    /// No byte will go out any more.
    mutating func stopSending() {
        owed.formIntersection([.acknowledgment, .reset])
        sendRing.release()
        sendByteCount = 0
        sentRanges.release()
        recovery = .open
        undo = nil
        tailProbe = nil
        let release = deadlines.release, acknowledge = deadlines.acknowledge
        deadlines = Deadlines()
        if isTimeWait {
            deadlines.release = release
            deadlines.acknowledge = acknowledge
        }
    }
}
