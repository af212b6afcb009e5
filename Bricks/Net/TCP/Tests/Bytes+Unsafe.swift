extension [UInt8] {
    var rawBytes: RawSpan {
        @_lifetime(borrow self) get {
            // SAFETY: bytes have no padding; the span borrows the array.
            unsafe span.bytes
        }
    }
}
