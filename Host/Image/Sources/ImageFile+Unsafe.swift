import ELFFormat

extension ImageLayout {
    /// Checks the file's first bytes, see `init(parsing:fileByteCount:)`.
    init(prefix: [UInt8], fileByteCount: Int) throws(ELFError) {
        // SAFETY: bytes have no padding, so their raw view shows nothing uninitialized; it ends with this call.
        try unsafe self.init(parsing: prefix.span.bytes, fileByteCount: fileByteCount)
    }
}
