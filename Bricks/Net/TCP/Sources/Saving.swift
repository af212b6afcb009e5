import Bytes
import NetFormats
import Time

// How the parts of a control block are saved and restored: each describes itself once.

extension RoundTripTime {
    mutating func code(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&smoothed)
        try coder.code(&variation)
        try coder.code(&minimum)
        try coder.code(&minimumTaken)
    }
}

extension RACK {
    mutating func code(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&transmitted)
        try coder.code(&end)
        try coder.code(&roundTripTime)
        try coder.code(&highestDelivered)
        try coder.code(&hasSeenReordering)
        try coder.code(&windowMultiplier)
        try coder.code(&windowPersistence)
        try coder.code(&duplicateRound, empty: end) { (coder, round) throws(FormatError) in try coder.code(&round) }
    }
}

extension Cubic {
    mutating func code(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&window, in: 1...Self.greatestWindow)
        try coder.code(&threshold, in: 1...Self.greatestWindow)
        try coder.code(&lastMaximum, in: 0...Self.greatestWindow)
        try coder.code(&epoch, empty: coder.now) { (coder, epoch) throws(FormatError) in try coder.code(&epoch) }
        try coder.code(&growthMilliseconds)
        guard (0...1 << 40).contains(growthMilliseconds) else { throw .invalid }
        try coder.code(&origin, in: 0...Self.greatestWindow)
        try coder.code(&estimate, in: 0...Self.greatestWindow)
        try coder.code(&hyStart.roundEnd)
        try coder.code(&hyStart.lastRoundMinimum)
        try coder.code(&hyStart.roundMinimum)
        try coder.code(&hyStart.samples)
        try coder.code(&hyStart.baseline, empty: .zero) { (coder, baseline) throws(FormatError) in try coder.code(&baseline) }
        try coder.code(&hyStart.rounds)
        guard hyStart.rounds <= HyStart.cautiousRounds else { throw .invalid }
    }
}

extension Undo {
    mutating func code(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&window, in: 1...Cubic.greatestWindow)
        try coder.code(&threshold, in: 1...Cubic.greatestWindow)
        try coder.code(&lastMaximum, in: 0...Cubic.greatestWindow)
        try coder.code(&firstTimestamp, empty: 0) { (coder, timestamp) throws(FormatError) in try coder.code(&timestamp) }
        try coder.code(&unreportedByteCount, in: -(1 << 40)...1 << 40)
    }
}

extension Recovery {
    mutating func code(with coder: inout StateCoder) throws(FormatError) {
        var number: UInt8 = 0
        var end = SequenceNumber(rawValue: 0)
        var reduction = RateReduction(flight: 1)
        switch self {
        case .open: break
        case .fast(let fast):
            number = 1
            end = fast.end
            reduction = fast.reduction
        case .loss(let loss):
            number = 2
            end = loss.end
        }
        try coder.code(&number)
        try coder.code(&end)
        try coder.code(&reduction.flight, in: 1...1 << 31)
        try coder.code(&reduction.delivered, in: 0...1 << 31)
        try coder.code(&reduction.sent, in: 0...1 << 31)
        switch number {
        case 0: self = .open
        case 1: self = .fast(FastRecovery(end: end, reduction: reduction))
        case 2: self = .loss(LossRecovery(end: end))
        default: throw .invalid
        }
    }
}

extension SentRange {
    mutating func code(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&start)
        try coder.code(&end)
        try coder.code(&transmitted)
        var number = fate.rawValue
        try coder.code(&number)
        guard let fate = Fate(rawValue: number) else { throw .invalid }
        self.fate = fate
        try coder.code(&wasRetransmitted)
    }
}

extension TCPControlBlock.Configuration {
    mutating func code(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&maximumSegmentSize, in: 0...1 << 20)
        try coder.code(&receiveBufferLimit, in: 0...1 << 40)
        try coder.code(&sendBufferLimit, in: 0...1 << 40)
        try coder.code(&isNoDelay)
        try coder.code(&keepAlive, empty: .init()) { (coder, keepAlive) throws(FormatError) in try keepAlive.code(with: &coder) }
        try coder.code(&offersSACK)
        try coder.code(&offersTimestamps)
        try coder.code(&offersWindowScale)
        try coder.code(&retransmissionLimit)
        try coder.code(&synRetransmissionLimit)
        try codeTimes(with: &coder)
    }
}
