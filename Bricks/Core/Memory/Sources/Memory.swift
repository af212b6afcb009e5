/// The instance has no room for what was asked.
public struct OutOfMemory: Error, Equatable {
    public let byteCount: Int

    public init(byteCount: Int) { self.byteCount = byteCount }
}

/// The memory of this instance.
public enum Memory {
    /// What the heap holds now. Blocks that the language itself allocates count as well.
    public static var statistics: HeapStatistics { withHeap { heap in heap.statistics } }

    /// Bytes in pages that hold nothing.
    public static var freeByteCount: Int { withHeap { heap in heap.freeByteCount } }
}
