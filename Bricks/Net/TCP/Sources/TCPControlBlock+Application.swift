import NetFormats
import Time

extension TCPControlBlock {
    /// Bytes that may wait in the send buffer at present: twice the window, so that it never runs dry.
    var sendSpace: Int { min(configuration.sendBufferLimit, max(Self.initialSendLimit, 2 * cubic.window)) }

    /// How much `write` would take.
    public var writableByteCount: Int { state.canWrite ? max(0, sendSpace - sendByteCount) : 0 }

    /// Bytes written and not yet acknowledged.
    public var unacknowledgedByteCount: Int { sendByteCount }

    /// Takes as many of `bytes` as there is room for, and returns how many. After less than all, `writable` tells when to go on.
    public mutating func write(_ bytes: RawSpan) -> Int {
        guard state.canWrite else { return 0 }
        let count = min(bytes.byteCount, writableByteCount)
        if count < bytes.byteCount { isWriteBlocked = true }
        guard count > 0 else { return 0 }
        sendRing.reserve(sendByteCount + count, used: sendByteCount)
        sendRing.store(bytes.extracting(first: count), at: sendByteCount)
        sendByteCount += count
        return count
    }

    /// `writable` tells when there is room again, as after a `write` that took less than it was given.
    public mutating func awaitRoom() { if writableByteCount == 0 { isWriteBlocked = true } }

    /// Bytes that have arrived in order and are not yet read.
    public var readableByteCount: Int { receiveBuffer.readableByteCount }

    /// Moves bytes to the start of `target`, and returns how many.
    public mutating func read(into target: inout MutableRawSpan) -> Int {
        let count = min(target.byteCount, readableByteCount)
        receiveBuffer.ring.load(at: 0, count: count, into: &target)
        consume(count)
        return count
    }

    /// Moves bytes to the end of `target`, and returns how many.
    public mutating func read(into target: inout OutputRawSpan) -> Int {
        let count = min(target.freeCapacity, readableByteCount)
        receiveBuffer.ring.load(at: 0, count: count, appendingTo: &target)
        consume(count)
        return count
    }

    /// Shows all that is readable, in up to two pieces; `consume` removes it.
    public func withReadable<Result>(_ body: (RawSpan, RawSpan) -> Result) -> Result {
        readableBytes.withBytes(body)
    }

    /// Removes `byteCount` readable bytes, at most all.
    public mutating func consume(_ byteCount: Int) {
        let count = min(max(byteCount, 0), readableByteCount)
        guard count > 0 else { return }
        receiveBuffer.consume(count)
        noteRead(count)
    }

    /// Nothing more will be written: a FIN follows what is buffered. The peer may go on sending (half-close, RFC 9293 §3.6).
    public mutating func finish() {
        switch state {
        case .synSent(var opening):
            opening.isFinishing = true
            state = .synSent(opening)
        case .synReceived(var opening):
            opening.isFinishing = true
            state = .synReceived(opening)
        case .established: state = .finWait1
        case .closeWait: state = .lastAck
        case .finWait1, .finWait2, .closing, .lastAck, .timeWait, .closed: return
        }
    }

    /// Nothing more will be written or read: as `finish`, and data that arrives from now on is answered by a RST.
    public mutating func close(now: Instant) {
        finish()
        isUnread = true
        receiveBuffer.consume(readableByteCount)
        receiveBuffer.releaseIfEmpty()
        if case .finWait2 = state { deadlines.orphan = now + configuration.finWait2Time }
    }

    /// Gives the connection up: a RST tells the peer (RFC 9293 §3.10.5). What is buffered is lost.
    public mutating func abort() {
        switch state {
        case .synSent: break
        case .synReceived, .established, .finWait1, .finWait2, .closeWait: owed.insert(.reset)
        case .closing, .lastAck, .timeWait: break
        case .closed: return
        }
        state = .closed(Closed(failure: .aborted))
        stopSending()
    }

    /// Changes the limits of the buffers. What is buffered or announced already stays.
    public mutating func setBufferLimits(receive: Int, send: Int) {
        configuration.receiveBufferLimit = max(receive, 0)
        configuration.sendBufferLimit = max(send, 0)
        receiveLimit = min(receiveLimit, configuration.receiveBufferLimit)
    }

    /// What the buffers may hold at most.
    public var configuredLimits: (receive: Int, send: Int) { (configuration.receiveBufferLimit, configuration.sendBufferLimit) }

    /// Small segments are no longer held back, or again (TCP_NODELAY).
    public var isNoDelay: Bool {
        get { configuration.isNoDelay }
        set { configuration.isNoDelay = newValue }
    }

    /// Begins or ends the probing of an idle connection.
    public mutating func setKeepAlive(_ keepAlive: KeepAlive?, now: Instant) {
        configuration.keepAlive = keepAlive
        unansweredProbeCount = 0
        deadlines.keepAlive = keepAlive.map { now + $0.idleTime } ?? .distantFuture
    }
}
