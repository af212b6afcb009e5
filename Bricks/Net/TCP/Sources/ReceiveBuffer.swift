import Bytes
import NetFormats

/// What has arrived: the bytes in order that are not yet read, and behind gaps the islands that arrived early, each at the
/// place in the ring where it will be read.
struct ReceiveBuffer: Sendable {
    /// Bytes that arrived early: from `start` up to, not with, `end`.
    struct Island: Sendable {
        var start: SequenceNumber
        var end: SequenceNumber
    }

    struct Arrival {
        /// How far RCV.NXT moves.
        var advance = 0
        /// Bytes that were there already, to be reported (RFC 2883 §4).
        var duplicate: SACKBlock?
    }

    /// A segment that would make one more is dropped, and comes again.
    static var islandLimit: Int { 256 }

    private(set) var ring = RingBuffer()
    private(set) var readableByteCount = 0
    private(set) var islands: [Island] = []
    /// Places in the islands that changed last, latest first: they are reported first (RFC 2018 §4).
    private(set) var recent = InlineArray<4, SequenceNumber>(repeating: SequenceNumber(rawValue: 0))
    private(set) var recentCount = 0

    /// Where the last island ends, as a distance from `next`.
    func span(from next: SequenceNumber) -> Int { islands.isEmpty ? 0 : islands[islands.count - 1].end - next }

    /// Takes a payload that begins at `sequence`, not before `next` (RCV.NXT), and ends within the window.
    mutating func insert(_ payload: RawSpan, at sequence: SequenceNumber, next: SequenceNumber) -> Arrival {
        let offset = sequence - next
        let count = payload.byteCount
        if offset == 0 {
            ring.reserve(readableByteCount + max(count, span(from: next)), used: readableByteCount + span(from: next))
            ring.store(payload, at: readableByteCount)
            let advance = islands.isEmpty ? count : joined(next + count) - next
            readableByteCount += advance
            return Arrival(advance: advance)
        }
        let added = Island(start: sequence, end: sequence + count)
        let index = firstIsland(endingAtOrAfter: sequence)
        if index < islands.count, islands[index].start <= added.start, islands[index].end >= added.end {
            remember(sequence)
            return Arrival(duplicate: SACKBlock(left: added.start, right: added.end))
        }
        guard merge(added, at: index) else { return Arrival() }
        ring.reserve(readableByteCount + span(from: next), used: readableByteCount + previousSpan(from: next, without: added))
        ring.store(payload, at: readableByteCount + offset)
        remember(sequence)
        return Arrival()
    }

    /// The islands now include `added`; what the ring holds is at most their end, and the capacity bounds it too.
    private func previousSpan(from next: SequenceNumber, without added: Island) -> Int {
        min(span(from: next), max(0, ring.capacity - readableByteCount))
    }

    private func firstIsland(endingAtOrAfter sequence: SequenceNumber) -> Int {
        var low = 0, high = islands.count
        while low < high {
            let middle = (low + high) / 2
            if islands[middle].end < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// False if there are too many islands.
    private mutating func merge(_ added: Island, at index: Int) -> Bool {
        var end = index
        var merged = added
        while end < islands.count, islands[end].start <= merged.end {
            if islands[end].start < merged.start { merged.start = islands[end].start }
            if islands[end].end > merged.end { merged.end = islands[end].end }
            end += 1
        }
        if end > index {
            islands[index] = merged
            islands.removeSubrange(index + 1..<end)
        } else {
            guard islands.count < Self.islandLimit else { return false }
            islands.insert(merged, at: index)
        }
        return true
    }

    /// The end of what is in order once everything up to `end` is there.
    private mutating func joined(_ end: SequenceNumber) -> SequenceNumber {
        var end = end
        var count = 0
        while count < islands.count, islands[count].start <= end {
            if islands[count].end > end { end = islands[count].end }
            count += 1
        }
        islands.removeSubrange(0..<count)
        if islands.isEmpty {
            islands = []
            recentCount = 0
        }
        return end
    }

    /// Puts the island around `sequence` first.
    private mutating func remember(_ sequence: SequenceNumber) {
        let island = islands[firstIsland(endingAtOrAfter: sequence + 1)]
        var kept = recent
        var count = 1
        kept[0] = sequence
        for index in 0..<recentCount where count < kept.count {
            if recent[index] >= island.start, recent[index] < island.end { continue }
            kept[count] = recent[index]
            count += 1
        }
        recent = kept
        recentCount = count
    }

    /// Blocks to report: `duplicate`, then the islands that changed last (RFC 2018 §4, RFC 2883 §4).
    func sackBlocks(duplicate: SACKBlock?) -> SACKBlocks {
        var blocks = SACKBlocks()
        if let duplicate { blocks.append(duplicate) }
        guard !islands.isEmpty else { return blocks }
        for index in 0..<recentCount {
            let place = firstIsland(endingAtOrAfter: recent[index] + 1)
            guard place < islands.count, islands[place].start <= recent[index] else { continue }
            blocks.append(SACKBlock(left: islands[place].start, right: islands[place].end))
        }
        return blocks
    }

    /// Nothing can come behind a FIN.
    mutating func forgetIslands() {
        islands = []
        recentCount = 0
    }

    /// Removes bytes that have been read.
    mutating func consume(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= readableByteCount)
        readableByteCount -= byteCount
        ring.dropFirst(byteCount)
    }

    /// Gives memory back if nothing is kept.
    mutating func releaseIfEmpty() {
        if readableByteCount == 0, islands.isEmpty { self = ReceiveBuffer() }
    }

    /// `next` is RCV.NXT; `limit` bounds what is kept.
    mutating func code(with coder: inout StateCoder, next: SequenceNumber, limit: Int) throws(FormatError) {
        let nowhere = Island(start: next, end: next)
        try coder.code(&islands, limit: Self.islandLimit, empty: nowhere) { (coder, island) throws(FormatError) in
            try coder.code(&island.start)
            try coder.code(&island.end)
        }
        try coder.code(&readableByteCount, in: 0...limit)
        let beyond = span(from: next)
        guard (0...limit).contains(beyond) else { throw .invalid }
        try coder.code(&ring, byteCount: readableByteCount + beyond)
        // Which islands were reported last is not worth keeping: the last ones are as good.
        if coder.direction == .restoring, let last = islands.last {
            recent[0] = last.start
            recentCount = 1
        }
    }
}
