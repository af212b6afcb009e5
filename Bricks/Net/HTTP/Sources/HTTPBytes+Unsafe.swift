extension [UInt8] {
    mutating func append(_ bytes: RawSpan) {
        // SAFETY: the pointer is used only while the span's bytes are borrowed.
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
