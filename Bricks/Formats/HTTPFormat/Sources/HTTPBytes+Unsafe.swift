extension RawSpan {
    /// The same bytes, one by one.
    var octets: Span<UInt8> {
        @_lifetime(copy self) get {
            Span<UInt8>(_bytes: self)
        }
    }
}

extension [UInt8] {
    mutating func append(_ bytes: Span<UInt8>) {
        // SAFETY: the pointer is used only while the span's bytes are borrowed.
        unsafe bytes.withUnsafeBufferPointer { pointer in unsafe append(contentsOf: pointer) }
    }
}
