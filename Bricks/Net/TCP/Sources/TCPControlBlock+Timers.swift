import NetFormats
import Time

extension TCPControlBlock {
    /// When `tick` must be called at the latest; nil: not before something else happens.
    public var nextDeadline: Instant? {
        let first: Instant
        switch state {
        case .timeWait(let wait): first = min(wait.until, deadlines.first)
        case .closed: return nil
        case .synSent, .synReceived, .established, .finWait1, .finWait2, .closeWait, .closing, .lastAck: first = deadlines.first
        }
        return first == .distantFuture ? nil : first
    }

    /// The time has come to `now`: does what was due (RFC 9293 §3.10.8).
    public mutating func tick(now: Instant) -> TCPEvents {
        var events: TCPEvents = []
        switch state {
        case .closed: return []
        case .synSent: openingTimedOut(now: now, &events)
        case .synReceived: openingTimedOut(now: now, &events)
        case .timeWait(let wait):
            if wait.until <= now { end(&events) }
        case .established, .finWait1, .finWait2, .closeWait, .closing, .lastAck: synchronizedTick(now: now, &events)
        }
        if deadlines.acknowledge <= now {
            deadlines.acknowledge = .distantFuture
            owed.insert(.acknowledgment)
        }
        if deadlines.release <= now { release(now: now) }
        if hasSomethingToSend { events.insert(.transmit) }
        return events
    }

    private mutating func openingTimedOut(now: Instant, _ events: inout TCPEvents) {
        guard deadlines.retransmit <= now else { return }
        if retransmissionCount >= configuration.synRetransmissionLimit || hasRunOutOfTime(now) { return fail(.timedOut, &events) }
        retransmissionCount += 1
        backoff += 1
        owed.insert(.syn)
        armRetransmission(now: now)
    }

    private mutating func synchronizedTick(now: Instant, _ events: inout TCPEvents) {
        if deadlines.orphan <= now { return end(&events) }
        if deadlines.reorder <= now {
            deadlines.reorder = .distantFuture
            if detectLosses(pipeBefore: pipe, now: now) { allowFirstRetransmission() }
        }
        if deadlines.tailProbe <= now {
            tailProbeTimedOut(now: now)
        } else if deadlines.retransmit <= now {
            retransmissionTimedOut(now: now, &events)
        }
        if deadlines.persist <= now { persistTimedOut(now: now, &events) }
        if deadlines.keepAlive <= now { keepAliveTimedOut(now: now, &events) }
    }

    /// A loss that a timer found: no acknowledgment has given PRR anything to spend yet.
    private mutating func allowFirstRetransmission() {
        guard case .fast = recovery else { return }
        cubic.window = max(cubic.window, pipe + segmentSize)
    }

    /// RFC 9293 §3.8.6.1
    private mutating func persistTimedOut(now: Instant, _ events: inout TCPEvents) {
        deadlines.persist = .distantFuture
        guard sentRanges.isEmpty, sendNext < dataEnd || state.isFinQueued else { return }
        if unansweredProbeCount >= configuration.retransmissionLimit { return fail(.timedOut, &events) }
        if let limit = configuration.userTime, unansweredProbeCount > 0, now - lastReceived >= limit { return fail(.timedOut, &events) }
        if sendWindow > 0 {
            owed.insert(.smallSegment)
        } else {
            unansweredProbeCount += 1
            owed.insert(.probe)
        }
        if backoff < .max { backoff += 1 }
        deadlines.persist = now + roundTrip.timeout.doubled(Int(backoff), limit: RoundTripTime.longestTimeout)
    }

    /// RFC 9293 §3.8.4
    private mutating func keepAliveTimedOut(now: Instant, _ events: inout TCPEvents) {
        guard let keepAlive = configuration.keepAlive else {
            deadlines.keepAlive = .distantFuture
            return
        }
        let idleSince = max(lastReceived, lastProgress)
        // What waits to be sent or acknowledged has timers of its own.
        if !sentRanges.isEmpty || sendNext < dataEnd || now - idleSince < keepAlive.idleTime {
            deadlines.keepAlive = max(idleSince + keepAlive.idleTime, now + .seconds(1))
        } else if unansweredProbeCount >= keepAlive.probeCount {
            fail(.timedOut, &events)
        } else {
            unansweredProbeCount += 1
            owed.insert(.probe)
            deadlines.keepAlive = now + keepAlive.intervalTime
        }
    }

    /// An idle connection costs the control block alone.
    private mutating func release(now: Instant) {
        let active = max(lastReceived, lastSent) + Self.releaseDelay
        guard active <= now else {
            deadlines.release = active
            return
        }
        receiveBuffer.releaseIfEmpty()
        if sendByteCount == 0 {
            sendRing.release()
            if sentRanges.isEmpty { sentRanges.release() }
        }
        let isEmpty = receiveBuffer.ring.capacity == 0 && sendRing.capacity == 0
        deadlines.release = isEmpty ? .distantFuture : now + Self.releaseDelay
    }
}
