/// Bytes of the heap that one owner holds; they go back when it ends.
///
/// The way to ask for memory that may not be there: an array that grows beyond the instance ends the instance
/// with status 134, a block throws.
public struct MemoryBlock: ~Copyable {
    private let address: UInt
    public let byteCount: Int

    /// `byteCount` zero bytes. `alignment` is a power of two.
    public init(byteCount: Int, alignment: Int = 16) throws(OutOfMemory) {
        guard byteCount >= 0, alignment > 0, alignment & (alignment - 1) == 0,
            let address = withHeap({ heap in heap.allocate(byteCount: byteCount, alignment: max(alignment, 16)) })
        else { throw OutOfMemory(byteCount: byteCount) }
        self.address = address
        self.byteCount = byteCount
        // SAFETY: the heap just gave these bytes to this block alone.
        unsafe UnsafeMutableRawPointer(bitPattern: address)!.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    deinit { _ = withHeap { heap in heap.free(address) } }

    /// The byte at `offset`, which must be below `byteCount`.
    public subscript(offset: Int) -> UInt8 {
        get {
            precondition(offset >= 0 && offset < byteCount)
            // SAFETY: the offset is inside of the block, whose bytes were all initialised.
            return unsafe UnsafePointer(bitPattern: address)![offset]
        }
        set {
            precondition(offset >= 0 && offset < byteCount)
            // SAFETY: as above.
            unsafe UnsafeMutablePointer(bitPattern: address)![offset] = newValue
        }
    }
}
