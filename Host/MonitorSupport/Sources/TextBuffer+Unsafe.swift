extension TextBuffer {
    public mutating func append(_ text: StaticString) {
        // SAFETY: all literals here are strings, not single scalars, so the pointer is to utf8CodeUnitCount constant bytes.
        let bytes = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        for unsafebyte in unsafe bytes { append(byte: byte) }
    }
}
