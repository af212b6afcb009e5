import Errno

extension MutableRawSpan {
    func word32(at offset: Int) throws(Errno) -> UInt32 {
        guard offset + 4 <= byteCount else { throw .efault }
        // SAFETY: inside of the span; any bits are a number.
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }

    func word64(at offset: Int) throws(Errno) -> UInt64 {
        guard offset + 8 <= byteCount else { throw .efault }
        // SAFETY: as above.
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
}
