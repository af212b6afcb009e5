extension PageFrames {
    /// Where a frame lies in the direct map.
    public func address(of frame: Frame) -> UInt { directMap &+ UInt(truncatingIfNeeded: frame.address) }

    /// Reads and writes the bytes of a frame that the caller holds a reference of. Programs may change them at any time between two calls.
    public func withBytes<Result, Failure: Error>(of frame: Frame, _ body: (inout MutableRawSpan) throws(Failure) -> Result) throws(Failure)
        -> Result
    {
        // SAFETY: the direct map covers every frame that exists, and one processor runs either a program or this.
        let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address(of: frame))!
        var span = unsafe MutableRawSpan(_unsafeStart: pointer, byteCount: Frame.byteCount)
        return try body(&span)
    }

    func clear(_ frame: Frame) {
        // SAFETY: as above; the frame was free.
        unsafe UnsafeMutableRawPointer(bitPattern: address(of: frame))!.initializeMemory(
            as: UInt8.self, repeating: 0, count: Frame.byteCount)
    }
}
