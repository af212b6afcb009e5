extension RawSpan {
    func byte(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount)
        // SAFETY: inside of the span.
        return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}
