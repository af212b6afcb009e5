import Bytes
import NetFormats
import TCP
import Testing
import Time

/// A control block and a peer that a test plays by hand. Ours is 100, the peer's 1,000: data begins at 101 and at 1,001.
final class Scripted {
    static let ours = 100, theirs = 1_000
    static let segmentSize = 1_000

    var control: TCPControlBlock
    var now = Instant(nanoseconds: 10_000_000_000)
    var events: TCPEvents = []
    /// Of the peer's segments, if the connection has timestamps.
    var timestamp: UInt32?

    struct Options {
        var sack = true
        var timestamps = false
        var windowScale: UInt8?
        var window: UInt16 = 60_000
    }

    private init(_ control: TCPControlBlock, at now: Instant) {
        self.control = control
        self.now = now
    }

    static func number(_ value: Int) -> SequenceNumber { SequenceNumber(rawValue: UInt32(truncatingIfNeeded: value)) }

    static func configuration(_ change: (inout TCPControlBlock.Configuration) -> Void) -> TCPControlBlock.Configuration {
        var configuration = TCPControlBlock.Configuration()
        configuration.maximumSegmentSize = segmentSize
        change(&configuration)
        return configuration
    }

    static func syn(_ options: Options, flags: TCPFlags = .syn, acknowledging number: Int = 0) -> TCPHeader {
        var header = TCPHeader(
            sourcePort: serverAddress.port, destinationPort: clientAddress.port, sequenceNumber: Self.number(theirs),
            acknowledgmentNumber: Self.number(number), flags: flags, window: options.window)
        header.options.maximumSegmentSize = UInt16(segmentSize)
        header.options.isSACKPermitted = options.sack
        header.options.windowScale = options.windowScale
        if options.timestamps { header.options.timestamps = TCPTimestamps(value: 5_000, echo: 0) }
        return header
    }

    // MARK: One for each state

    static func synSent(_ change: (inout TCPControlBlock.Configuration) -> Void = { _ in }) -> Scripted {
        let now = Instant(nanoseconds: 10_000_000_000)
        let control = TCPControlBlock(
            connectingFrom: clientAddress, to: serverAddress, initialSequenceNumber: number(ours),
            configuration: configuration(change), now: now)
        let script = Scripted(control, at: now)
        script.expect(.syn, 100, 0)
        return script
    }

    static func synReceived(
        _ options: Options = Options(), _ change: (inout TCPControlBlock.Configuration) -> Void = { _ in }
    ) -> Scripted {
        let now = Instant(nanoseconds: 10_000_000_000)
        let control = TCPControlBlock(
            accepting: syn(options), local: clientAddress, remote: serverAddress, initialSequenceNumber: number(ours),
            configuration: configuration(change), now: now)
        let script = Scripted(control, at: now)
        if options.timestamps { script.timestamp = 5_001 }
        script.expect([.syn, .ack], 100, 1_001)
        return script
    }

    /// After a handshake that took 10 ms.
    static func established(
        _ options: Options = Options(), _ change: (inout TCPControlBlock.Configuration) -> Void = { _ in }
    ) -> Scripted {
        let script = synReceived(options, change)
        script.now = script.now + .milliseconds(10)
        script.send(.ack, 1_001, 101, window: options.window)
        #expect(script.control.state == .established)
        script.events = []
        return script
    }

    static func closeWait() -> Scripted {
        let script = established()
        script.send([.fin, .ack], 1_001, 101)
        script.expect(.ack, 101, 1_002)
        #expect(script.control.state == .closeWait)
        return script
    }

    static func finWait1() -> Scripted {
        let script = established()
        script.control.finish()
        script.expect([.fin, .ack], 101, 1_001)
        #expect(script.control.state == .finWait1)
        return script
    }

    static func finWait2() -> Scripted {
        let script = finWait1()
        script.send(.ack, 1_001, 102)
        #expect(script.control.state == .finWait2)
        return script
    }

    static func closing() -> Scripted {
        let script = finWait1()
        script.send([.fin, .ack], 1_001, 101)
        script.expect(.ack, 102, 1_002)
        #expect(script.control.state == .closing)
        return script
    }

    static func lastAck() -> Scripted {
        let script = closeWait()
        script.control.finish()
        script.expect([.fin, .ack], 101, 1_002)
        #expect(script.control.state == .lastAck)
        return script
    }

    static func timeWait() -> Scripted {
        let script = finWait2()
        script.send([.fin, .ack], 1_001, 102)
        script.expect(.ack, 102, 1_002)
        #expect(script.control.isTimeWait)
        return script
    }

    static func everyState() -> [(name: String, script: Scripted)] {
        [
            ("SYN-SENT", synSent()), ("SYN-RECEIVED", synReceived()), ("ESTABLISHED", established()), ("CLOSE-WAIT", closeWait()),
            ("FIN-WAIT-1", finWait1()), ("FIN-WAIT-2", finWait2()), ("CLOSING", closing()), ("LAST-ACK", lastAck()),
            ("TIME-WAIT", timeWait()),
        ]
    }

    // MARK: The peer

    @discardableResult
    func send(
        _ flags: TCPFlags, _ sequence: Int, _ acknowledgment: Int, window: UInt16 = 60_000, _ payload: [UInt8] = [],
        sack: [(Int, Int)] = [], timestamps: TCPTimestamps? = nil
    ) -> TCPEvents {
        var header = TCPHeader(
            sourcePort: control.remote.port, destinationPort: control.local.port, sequenceNumber: Self.number(sequence),
            acknowledgmentNumber: Self.number(acknowledgment), flags: flags, window: window)
        for block in sack { header.options.sackBlocks.append(SACKBlock(left: Self.number(block.0), right: Self.number(block.1))) }
        header.options.timestamps = timestamps ?? timestamp.map { TCPTimestamps(value: $0, echo: 0) }
        let happened = control.handle(header, payload.rawBytes, now: now)
        events.formUnion(happened)
        check()
        return happened
    }

    private func check(_ location: SourceLocation = #_sourceLocation) {
        if let inconsistency = control.inconsistency { Issue.record("\(inconsistency)", sourceLocation: location) }
    }

    // MARK: Our side

    func next(maximumByteCount: Int = 0) -> Segment? {
        guard let transmission = control.nextTransmission(now: now, maximumByteCount: maximumByteCount) else { return nil }
        let payload = control.withPayload(of: transmission) { [UInt8](copying: $0) + [UInt8](copying: $1) }
        check()
        return Segment(header: transmission.header, payload: payload)
    }

    @discardableResult
    func expect(
        _ flags: TCPFlags, _ sequence: Int, _ acknowledgment: Int, _ payload: [UInt8]? = nil, count: Int? = nil, sack: [(Int, Int)]? = nil,
        ignoring ignored: TCPFlags = [], location: SourceLocation = #_sourceLocation
    ) -> Segment? {
        guard let segment = next() else {
            Issue.record("nothing is sent", sourceLocation: location)
            return nil
        }
        let header = segment.header
        let isRight =
            header.flags.subtracting(ignored.union(.psh)) == flags.subtracting(.psh) && header.sequenceNumber == Self.number(sequence)
            && (!flags.contains(.ack) || header.acknowledgmentNumber == Self.number(acknowledgment))
        if !isRight {
            Issue.record(
                "sent flags \(header.flags.rawValue), \(header.sequenceNumber.rawValue), \(header.acknowledgmentNumber.rawValue)",
                sourceLocation: location)
        }
        if let payload { #expect(segment.payload == payload, sourceLocation: location) }
        if let count { #expect(segment.payload.count == count, sourceLocation: location) }
        if let sack {
            let blocks = (0..<header.options.sackBlocks.count).map { header.options.sackBlocks[$0] }
            #expect(
                blocks == sack.map { SACKBlock(left: Self.number($0.0), right: Self.number($0.1)) }, sourceLocation: location)
        }
        return segment
    }

    func expectNothing(_ location: SourceLocation = #_sourceLocation) {
        if let segment = next() { Issue.record("sent \(segment.header)", sourceLocation: location) }
    }

    /// Everything that is sent now is of no interest.
    func drain() {
        var count = 0
        while next() != nil, count < 10_000 { count += 1 }
    }

    func write(_ count: Int) -> Int { control.write(TransferTests.pattern(count)) }

    /// The time passes; nothing may become due, nor be sent, before its end.
    func wait(_ duration: Duration) {
        let end = now + duration
        while let deadline = control.nextDeadline, deadline <= end {
            now = max(now, deadline)
            events.formUnion(control.tick(now: now))
            check()
            if control.nextDeadline == deadline { break }
        }
        now = end
    }

    /// Nothing is sent for `duration`, less a moment; then the time is reached.
    func expectNothing(for duration: Duration, location: SourceLocation = #_sourceLocation) {
        let end = now + duration
        while let deadline = control.nextDeadline, deadline < end {
            now = max(now, deadline)
            events.formUnion(control.tick(now: now))
            check()
            if let segment = next() {
                let early = now.duration(to: end)
                Issue.record("sent \(early) too early: \(segment.header)", sourceLocation: location)
                return
            }
            if control.nextDeadline == deadline { break }
        }
        now = end
        events.formUnion(control.tick(now: now))
        check()
    }
}
