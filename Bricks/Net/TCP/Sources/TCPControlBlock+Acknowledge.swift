import NetFormats
import Time

extension TCPControlBlock {
    /// The ACK field, the window and the reports of a segment (RFC 9293 §3.10.7.4, fifth). False if the segment must be dropped.
    mutating func acknowledge(_ header: TCPHeader, byteCount: Int, now: Instant, _ events: inout TCPEvents) -> Bool {
        let number = header.acknowledgmentNumber
        let advance = number - sendUnacknowledged
        // RFC 5961 §5.2
        guard number <= sendNext, advance >= -max(greatestSendWindow, 0xffff) else {
            challenge(now: now)
            return false
        }
        guard advance >= 0 else { return true }
        let windowBefore = sendWindow
        if windowSequence < header.sequenceNumber || windowSequence == header.sequenceNumber && windowAcknowledgment <= number {
            setWindow(from: header)
        }
        if sentRanges.isEmpty {
            if sendWindow > windowBefore { deadlines.persist = .distantFuture }
            return true
        }
        var delivery = Delivery()
        let pipeBefore = pipe
        let isDuplicate = features.contains(.sack) && takeReports(header, &delivery)
        if advance > 0 { advanceUnacknowledged(to: number, &delivery, now: now, &events) }
        let isNews = advance > 0 || delivery.byteCount > 0 || isDuplicate
        // RFC 5681 §2: what a duplicate acknowledgment is, for a peer that does not report.
        let isRepeat = !features.contains(.sack) && byteCount == 0 && sendWindow == windowBefore && !header.flags.contains(.fin)
        guard isNews || isRepeat else { return true }
        measure(delivery, header, advance: advance, now: now)
        recover(header, delivery, advance: advance, pipeBefore: pipeBefore, isDuplicate: isDuplicate, now: now)
        if advance > 0 { rearm(now: now, &events) }
        return true
    }

    /// SACK blocks (RFC 2018 §5), of which the first may report a duplicate (RFC 2883 §4). Returns whether it does.
    private mutating func takeReports(_ header: TCPHeader, _ delivery: inout Delivery) -> Bool {
        let blocks = header.options.sackBlocks
        guard blocks.count > 0 else { return false }
        let first = blocks[0]
        let isBelow = first.right <= header.acknowledgmentNumber
        let isWithin = blocks.count > 1 && first.left >= blocks[1].left && first.right <= blocks[1].right
        let isDuplicate = isBelow || isWithin
        if isDuplicate {
            let count = first.right - first.left
            rack.noteDuplicate(acknowledged: header.acknowledgmentNumber, sendNext: sendNext)
            if count > 0, undo != nil { undo?.unreportedByteCount -= count }
        }
        for index in (isDuplicate ? 1 : 0)..<max(blocks.count, isDuplicate ? 1 : 0) {
            let block = blocks[index]
            guard block.left < block.right, block.left >= header.acknowledgmentNumber, block.right <= sendNext else { continue }
            sentRanges.sack(block, &delivery)
        }
        return isDuplicate
    }

    /// Moves SND.UNA.
    private mutating func advanceUnacknowledged(
        to number: SequenceNumber, _ delivery: inout Delivery, now: Instant, _ events: inout TCPEvents
    ) {
        sentRanges.acknowledge(upTo: number, &delivery)
        let dropped = min(number - dataStart, sendByteCount)
        sendRing.dropFirst(dropped)
        dataStart += dropped
        sendByteCount -= dropped
        sendUnacknowledged = number
        lastProgress = now
        backoff = 0
        retransmissionCount = 0
        if isWriteBlocked, writableByteCount >= sendSpace / 3 {
            isWriteBlocked = false
            events.insert(.writable)
        }
    }

    private mutating func measure(_ delivery: Delivery, _ header: TCPHeader, advance: Int, now: Instant) {
        if let sent = delivery.latestOriginal, !delivery.includesRetransmitted {
            roundTrip.add(now - sent, now: now)
        } else if advance > 0, features.contains(.timestamps), let timestamps = header.options.timestamps {
            addEcho(timestamps.echo, now: now)
        }
        guard delivery.byteCount > 0 else { return }
        let echo = features.contains(.timestamps) ? header.options.timestamps?.echo : nil
        let offset = timestampOffset
        rack.update(delivery, minimumRoundTripTime: roundTrip.minimum, now: now) { sent in
            guard let echo else { return false }
            return Int32(bitPattern: echo &- (offset &+ UInt32(truncatingIfNeeded: sent.nanoseconds / 1_000_000))) < 0
        }
    }

    /// The timers, and the states that wait for our FIN to be acknowledged.
    private mutating func rearm(now: Instant, _ events: inout TCPEvents) {
        if sentRanges.isEmpty {
            deadlines.retransmit = .distantFuture
            deadlines.tailProbe = .distantFuture
            deadlines.reorder = .distantFuture
            owed.remove(.tailProbe)
        } else {
            armRetransmission(now: now)
            armTailProbe(now: now)
        }
        // Behind the last byte there is only the FIN.
        guard sendByteCount == 0, sendUnacknowledged > dataStart else { return }
        switch state {
        case .finWait1:
            state = .finWait2
            if isUnread { deadlines.orphan = now + configuration.finWait2Time }
        case .closing: enterTimeWait(now: now)
        case .lastAck: end(&events)
        case .synSent, .synReceived, .established, .finWait2, .closeWait, .timeWait, .closed: return
        }
    }
}
