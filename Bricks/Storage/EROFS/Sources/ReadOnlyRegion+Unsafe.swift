import PageFrames

/// Bytes that nobody changes, page-aligned: an image in the direct map.
@safe
public final class ReadOnlyRegion {
    private let start: UInt
    public let byteCount: Int
    private let frames: PageFrames

    /// Whoever calls promises that `byteCount` bytes from `start` on, a multiple of a page, can be read and never change for as long as the
    /// region or a frame from it is used. `frames` has the direct map in which they lie.
    @unsafe
    public init(start: UInt, byteCount: Int, frames: PageFrames) {
        precondition(start % UInt(Frame.byteCount) == 0 && byteCount >= 0 && start > 0)
        self.start = start
        self.byteCount = byteCount
        self.frames = frames
    }

    /// All of it.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // SAFETY: whoever made the region promised that the bytes are there and stay as they are.
            let pointer = unsafe UnsafeRawPointer(bitPattern: start)!
            return unsafe _overrideLifetime(RawSpan(_unsafeStart: pointer, byteCount: byteCount), borrowing: self)
        }
    }

    /// The frame of the page at `offset`, a multiple of a page; all of the page is inside.
    func frame(at offset: Int) -> Frame {
        precondition(offset % Frame.byteCount == 0 && offset >= 0 && offset <= byteCount - Frame.byteCount)
        let first = frames.address(of: Frame(number: 0))
        return Frame(number: UInt64((start &+ UInt(offset)) &- first) >> 12)
    }
}
