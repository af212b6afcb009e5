import Files

extension SiteFile {
    /// As Files.c lists them.
    static let all: [SiteFile] = (0..<web_file_count()).map { index in
        let file = unsafe web_file_at(index)
        // SAFETY: the names end with zero, and each file's bytes are as many as its row says.
        return unsafe SiteFile(
            path: String(cString: file.path), type: String(cString: file.type),
            bytes: ImageBytes(file.bytes, byteCount: Int(file.byte_count)))
    }
}

/// Bytes of the image itself, which never change and never go.
@safe struct ImageBytes: @unchecked Sendable {
    private let start: UnsafePointer<UInt8>
    let byteCount: Int

    @unsafe init(_ start: UnsafePointer<UInt8>, byteCount: Int) {
        unsafe self.start = start
        self.byteCount = byteCount
    }

    var span: RawSpan {
        @_lifetime(immortal) get {
            // SAFETY: constants of the image live as long as the instance.
            unsafe _overrideLifetime(RawSpan(_unsafeStart: start, byteCount: byteCount), copying: ())
        }
    }

    /// FNV-1a, 64 bits.
    var hash: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        // SAFETY: the indices are within the bytes.
        for index in 0..<byteCount { hash = unsafe (hash ^ UInt64(start[index])) &* 0x100_0000_01b3 }
        return hash
    }
}
