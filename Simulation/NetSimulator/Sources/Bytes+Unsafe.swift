extension [UInt8] {
    public var rawBytes: RawSpan {
        @_lifetime(borrow self) get {
            // SAFETY: bytes have no padding; the span borrows the array.
            unsafe span.bytes
        }
    }
}

extension RawSpan {
    public func isEqual(_ expected: (Int) -> UInt8) -> Bool {
        for index in 0..<byteCount {
            // SAFETY: any byte is a valid UInt8, and the index is within the span.
            if unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self) != expected(index) { return false }
        }
        return true
    }
}
