extension StaticString {
    /// The UTF-8 byte at `index`.
    func byte(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < utf8CodeUnitCount)
        // SAFETY: a static string lives for ever, and the index was checked.
        return unsafe utf8Start[index]
    }
}
