import EROFS
import Errno
import PageFrames

/// An image in memory of the test's own.
final class Image {
    let frames: TestFrames
    let region: ReadOnlyRegion
    private let start: UInt

    init(_ bytes: [UInt8], chunkLimit: Int = 4) {
        frames = TestFrames(chunkLimit: chunkLimit)
        let byteCount = max(4096, bytes.count)
        // SAFETY: the memory is allocated here and lives as long as this object; the region is not used after it.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 4096)
        unsafe bytes.withUnsafeBytes { unsafe memory.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(memory), byteCount: bytes.count) }
        start = UInt(bitPattern: memory)
        region = unsafe ReadOnlyRegion(start: start, byteCount: bytes.count, frames: frames)
    }

    // SAFETY: as above.
    deinit { unsafe UnsafeMutableRawPointer(bitPattern: start)!.deallocate() }

    func mount() throws(Errno) -> EROFS { try EROFS(region, frames: frames, device: 3) }
}
