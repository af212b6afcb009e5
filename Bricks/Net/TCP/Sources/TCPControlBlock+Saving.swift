import Bytes
import NetFormats
import Time

extension TCPControlBlock {
    /// Of what `save` writes.
    private static var formatVersion: UInt8 { 1 }
    /// The longest state that is restored: buffers far beyond every limit.
    private static var savedByteCountLimit: Int { 1 << 30 }
    private static var bufferByteCountLimit: Int { 1 << 28 }

    /// Writes everything, the bytes in the buffers too: the connection can go on elsewhere, at another time.
    public func save(into writer: inout ByteWriter, now: Instant) throws(FormatError) {
        let bytes = try savedBytes(now: now)
        try writer.write(UInt64(bytes.count), .little)
        try writer.write(bytes.rawSpan)
    }

    /// How much room `save` needs.
    public func savedByteCount(now: Instant) -> Int { ((try? savedBytes(now: now).count) ?? 0) + 8 }

    /// What `save` wrote. Throws `truncated` or `invalid` for anything else.
    public init(restoring reader: inout ByteReader, now: Instant) throws(FormatError) {
        let byteCount = try reader.read(UInt64.self, .little)
        guard byteCount <= Self.savedByteCountLimit else { throw .invalid }
        let bytes = try reader.read(byteCount: Int(byteCount))
        var coder = StateCoder([UInt8](copying: bytes), now: now)
        let nowhere = SocketAddress(address: .v4(IPv4Address(rawValue: 0)), port: 0)
        self.init(
            state: .established, local: nowhere, remote: nowhere, sequence: SequenceNumber(rawValue: 0), timestampOffset: 0,
            configuration: Configuration(), now: now)
        try code(with: &coder)
        guard coder.isAtEnd, inconsistency == nil, receiveWindowEnd - receiveNext <= 0xffff << Int(Self.greatestScale) else {
            throw .invalid
        }
    }

    private func savedBytes(now: Instant) throws(FormatError) -> [UInt8] {
        var copy = self
        var coder = StateCoder(now: now)
        try copy.code(with: &coder)
        return coder.bytes
    }

    private mutating func code(with coder: inout StateCoder) throws(FormatError) {
        var version = Self.formatVersion
        try coder.code(&version)
        guard version == Self.formatVersion else { throw .invalid }
        try coder.code(&local)
        try coder.code(&remote)
        try state.code(with: &coder)
        try configuration.code(with: &coder)
        try codeHandshake(with: &coder)
        try codeSending(with: &coder)
        try codeRecovery(with: &coder)
        try codeReceiving(with: &coder)
        try coder.code(&owed.rawValue)
        try coder.code(&strayReset, empty: SequenceNumber(rawValue: 0)) { (coder, number) throws(FormatError) in try coder.code(&number) }
        try deadlines.code(with: &coder)
        try coder.code(&backoff)
        try coder.code(&retransmissionCount)
        try coder.code(&unansweredProbeCount)
    }

    private mutating func codeHandshake(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&features.rawValue)
        try coder.code(&sendScale)
        try coder.code(&receiveScale)
        guard sendScale <= Self.greatestScale, receiveScale <= Self.greatestScale else { throw .invalid }
        try coder.code(&peerSegmentSize, in: Self.leastSegmentSize...0xffff)
        try coder.code(&pathSegmentSize, in: Self.leastSegmentSize...0xffff)
        // The clock of timestamps goes on from where it was.
        var clock = timestamp(at: coder.now)
        try coder.code(&clock)
        timestampOffset = clock &- (timestamp(at: coder.now) &- timestampOffset)
    }

    private mutating func codeSending(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&initialSendSequence)
        try coder.code(&sendUnacknowledged)
        try coder.code(&sendNext)
        try coder.code(&sendWindow, in: 0...0xffff << 14)
        try coder.code(&greatestSendWindow, in: 0...0xffff << 14)
        try coder.code(&windowSequence)
        try coder.code(&windowAcknowledgment)
        try coder.code(&dataStart)
        try coder.code(&sendByteCount, in: 0...Self.bufferByteCountLimit)
        try coder.code(&sendRing, byteCount: sendByteCount)
        try sentRanges.code(with: &coder)
        try coder.code(&smallSegmentEnd)
        try coder.code(&lastSent)
        try coder.code(&lastProgress)
        try coder.code(&isWriteBlocked)
    }

    private mutating func codeRecovery(with coder: inout StateCoder) throws(FormatError) {
        try cubic.code(with: &coder)
        try coder.code(&isWindowLimited)
        try roundTrip.code(with: &coder)
        try rack.code(with: &coder)
        try recovery.code(with: &coder)
        try coder.code(&undo, empty: Undo(window: 1, threshold: 1, lastMaximum: 0)) { (coder, undo) throws(FormatError) in
            try undo.code(with: &coder)
        }
        let empty = TailProbe(end: SequenceNumber(rawValue: 0), isRetransmission: false)
        try coder.code(&tailProbe, empty: empty) { (coder, probe) throws(FormatError) in
            try coder.code(&probe.end)
            try coder.code(&probe.isRetransmission)
        }
        try coder.code(&sackedSegmentCount, in: 0...1 << 30)
        try coder.code(&duplicateAcknowledgmentCount, in: 0...1 << 30)
    }

    private mutating func codeReceiving(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&initialReceiveSequence)
        try coder.code(&receiveNext)
        try coder.code(&receiveWindowEnd)
        try coder.code(&lastAcknowledgmentSent)
        try receiveBuffer.code(with: &coder, next: receiveNext, limit: Self.bufferByteCountLimit)
        try coder.code(&receiveLimit, in: 0...Self.bufferByteCountLimit)
        try coder.code(&tuning.roundStart)
        try coder.code(&tuning.readByteCount, in: 0...1 << 40)
        try coder.code(&tuning.greatestByteCount, in: 0...1 << 40)
        try coder.code(&receivedFin, empty: SequenceNumber(rawValue: 0)) { (coder, fin) throws(FormatError) in try coder.code(&fin) }
        try coder.code(&recentTimestamp)
        try coder.code(&recentTimestampTaken)
        try coder.code(&lastReceived)
        try coder.code(&quickAcknowledgmentCount)
        try coder.code(&receivedSegmentSize, in: 1...0xffff)
        try coder.code(&isUnread)
    }
}

extension TCPControlBlock.State {
    /// A number for the state and two bytes that mean something to some.
    fileprivate mutating func code(with coder: inout StateCoder) throws(FormatError) {
        var (number, first, second) = parts
        var until = Instant.distantFuture
        if case .timeWait(let wait) = self { until = wait.until }
        try coder.code(&number)
        try coder.code(&first)
        try coder.code(&second)
        try coder.code(&until)
        switch number {
        case 0: self = .synSent(.init(isFinishing: first != 0))
        case 1: self = .synReceived(.init(isPassive: first != 0, isFinishing: second != 0))
        case 2: self = .established
        case 3: self = .finWait1
        case 4: self = .finWait2
        case 5: self = .closeWait
        case 6: self = .closing
        case 7: self = .lastAck
        case 8: self = .timeWait(.init(until: until))
        case 9: self = .closed(.init(failure: first == 0 ? nil : TCPFailure(rawValue: first - 1)))
        default: throw .invalid
        }
    }

    private var parts: (UInt8, UInt8, UInt8) {
        switch self {
        case .synSent(let opening): (0, opening.isFinishing ? 1 : 0, 0)
        case .synReceived(let opening): (1, opening.isPassive ? 1 : 0, opening.isFinishing ? 1 : 0)
        case .established: (2, 0, 0)
        case .finWait1: (3, 0, 0)
        case .finWait2: (4, 0, 0)
        case .closeWait: (5, 0, 0)
        case .closing: (6, 0, 0)
        case .lastAck: (7, 0, 0)
        case .timeWait: (8, 0, 0)
        case .closed(let closed): (9, closed.failure.map { $0.rawValue + 1 } ?? 0, 0)
        }
    }
}

extension TCPControlBlock.Deadlines {
    fileprivate mutating func code(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&retransmit)
        try coder.code(&persist)
        try coder.code(&tailProbe)
        try coder.code(&reorder)
        try coder.code(&acknowledge)
        try coder.code(&keepAlive)
        try coder.code(&orphan)
        try coder.code(&release)
    }
}
