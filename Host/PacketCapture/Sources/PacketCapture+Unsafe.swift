import Glibc

extension PacketCapture {
    static func open(_ path: String) -> Int32 {
        // SAFETY: the name is borrowed for the call.
        unsafe path.withCString { name in unsafe Glibc.open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) }
    }

    /// Writes the pieces in one call, so that a reader sees whole frames.
    func write(_ a: RawSpan, _ b: RawSpan, _ c: RawSpan, _ d: RawSpan) {
        // SAFETY: the four buffers are borrowed for the call alone; writev reads them and keeps nothing.
        unsafe a.withUnsafeBytes { a in
            unsafe b.withUnsafeBytes { b in
                unsafe c.withUnsafeBytes { c in
                    unsafe d.withUnsafeBytes { d in
                        var pieces = unsafe [a, b, c, d].map { piece in
                            unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: piece.baseAddress), iov_len: piece.count)
                        }
                        let byteCount = a.count + b.count + c.count + d.count
                        let written = unsafe writev(descriptor, &pieces, 4)
                        // A file takes all or fails; what a full disk took of a frame would spoil the rest.
                        if written != byteCount { failure = written < 0 ? errno : ENOSPC }
                    }
                }
            }
        }
    }
}
