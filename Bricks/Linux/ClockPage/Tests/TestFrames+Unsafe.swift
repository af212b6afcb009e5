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

    /// The first words of a frame.
    func words(of frame: Frame) -> [UInt64] {
        // SAFETY: the frame is in use, and it has more words than that.
        let place = unsafe UnsafePointer<UInt64>(bitPattern: address(of: frame))!
        return (0..<9).map { unsafe place[$0] }
    }

    override func takeChunk() -> (first: Frame, isZero: Bool)? {
        guard let index = available.popLast() else { return nil }
        return (Frame(number: UInt64(index * PageFrames.framesPerChunk)), false)
    }
    override func giveChunk(_ first: Frame) { available.append(Int(first.number) / PageFrames.framesPerChunk) }
    override var reserveCount: Int { available.count * PageFrames.framesPerChunk }
}
