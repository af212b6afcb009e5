/// Whole runs of bytes, for buffers that are the driver's between two uses by the device.
extension SharedMemory {
    // SAFETY (both): the precondition keeps the access inside of the memory, which `init`'s caller keeps mapped; a device that changes
    // a buffer which is not its own changes bytes, never an offset.

    /// Copies all of `bytes` to `offset` and on.
    public func copy(_ bytes: RawSpan, to offset: Int) {
        precondition(offset >= 0 && offset <= byteCount && bytes.byteCount <= byteCount &- offset)
        guard bytes.byteCount > 0 else { return }
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawPointer(bitPattern: address(of: offset))!
                .copyMemory(from: source.baseAddress!, byteCount: source.count)
        }
    }

    /// Lends the bytes from `offset` on.
    public func withBytes<R>(at offset: Int, byteCount count: Int, _ body: (RawSpan) -> R) -> R {
        precondition(offset >= 0 && offset <= byteCount && count >= 0 && count <= byteCount &- offset)
        let bytes = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(bitPattern: address(of: offset))!, byteCount: count)
        return body(bytes)
    }
}
