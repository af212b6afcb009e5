import EROFS
import PageFrames

/// Memory of the fuzzer's own, for images and for pages.
final class FuzzMemory {
    static let byteCount = 1 << 16
    let frames: FuzzFrames
    let region: ReadOnlyRegion
    private let start: UInt

    init(_ bytes: [UInt8]) {
        precondition(bytes.count <= Self.byteCount)
        frames = FuzzFrames()
        // SAFETY: allocated here, freed when this object goes; the region and its file system are not used after that.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.byteCount, alignment: 4096)
        unsafe bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { unsafe memory.copyMemory(from: base, byteCount: source.count) }
        }
        start = UInt(bitPattern: memory)
        region = unsafe ReadOnlyRegion(start: start, byteCount: bytes.count, frames: frames)
    }

    // SAFETY: as above.
    deinit { unsafe UnsafeMutableRawPointer(bitPattern: start)!.deallocate() }
}

/// One chunk of frames.
final class FuzzFrames: PageFrames {
    private let start: UInt
    private var isTaken = false

    init() {
        let byteCount = PageFrames.framesPerChunk * Frame.byteCount
        // SAFETY: as above; frames are only used while this object lives.
        start = UInt(bitPattern: UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 4096))
        super.init(directMap: start)
    }

    // SAFETY: as above.
    deinit { unsafe UnsafeMutableRawPointer(bitPattern: start)!.deallocate() }

    override func takeChunk() -> (first: Frame, isZero: Bool)? {
        if isTaken { return nil }
        isTaken = true
        return (Frame(number: 0), false)
    }
    override func giveChunk(_ first: Frame) { isTaken = false }
}
