extension [UInt8] {
    var rawBytes: RawSpan {
        @_lifetime(borrow self) get {
            // SAFETY: bytes have no padding; the span borrows the array.
            unsafe span.bytes
        }
    }
}

extension RawSpan {
    var bytes: [UInt8] {
        // SAFETY: any byte is a valid UInt8, and the range is the span's own.
        (0..<byteCount).map { unsafe unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    }
}
