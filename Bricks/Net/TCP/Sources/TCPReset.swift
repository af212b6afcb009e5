import NetFormats

extension TCPHeader {
    /// The RST that answers a segment for which there is no connection (RFC 9293 §3.10.7.1); nil for a RST, which is not answered.
    public static func reset(answering header: TCPHeader, payloadByteCount: Int) -> TCPHeader? {
        guard !header.flags.contains(.rst) else { return nil }
        var reset = TCPHeader(
            sourcePort: header.destinationPort, destinationPort: header.sourcePort, sequenceNumber: SequenceNumber(rawValue: 0),
            flags: .rst)
        if header.flags.contains(.ack) {
            reset.sequenceNumber = header.acknowledgmentNumber
        } else {
            let length = payloadByteCount + (header.flags.contains(.syn) ? 1 : 0) + (header.flags.contains(.fin) ? 1 : 0)
            reset.flags = [.rst, .ack]
            reset.acknowledgmentNumber = header.sequenceNumber + length
        }
        return reset
    }
}

extension TCPControlBlock {
    /// In TIME-WAIT: whether `syn` may begin a new connection between the same ends, which then replaces this one (RFC 6191 §2,
    /// RFC 9293 §3.10.7.4). Its initial sequence number should be `successorSequenceNumber` or later.
    public func canBeReplaced(by syn: TCPHeader) -> Bool {
        guard case .timeWait = state, syn.flags.contains(.syn), syn.flags.isDisjoint(with: [.rst, .ack, .fin]) else { return false }
        if features.contains(.timestamps), let timestamps = syn.options.timestamps {
            let age = Int32(bitPattern: timestamps.value &- recentTimestamp)
            if age != 0 { return age > 0 }
        }
        return syn.sequenceNumber > receiveNext
    }

    /// Beyond every number that this connection used.
    public var successorSequenceNumber: SequenceNumber { sendNext + 0x1_0000 + greatestSendWindow }
}
