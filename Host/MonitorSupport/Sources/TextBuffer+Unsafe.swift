extension TextBuffer {
    public mutating func append(_ text: StaticString) {
        // SAFETY: all literals here are strings, not single scalars, so the pointer is to utf8CodeUnitCount constant bytes.
        let bytes = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        for index in 0..<bytes.count { unsafe append(byte: bytes[index]) }
    }
}
