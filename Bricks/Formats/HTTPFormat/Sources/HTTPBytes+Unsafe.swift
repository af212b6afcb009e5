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

extension HTTPWriter {
    /// All that was written.
    public var unsent: RawSpan {
        @_lifetime(borrow self) get {
            // SAFETY: bytes have no padding, so their raw view shows nothing uninitialized; it borrows from the writer.
            unsafe bytes.span.bytes
        }
    }
}
