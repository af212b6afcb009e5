import PageFrames

/// Frames of memory of the test's own, and as much again that is nobody's: pages of a layer.
final class TestFrames: PageFrames {
    private let start: UInt
    private let chunkLimit: Int
    private var available: [Int]

    init(chunkLimit: Int) {
        let byteCount = PageFrames.framesPerChunk * Frame.byteCount
        // SAFETY: the memory is this object's own until deinit; frames are only used while it lives.
        start = UInt(bitPattern: UnsafeMutableRawPointer.allocate(byteCount: 2 * chunkLimit * byteCount, alignment: byteCount))
        self.chunkLimit = chunkLimit
        available = Array((0..<chunkLimit).reversed())
        super.init(directMap: start)
    }

    // SAFETY: as above.
    deinit { unsafe UnsafeMutableRawPointer(bitPattern: start)!.deallocate() }

    func foreign(_ index: Int) -> Frame { Frame(number: UInt64(chunkLimit * PageFrames.framesPerChunk + index)) }

    override func takeChunk() -> (first: Frame, isZero: Bool)? {
        guard let index = available.popLast() else { return nil }
        return (Frame(number: UInt64(index * PageFrames.framesPerChunk)), false)
    }
    override func giveChunk(_ first: Frame) { available.append(Int(first.number) / PageFrames.framesPerChunk) }
    override var reserveCount: Int { available.count * PageFrames.framesPerChunk }
}
