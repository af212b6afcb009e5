import Errno

/// Allocates frames and counts who uses them. Not thread-safe.
open class PageFrames {
    public static var framesPerChunk: Int { 64 }
    public static var referenceLimit: UInt16 { .max }

    /// The virtual address of physical address 0 in the direct map; it may wrap.
    let directMap: UInt
    private var chunks: [Chunk?] = []
    /// Chunks that have a free frame: where the next search begins.
    private var firstWithRoom = 0
    public private(set) var usedCount = 0
    public private(set) var chunkCount = 0

    public init(directMap: UInt) { self.directMap = directMap }

    /// The first frame of 64 fresh ones, a multiple of 64, and whether they are known to be zero; nil: no more memory.
    open func takeChunk() -> (first: Frame, isZero: Bool)? { nil }
    /// Takes back what `takeChunk` gave.
    open func giveChunk(_ first: Frame) {}
    /// Frames that could still be had, at least roughly.
    open var reserveCount: Int { 0 }
    /// Whether there is room for what keeps account of more pages; where not, programs have had all that there is.
    open var hasRoomForTables: Bool { true }

    /// Free frames of the chunks, and what more could be taken.
    public var freeCount: Int { chunkCount * Self.framesPerChunk - usedCount + reserveCount }

    /// One frame of zeros with one reference. `.enomem`: there is none.
    public func allocate() throws(Errno) -> Frame { try allocate(count: 1) }

    /// `count` neighbouring frames of zeros, each with one reference: a power of two up to 64, aligned to itself.
    public func allocate(count: Int) throws(Errno) -> Frame {
        precondition(count > 0 && count <= Self.framesPerChunk && count & (count - 1) == 0)
        var index = firstWithRoom
        while index < chunks.count {
            if let chunk = chunks[index] {
                if let frame = allocate(count, in: chunk) { return frame }
                if chunk.free == 0 && index == firstWithRoom { firstWithRoom += 1 }
            } else if index == firstWithRoom {
                firstWithRoom += 1
            }
            index += 1
        }
        guard let (first, isZero) = takeChunk() else { throw .enomem }
        let chunk = Chunk(first: first, isZero: isZero)
        let place = Int(first.number) / Self.framesPerChunk
        while chunks.count <= place { chunks.append(nil) }
        chunks[place] = chunk
        chunkCount += 1
        firstWithRoom = min(firstWithRoom, place)
        guard let frame = allocate(count, in: chunk) else { throw .enomem }
        return frame
    }

    private func allocate(_ count: Int, in chunk: Chunk) -> Frame? {
        guard let index = chunk.take(count) else { return nil }
        usedCount += count
        for offset in index..<index + count where chunk.dirty >> UInt64(offset) & 1 == 1 {
            clear(Frame(number: chunk.first.number + UInt64(offset)))
        }
        return Frame(number: chunk.first.number + UInt64(index))
    }

    private func chunk(of frame: Frame) -> Chunk? {
        let place = frame.number / UInt64(Self.framesPerChunk)
        return place < UInt64(chunks.count) ? chunks[Int(place)] : nil
    }

    /// Whether the frame is not one of these: a page of a read-only layer.
    public func isForeign(_ frame: Frame) -> Bool { chunk(of: frame) == nil }

    /// How many use the frame; foreign frames have `referenceLimit`.
    public func referenceCount(_ frame: Frame) -> UInt16 {
        guard let chunk = chunk(of: frame) else { return Self.referenceLimit }
        return chunk.counts[Int(frame.number) % Self.framesPerChunk]
    }

    /// One user more. `.enomem`: too many.
    public func retain(_ frame: Frame) throws(Errno) {
        guard let chunk = chunk(of: frame) else { return }
        let index = Int(frame.number) % Self.framesPerChunk
        precondition(chunk.counts[index] > 0, "a free frame has no users")
        guard chunk.counts[index] < Self.referenceLimit else { throw .enomem }
        chunk.counts[index] += 1
    }

    /// One user less; the last one frees the frame.
    public func release(_ frame: Frame) {
        guard let chunk = chunk(of: frame) else { return }
        let index = Int(frame.number) % Self.framesPerChunk
        precondition(chunk.counts[index] > 0, "a free frame has no users")
        chunk.counts[index] -= 1
        guard chunk.counts[index] == 0 else { return }
        chunk.free |= 1 << UInt64(index)
        chunk.dirty |= 1 << UInt64(index)
        usedCount -= 1
        let place = Int(frame.number) / Self.framesPerChunk
        firstWithRoom = min(firstWithRoom, place)
        guard chunk.free == .max else { return }
        chunks[place] = nil
        chunkCount -= 1
        giveChunk(chunk.first)
    }
}

/// 64 neighbouring frames.
final class Chunk {
    let first: Frame
    /// Bit n: frame n is free; frame n may hold something else than zeros.
    var free = UInt64.max
    var dirty: UInt64
    var counts = InlineArray<64, UInt16>(repeating: 0)

    init(first: Frame, isZero: Bool) {
        self.first = first
        dirty = isZero ? 0 : .max
    }

    func take(_ count: Int) -> Int? {
        let mask = count == 64 ? UInt64.max : (1 << UInt64(count)) - 1
        var index = count == 1 ? min(free.trailingZeroBitCount, 64) : 0
        while index < 64 {
            if free >> UInt64(index) & mask == mask {
                free &= ~(mask << UInt64(index))
                for offset in index..<index + count { counts[offset] = 1 }
                return index
            }
            index += count
        }
        return nil
    }
}
