import NetFormats
import Time

/// What an ICMP message says about a connection, in either version.
public enum TCPNetworkError: Sendable {
    /// Ports, protocols and administrators that refuse: RFC 5927 §3.1's hard errors.
    case refused
    /// Networks and hosts that cannot be reached, or not now.
    case unreachable
    /// A segment was too big: what fits is this much, IP's header included, TCP's too.
    case tooBig(maximumSegmentSize: Int)
}

extension TCPControlBlock {
    /// An ICMP message that quotes a segment with `sequence`. One that cannot be about this connection is ignored (RFC 5927 §4.1).
    public mutating func handle(_ error: TCPNetworkError, quoting sequence: SequenceNumber, now: Instant) -> TCPEvents {
        var events: TCPEvents = []
        guard sequence >= sendUnacknowledged, sequence < sendNext else { return [] }
        switch error {
        case .tooBig(let size): pathMaximumSegmentSizeChanged(to: size, quoting: sequence, now: now)
        case .refused:
            // Hard errors are soft once the connection stands: the timer decides (RFC 5927 §4.2).
            failOpening(.refused, &events)
        case .unreachable: failOpening(.unreachable, &events)
        }
        if hasSomethingToSend { events.insert(.transmit) }
        return events
    }

    /// While nobody has answered, the network's word is all there is (RFC 1122 §4.2.3.9, as Linux takes it).
    private mutating func failOpening(_ failure: TCPFailure, _ events: inout TCPEvents) {
        switch state {
        case .synSent: fail(failure, &events)
        case .synReceived, .established, .finWait1, .finWait2, .closeWait, .closing, .lastAck, .timeWait, .closed: break
        }
    }

    /// What the path lets through has changed: TCP's payload with its options.
    public mutating func pathMaximumSegmentSizeChanged(to size: Int) {
        pathSegmentSize = max(min(size, configuration.maximumSegmentSize, 0xffff), Self.leastSegmentSize)
    }

    /// What was too big is lost, and is no sign of congestion (RFC 1191 §6.4).
    private mutating func pathMaximumSegmentSizeChanged(to size: Int, quoting sequence: SequenceNumber, now: Instant) {
        let before = segmentSize
        pathMaximumSegmentSizeChanged(to: size)
        guard segmentSize < before, !sentRanges.isEmpty else { return }
        sentRanges.loseAll { _ in false }
        if recovery.isOpen { recovery = .loss(Recovery.LossRecovery(end: sendNext)) }
        cubic.window = max(cubic.window, pipe + segmentSize)
    }
}
