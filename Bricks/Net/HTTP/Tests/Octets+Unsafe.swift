extension [UInt8] {
    func withOctets<Result>(_ body: (RawSpan) -> Result) -> Result {
        // SAFETY: bytes have no padding, so their raw view shows nothing uninitialized.
        unsafe body(span.bytes)
    }
}
