extension InternetChecksum {
    /// The sum of the words of `bytes` in the machine's order, a last odd byte being the first of its word.
    @usableFromInline
    static func sum(_ bytes: RawSpan) -> UInt64 {
        let count = bytes.byteCount
        var offset = 0
        // Two chains of additions with carry, so that one does not wait for the other.
        var first: UInt64 = 0
        var second: UInt64 = 0
        var carries: UInt64 = 0
        // SAFETY: every load lies below `count`, the span's own length; integers have no invalid bit pattern.
        while offset &+ 32 <= count {
            let a = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            let b = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 8, as: UInt64.self)
            let c = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 16, as: UInt64.self)
            let d = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 24, as: UInt64.self)
            add(a, to: &first, &carries)
            add(b, to: &second, &carries)
            add(c, to: &first, &carries)
            add(d, to: &second, &carries)
            offset &+= 32
        }
        while offset &+ 8 <= count {
            add(unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self), to: &first, &carries)
            offset &+= 8
        }
        var tail: UInt64 = 0
        var shift: UInt64 = 0
        while offset < count {
            tail |= UInt64(unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)) &<< shift
            shift &+= 8
            offset &+= 1
        }
        add(tail, to: &first, &carries)
        add(second, to: &first, &carries)
        let (total, carry) = first.addingReportingOverflow(carries)
        return total &+ (carry ? 1 : 0)
    }

    @inline(__always)
    private static func add(_ word: UInt64, to sum: inout UInt64, _ carries: inout UInt64) {
        let (total, carry) = sum.addingReportingOverflow(word)
        sum = total
        carries &+= carry ? 1 : 0
    }
}
