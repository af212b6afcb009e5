import PageFrames

/// Frames of memory of the test's own.
final class TestFrames: PageFrames {
    private let start: UInt
    private var available: [Int]

    init(chunkLimit: Int) {
        let byteCount = PageFrames.framesPerChunk * Frame.byteCount
        // SAFETY: the memory is this object's own until deinit; frames are only used while it lives.
        start = UInt(bitPattern: UnsafeMutableRawPointer.allocate(byteCount: chunkLimit * byteCount, alignment: byteCount))
        available = Array((0..<chunkLimit).reversed())
        super.init(directMap: start)
    }

    // SAFETY: as above.
    deinit { unsafe UnsafeMutableRawPointer(bitPattern: start)!.deallocate() }

    override func takeChunk() -> (first: Frame, isZero: Bool)? {
        guard let index = available.popLast() else { return nil }
        return (Frame(number: UInt64(index * PageFrames.framesPerChunk)), false)
    }
    override func giveChunk(_ first: Frame) { available.append(Int(first.number) / PageFrames.framesPerChunk) }
    var tableRoom = true
    override var hasRoomForTables: Bool { tableRoom }
    override var reserveCount: Int { available.count * PageFrames.framesPerChunk }
}
