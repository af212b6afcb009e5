import Bytes
import NetFormats
import Time

/// The scoreboard: everything between SND.UNA and SND.NXT, in order, without gaps (RFC 6675 §3, with the times of RFC 8985 §5).
struct SentRanges: Sendable {
    /// Above this a new range joins the last one and takes its time: what was sent is bounded by the window, but a window of
    /// single bytes would cost more than the bytes.
    static var joinLimit: Int { 2_048 }
    /// Above this ranges are not split any more: what a report covers only in part counts as not reported.
    static var splitLimit: Int { 8_192 }

    private var ranges: [SentRange] = []
    /// Ranges before this index are done with.
    private var first = 0
    private(set) var sackedByteCount = 0
    private(set) var lostByteCount = 0

    var count: Int { ranges.count - first }
    var isEmpty: Bool { count == 0 }
    subscript(index: Int) -> SentRange { ranges[first + index] }
    var last: SentRange? { isEmpty ? nil : ranges[ranges.count - 1] }
    /// One fast question for: nothing is lost, and nothing reported.
    var isClean: Bool { sackedByteCount == 0 && lostByteCount == 0 }

    mutating func append(from start: SequenceNumber, to end: SequenceNumber, at now: Instant) {
        if let last, last.end == start, last.fate == .inFlight, !last.wasRetransmitted,
            last.transmitted == now || count >= Self.joinLimit
        {
            ranges[ranges.count - 1].end = end
            ranges[ranges.count - 1].transmitted = now
        } else {
            ranges.append(SentRange(start: start, end: end, transmitted: now))
        }
    }

    /// Everything before `sequence` has arrived.
    mutating func acknowledge(upTo sequence: SequenceNumber, _ delivery: inout Delivery) {
        while first < ranges.count, ranges[first].start < sequence {
            var range = ranges[first]
            if range.end > sequence {
                ranges[first].start = sequence
                range.end = sequence
            } else {
                first += 1
            }
            switch range.fate {
            case .sacked: sackedByteCount -= range.byteCount
            case .lost:
                lostByteCount -= range.byteCount
                delivery.add(range)
            case .inFlight, .retransmitted: delivery.add(range)
            }
        }
        if first == ranges.count {
            ranges.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 32, first * 2 >= ranges.count {
            ranges.removeSubrange(0..<first)
            first = 0
        }
    }

    /// The peer reports `block`.
    mutating func sack(_ block: SACKBlock, _ delivery: inout Delivery) {
        var index = firstRange(endingAfter: block.left)
        while index < ranges.count, ranges[index].start < block.right {
            if ranges[index].fate == .sacked {
                index += 1
                continue
            }
            if ranges[index].start < block.left {
                guard split(index, at: block.left) else { return }
                index += 1
            }
            if ranges[index].end > block.right {
                guard split(index, at: block.right) else { return }
            }
            let range = ranges[index]
            if range.fate == .lost { lostByteCount -= range.byteCount }
            sackedByteCount += range.byteCount
            delivery.sackedByteCount += range.byteCount
            delivery.add(range)
            ranges[index].fate = .sacked
            index = joined(index) + 1
        }
    }

    /// The peer reports that it has `sequence` twice, or nothing is known.
    func isSacked(_ sequence: SequenceNumber) -> Bool {
        let index = firstRange(endingAfter: sequence)
        return index < ranges.count && ranges[index].start <= sequence && ranges[index].fate == .sacked
    }

    /// Marks what RACK takes for lost (RFC 8985 §6.2 step 5). Returns how much that is, and the longest time after which another
    /// range would be.
    mutating func detectLosses(_ rack: RACK, window: Nanoseconds, now: Instant) -> (lost: Int, wait: Nanoseconds?) {
        var lost = 0
        var wait: Nanoseconds?
        let patience = rack.roundTripTime + window
        for index in first..<ranges.count where ranges[index].isOutstanding {
            let range = ranges[index]
            guard RACK.isSent(range.transmitted, range.end, before: rack.transmitted, rack.end) else { continue }
            let remaining = patience - (now - range.transmitted)
            if remaining > .zero {
                wait = max(wait ?? remaining, remaining)
            } else {
                ranges[index].fate = .lost
                lost += range.byteCount
            }
        }
        lostByteCount += lost
        return (lost, wait)
    }

    /// Marks everything that is outstanding, but for what `isRecent`: the timer has run out (RFC 6298 §5.4, RFC 8985 §6.3).
    mutating func loseAll(except isRecent: (SentRange) -> Bool) {
        for index in first..<ranges.count where ranges[index].isOutstanding {
            if index > first, isRecent(ranges[index]) { continue }
            ranges[index].fate = .lost
            lostByteCount += ranges[index].byteCount
        }
    }

    /// Marks the first `byteCount` bytes, for a peer that does not report (RFC 6582 §3.2). Returns what was not lost before.
    mutating func loseFirst(_ byteCount: Int) -> Int {
        guard !isEmpty, ranges[first].isOutstanding else { return 0 }
        if ranges[first].byteCount > byteCount { _ = split(first, at: ranges[first].start + byteCount) }
        ranges[first].fate = .lost
        lostByteCount += ranges[first].byteCount
        return ranges[first].byteCount
    }

    /// The peer no longer has what it reported (RFC 2018 §8): nothing that it said counts.
    mutating func forgetSacks() {
        for index in first..<ranges.count where ranges[index].fate == .sacked { ranges[index].fate = .inFlight }
        sackedByteCount = 0
    }

    /// What was taken for lost was not: it is in flight as before.
    mutating func forgetLosses() {
        for index in first..<ranges.count where ranges[index].fate == .lost {
            ranges[index].fate = ranges[index].wasRetransmitted ? .retransmitted : .inFlight
        }
        lostByteCount = 0
    }

    /// The first bytes to send again.
    var firstLost: (start: SequenceNumber, byteCount: Int)? {
        guard lostByteCount > 0 else { return nil }
        for index in first..<ranges.count where ranges[index].fate == .lost {
            return (ranges[index].start, ranges[index].byteCount)
        }
        return nil
    }

    /// The bytes from `start` to `end` go out again; they lie in one range, or the rest of it is taken too.
    mutating func markRetransmitted(from start: SequenceNumber, to end: SequenceNumber, at now: Instant) {
        var index = firstRange(endingAfter: start)
        guard index < ranges.count else { return }
        if ranges[index].start < start, split(index, at: start) { index += 1 }
        if ranges[index].end > end { _ = split(index, at: end) }
        if ranges[index].fate == .lost { lostByteCount -= ranges[index].byteCount }
        if ranges[index].fate == .sacked { sackedByteCount -= ranges[index].byteCount }
        ranges[index].fate = .retransmitted
        ranges[index].wasRetransmitted = true
        ranges[index].transmitted = now
    }

    /// The last bytes, from `start` on, were never sent.
    mutating func removeLast(from start: SequenceNumber) {
        while let last, last.end > start {
            if last.start < start {
                ranges[ranges.count - 1].end = start
            } else {
                ranges.removeLast()
            }
        }
        if isEmpty {
            ranges.removeAll(keepingCapacity: true)
            first = 0
        }
    }

    /// What `markRetransmitted` was told of has not gone out after all.
    mutating func markLost(from start: SequenceNumber, to end: SequenceNumber) {
        let index = firstRange(endingAfter: start)
        guard index < ranges.count, ranges[index].start == start, ranges[index].end <= end, ranges[index].fate == .retransmitted else {
            return
        }
        ranges[index].fate = .lost
        lostByteCount += ranges[index].byteCount
    }

    mutating func release() { self = SentRanges() }

    mutating func code(with coder: inout StateCoder) throws(FormatError) {
        ranges.removeSubrange(0..<first)
        first = 0
        let empty = SentRange(start: SequenceNumber(rawValue: 0), end: SequenceNumber(rawValue: 0), transmitted: .start)
        try coder.code(&ranges, limit: 2 * Self.splitLimit, empty: empty) { (coder, range) throws(FormatError) in
            try range.code(with: &coder)
        }
        try coder.code(&sackedByteCount, in: 0...1 << 31)
        try coder.code(&lostByteCount, in: 0...1 << 31)
    }

    /// An index into `ranges`.
    private func firstRange(endingAfter sequence: SequenceNumber) -> Int {
        var low = first, high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].end <= sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func split(_ index: Int, at sequence: SequenceNumber) -> Bool {
        guard count < Self.splitLimit else { return false }
        var second = ranges[index]
        second.start = sequence
        ranges[index].end = sequence
        ranges.insert(second, at: index + 1)
        return true
    }

    /// Joins the reported range at `index` with reported neighbours, whose times no longer matter. Returns where it is then.
    private mutating func joined(_ index: Int) -> Int {
        var index = index
        if index + 1 < ranges.count, ranges[index + 1].fate == .sacked {
            ranges[index].end = ranges[index + 1].end
            ranges.remove(at: index + 1)
        }
        if index > first, ranges[index - 1].fate == .sacked {
            ranges[index - 1].end = ranges[index].end
            ranges.remove(at: index)
            index -= 1
        }
        return index
    }
}
