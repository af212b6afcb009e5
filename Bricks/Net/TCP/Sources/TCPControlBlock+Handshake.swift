import NetFormats
import Time

extension TCPControlBlock {
    /// An active open: the SYN is the first transmission.
    public init(
        connectingFrom local: SocketAddress, to remote: SocketAddress, initialSequenceNumber: SequenceNumber,
        timestampOffset: UInt32 = 0, configuration: Configuration = Configuration(), now: Instant
    ) {
        self.init(
            state: .synSent(SynSent()), local: local, remote: remote, sequence: initialSequenceNumber, timestampOffset: timestampOffset,
            configuration: configuration, now: now)
        features = configuration.features
        receiveScale = configuration.receiveScale
        owed = .syn
        // SYN is in flight from here on; when it is sent is a matter of moments.
        sendNext = initialSendSequence + 1
        deadlines.retransmit = now + RoundTripTime.initialTimeout
    }

    /// A passive open: `syn` came to somebody who listens. The SYN-ACK is the first transmission.
    public init(
        accepting syn: TCPHeader, local: SocketAddress, remote: SocketAddress, initialSequenceNumber: SequenceNumber,
        timestampOffset: UInt32 = 0, configuration: Configuration = Configuration(), now: Instant
    ) {
        self.init(
            state: .synReceived(SynReceived(isPassive: true)), local: local, remote: remote, sequence: initialSequenceNumber,
            timestampOffset: timestampOffset, configuration: configuration, now: now)
        features = configuration.features
        receiveScale = configuration.receiveScale
        settle(syn, now: now)
        owed = .syn
        sendNext = initialSendSequence + 1
        deadlines.retransmit = now + RoundTripTime.initialTimeout
    }

    /// The third segment of a handshake of which nothing was kept: `contents` was in the cookie that it acknowledges. The segment's
    /// payload, if any, is given to `handle` afterwards, with the same header.
    public init(
        acceptingCookie contents: SYNCookies.Contents, acknowledgment header: TCPHeader, local: SocketAddress, remote: SocketAddress,
        timestampOffset: UInt32 = 0, configuration: Configuration = Configuration(), now: Instant
    ) {
        self.init(
            state: .established, local: local, remote: remote, sequence: header.acknowledgmentNumber - 1,
            timestampOffset: timestampOffset, configuration: configuration, now: now)
        features = configuration.features
        receiveScale = configuration.receiveScale
        var syn = TCPHeader(
            sourcePort: header.sourcePort, destinationPort: header.destinationPort, sequenceNumber: header.sequenceNumber - 1, flags: .syn)
        syn.options.maximumSegmentSize = contents.maximumSegmentSize
        syn.options.windowScale = contents.windowScale
        syn.options.isSACKPermitted = contents.isSACKPermitted
        syn.options.timestamps = header.options.timestamps
        settle(syn, now: now)
        sendNext = initialSendSequence + 1
        sendUnacknowledged = sendNext
        setWindow(from: header)
        establish(now: now)
        // The SYN-ACK announced a window: not more than this.
        _ = announceWindow(isScaled: false)
    }

    /// Takes what the peer's SYN says (RFC 9293 §3.10.7.2, §3.10.7.3).
    mutating func settle(_ syn: TCPHeader, now: Instant) {
        let options = syn.options
        initialReceiveSequence = syn.sequenceNumber
        receiveNext = syn.sequenceNumber + 1
        receiveWindowEnd = receiveNext
        lastAcknowledgmentSent = receiveNext
        if let size = options.maximumSegmentSize { peerSegmentSize = max(Int(size), Self.leastSegmentSize) }
        if !options.isSACKPermitted { features.remove(.sack) }
        if let scale = options.windowScale {
            sendScale = min(scale, Self.greatestScale)
        } else {
            features.remove(.windowScale)
            receiveScale = 0
        }
        if let timestamps = options.timestamps {
            recentTimestamp = timestamps.value
            recentTimestampTaken = now
        } else {
            features.remove(.timestamps)
        }
        receivedSegmentSize = min(receivedSegmentSize, pathSegmentSize)
        cubic = Cubic(segmentSize: segmentSize, start: initialSendSequence)
        // A SYN's own window is not scaled.
        sendWindow = Int(syn.window)
        greatestSendWindow = sendWindow
        windowSequence = syn.sequenceNumber
        windowAcknowledgment = syn.acknowledgmentNumber
    }

    mutating func setWindow(from header: TCPHeader) {
        sendWindow = Int(header.window) << Int(header.flags.contains(.syn) ? 0 : sendScale)
        greatestSendWindow = max(greatestSendWindow, sendWindow)
        windowSequence = header.sequenceNumber
        windowAcknowledgment = header.acknowledgmentNumber
    }

    /// Both SYNs are acknowledged.
    mutating func establish(now: Instant) {
        let retries = retransmissionCount
        state = .established
        deadlines.retransmit = .distantFuture
        backoff = 0
        retransmissionCount = 0
        lastProgress = now
        rack = RACK(start: sendUnacknowledged)
        cubic = Cubic(segmentSize: segmentSize, start: sendUnacknowledged)
        // RFC 6928 §2: one segment once a SYN was lost more than once.
        if retries > 1 { cubic.window = segmentSize }
        tuning = WindowTuning(now: now)
        if let keepAlive = configuration.keepAlive { deadlines.keepAlive = now + keepAlive.idleTime }
    }

    /// RFC 9293 §3.10.7.3
    mutating func handleInSynSent(_ header: TCPHeader, _ opening: SynSent, now: Instant, _ events: inout TCPEvents) {
        let acknowledges = header.flags.contains(.ack)
        if acknowledges, header.acknowledgmentNumber != sendNext {
            if !header.flags.contains(.rst) { strayReset = header.acknowledgmentNumber }
            return
        }
        if header.flags.contains(.rst) {
            if acknowledges { fail(.refused, &events) }
            return
        }
        guard header.flags.contains(.syn) else { return }
        lastReceived = now
        settle(header, now: now)
        if acknowledges {
            measureHandshake(header, now: now)
            sendUnacknowledged = sendNext
            establish(now: now)
            setWindow(from: header)
            owed = .acknowledgment
            if opening.isFinishing { state = .finWait1 }
            events.insert([.established, .writable])
        } else {
            // Simultaneous open, RFC 9293 §3.5 figure 7.
            state = .synReceived(SynReceived(isPassive: false, isFinishing: opening.isFinishing))
            owed = .syn
        }
    }

    /// The first sample of the round-trip time, unless it is not known which SYN was answered (RFC 6298 §3).
    mutating func measureHandshake(_ header: TCPHeader, now: Instant) {
        if retransmissionCount == 0 {
            roundTrip.add(now - lastProgress, now: now)
        } else if features.contains(.timestamps), let timestamps = header.options.timestamps {
            addEcho(timestamps.echo, now: now)
        }
    }

    /// A sample by a timestamp that comes back (RFC 7323 §4.1); one that cannot be ours is ignored.
    mutating func addEcho(_ echo: UInt32, now: Instant) {
        let elapsed = timestamp(at: now) &- echo
        guard echo != 0, elapsed < 120_000 else { return }
        roundTrip.add(.milliseconds(Int64(max(elapsed, 1))), now: now)
    }

    /// An acceptable segment in SYN-RECEIVED (RFC 9293 §3.10.7.4, fifth). False if it does not complete the handshake.
    mutating func completeHandshake(_ header: TCPHeader, _ opening: SynReceived, now: Instant, _ events: inout TCPEvents) -> Bool {
        guard header.acknowledgmentNumber == initialSendSequence + 1 else {
            strayReset = header.acknowledgmentNumber
            return false
        }
        measureHandshake(header, now: now)
        sendUnacknowledged = header.acknowledgmentNumber
        establish(now: now)
        setWindow(from: header)
        owed.remove(.syn)
        if opening.isFinishing { state = .finWait1 }
        events.insert([.established, .writable])
        return true
    }
}
