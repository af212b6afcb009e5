import Bytes
import NetFormats
import Random
import TCP
import Time

/// Hostile segments, and everything else that can happen to a control block, in every state and in any order. A finding is a trap
/// or an inconsistency.
public struct SegmentFuzzer {
    public private(set) var random: SplitMix
    private var control: TCPControlBlock
    private var now = Instant(nanoseconds: 1 << 40)
    /// What the control block sent last: a peer's own numbers come from it.
    private var last: TCPHeader?
    private let payload: [UInt8]
    public private(set) var stepCount = 0
    /// How many runs ended in each way, so that one can see that all states were met.
    public private(set) var established = 0
    private var limits = (receive: 0, send: 0)

    public init(seed: UInt64) {
        random = SplitMix(state: seed)
        payload = StreamPattern(seed: seed).bytes(from: 0, count: 70_000)
        control = TCPControlBlock(
            connectingFrom: ConnectionSimulation.clientAddress, to: ConnectionSimulation.serverAddress,
            initialSequenceNumber: SequenceNumber(rawValue: 0), now: now)
    }

    /// One connection from its beginning through some hundred events. Returns what is wrong, if anything is.
    public mutating func run() -> String? {
        begin()
        let count = random.magnitude(in: 1...600)
        for _ in 0..<count {
            stepCount += 1
            step()
            if let inconsistency = control.inconsistency { return inconsistency }
            let bound = 4 * (max(limits.receive, 1 << 16) + max(limits.send, 1 << 16))
            if control.bufferedCapacity > bound { return "\(control.bufferedCapacity) bytes are buffered" }
        }
        if control.state == .established { established += 1 }
        return nil
    }

    private mutating func begin() {
        var configuration = TCPControlBlock.Configuration()
        configuration.maximumSegmentSize = random.pick([1_460, 536, 64, 0, 9_000, 70_000])
        configuration.receiveBufferLimit = random.magnitude(in: 1...1 << 20)
        configuration.sendBufferLimit = random.magnitude(in: 1...1 << 20)
        configuration.isNoDelay = random.happens(million / 2)
        configuration.retransmissionLimit = UInt8(random.number(in: 0...255))
        if random.happens(million / 4) { configuration.keepAlive = .init(idle: .seconds(1), interval: .seconds(1), probeCount: 200) }
        if random.happens(million / 4) { configuration.userTimeout = .seconds(3) }
        limits = (configuration.receiveBufferLimit, configuration.sendBufferLimit)
        let ends = (ConnectionSimulation.clientAddress, ConnectionSimulation.serverAddress)
        let number = SequenceNumber(rawValue: random.happens(million / 2) ? .max - 500 : UInt32(truncatingIfNeeded: random.next()))
        let offset = UInt32(truncatingIfNeeded: random.next())
        last = nil
        var syn = header(.syn)
        fillOptions(&syn.options)
        let isActive = random.happens(million / 2)
        if isActive {
            control = TCPControlBlock(
                connectingFrom: ends.0, to: ends.1, initialSequenceNumber: number, timestampOffset: offset, configuration: configuration,
                now: now)
        } else {
            control = TCPControlBlock(
                accepting: syn, local: ends.0, remote: ends.1, initialSequenceNumber: number, timestampOffset: offset,
                configuration: configuration, now: now)
        }
        transmit()
        // Most runs get past the handshake.
        guard !random.happens(million / 8) else { return }
        var answer = header(isActive ? [.syn, .ack] : .ack)
        if answer.flags.contains(.syn) { answer.options = syn.options }
        answer.sequenceNumber = answer.flags.contains(.syn) ? syn.sequenceNumber : syn.sequenceNumber + 1
        if let timestamps = syn.options.timestamps { answer.options.timestamps = TCPTimestamps(value: timestamps.value, echo: 0) }
        give(answer, 0)
    }

    private mutating func step() {
        switch random.number(in: 0...20) {
        case 0...9: give(segment(), random.happens(million / 2) ? 0 : random.magnitude(in: 1...70_000))
        case 10:
            let payload = payload
            let count = random.magnitude(in: 1...70_000)
            _ = control.write(payload.rawBytes.extracting(first: count))
        case 11: control.consume(random.magnitude(in: 1...70_000))
        case 12, 13: pass(random.magnitude(in: 1...1 << 42))
        case 14:
            if let deadline = control.nextDeadline, deadline > now { now = deadline }
            pass(0)
        case 15...17: transmit()
        case 18: rarely()
        case 19:
            let size = random.pick([-5, 0, 100, 536, 1_200, 1_460, 9_000, .max])
            let number = (last?.sequenceNumber ?? SequenceNumber(rawValue: 0)) + random.number(in: -3...3)
            _ = control.handle(random.pick([.refused, .unreachable, .tooBig(maximumSegmentSize: size)]), quoting: number, now: now)
        default:
            if let again = restored() { control = again }
        }
    }

    private mutating func rarely() {
        switch random.number(in: 0...40) {
        case 0: control.abort()
        case 1: control.close(now: now)
        case 2...5: control.finish()
        case 6...9:
            limits = (max(limits.receive, 1 << 20), max(limits.send, 1 << 20))
            control.setBufferLimits(receive: random.magnitude(in: 1...1 << 20), send: random.magnitude(in: 1...1 << 20))
        case 10: control.pathMaximumSegmentSizeChanged(to: random.pick([-1, 0, 64, 536, 9_000, .max]))
        case 11: control.setKeepAlive(nil, now: now)
        default: control.isNoDelay.toggle()
        }
    }

    private mutating func pass(_ nanoseconds: Int) {
        now = now.advanced(by: .nanoseconds(nanoseconds))
        _ = control.tick(now: now)
    }

    private mutating func transmit() {
        let limit = random.pick([0, 1, 1_000, 65_000, .max])
        var count = 0
        while let transmission = control.nextTransmission(now: now, maximumByteCount: limit) {
            if random.happens(million / 20) {
                control.withdraw(transmission, now: now)
                return
            }
            last = transmission.header
            let seen = control.withPayload(of: transmission) { $0.byteCount + $1.byteCount }
            precondition(seen == transmission.byteCount && transmission.segmentSize > 0)
            count += 1
            precondition(count < 100_000, "no end of transmissions")
        }
    }

    private mutating func give(_ header: TCPHeader, _ byteCount: Int) {
        let payload = payload
        _ = control.handle(header, payload.rawBytes.extracting(first: byteCount), now: now)
    }

    private func restored() -> TCPControlBlock? {
        var bytes = [UInt8](repeating: 0, count: control.savedByteCount(now: now))
        var span = bytes.mutableSpan
        var writer = ByteWriter(&span)
        guard (try? control.save(into: &writer, now: now)) != nil else { preconditionFailure("a state is not saved") }
        var reader = ByteReader(bytes.rawBytes)
        guard let again = try? TCPControlBlock(restoring: &reader, now: now) else { preconditionFailure("a state is not restored") }
        return again
    }

    // MARK: Segments

    /// In its place, as far as that is known.
    private func header(_ flags: TCPFlags) -> TCPHeader {
        TCPHeader(
            sourcePort: control.remote.port, destinationPort: control.local.port,
            sequenceNumber: last?.acknowledgmentNumber ?? SequenceNumber(rawValue: 7_000),
            acknowledgmentNumber: (last?.sequenceNumber ?? SequenceNumber(rawValue: 0)) + 1, flags: flags, window: 60_000)
    }

    private mutating func segment() -> TCPHeader {
        var header = header(.ack)
        if random.happens(million / 8) { header.flags = TCPFlags(rawValue: UInt8(truncatingIfNeeded: random.next())) }
        if random.happens(million / 50) { header.flags = random.pick([[.fin, .ack], .rst, .syn, [.rst, .ack], []]) }
        if random.happens(million / 2) { header.sequenceNumber += distance() }
        if random.happens(million * 3 / 4) { header.acknowledgmentNumber += distance() }
        if random.happens(million / 3) { header.window = UInt16(random.magnitude(in: 1...65_535)) &- 1 }
        if let timestamps = last?.options.timestamps {
            let value = timestamps.echo &+ UInt32(random.number(in: 0...3)) &- (random.happens(million / 10) ? 5 : 0)
            header.options.timestamps = TCPTimestamps(value: value, echo: timestamps.value &- UInt32(random.number(in: 0...200)))
        }
        if random.happens(million / 3) {
            for _ in 0..<random.number(in: 1...4) {
                let left = header.acknowledgmentNumber + distance()
                header.options.sackBlocks.append(SACKBlock(left: left, right: left + distance()))
            }
        }
        if random.happens(million / 20) { fillOptions(&header.options) }
        return header
    }

    /// Usually near, sometimes anywhere.
    private mutating func distance() -> Int {
        let magnitude = random.happens(million / 10) ? random.magnitude(in: 1...1 << 32) : random.magnitude(in: 1...100_000)
        return random.happens(million / 3) ? -magnitude : magnitude - 1
    }

    private mutating func fillOptions(_ options: inout TCPOptions) {
        if random.happens(million * 3 / 4) { options.maximumSegmentSize = random.pick([1_460, 536, 0, 1, 65_535]) }
        if random.happens(million / 2) { options.windowScale = UInt8(truncatingIfNeeded: random.next() & 15) }
        options.isSACKPermitted = random.happens(million * 3 / 4)
        if random.happens(million / 2) {
            options.timestamps = TCPTimestamps(
                value: UInt32(truncatingIfNeeded: random.next()), echo: UInt32(truncatingIfNeeded: random.next()))
        }
    }
}
