extension RingBuffer {
    /// Copies `bytes` to `offset`, round the end if need be. They must fit the capacity.
    mutating func store(_ bytes: RawSpan, at offset: Int) {
        let count = bytes.byteCount
        guard count > 0 else { return }
        precondition(offset >= 0 && offset <= capacity &- count)
        let start = position(of: offset)
        let first = min(count, capacity &- start)
        // SAFETY: start + first and count - first are at most the capacity, by the minimum and the precondition; the source is
        // `count` bytes, borrowed for the call, and cannot be this array, which is exclusively accessed.
        unsafe storage.withUnsafeMutableBytes { (target) in
            unsafe bytes.withUnsafeBytes { (source) in
                let to = unsafe target.baseAddress.unsafelyUnwrapped, from = unsafe source.baseAddress.unsafelyUnwrapped
                unsafe (to + start).copyMemory(from: from, byteCount: first)
                if first < count { unsafe to.copyMemory(from: from + first, byteCount: count &- first) }
            }
        }
    }

    /// Shows `count` bytes from `offset` on: two pieces if they go round the end, else the second is empty.
    func withBytes<Result>(at offset: Int, count: Int, _ body: (RawSpan, RawSpan) -> Result) -> Result {
        precondition(offset >= 0 && count >= 0 && offset <= capacity &- count)
        // SAFETY: bytes have no padding; the spans borrow the array, which this value keeps during the call.
        let bytes = unsafe storage.span.bytes
        let start = capacity == 0 ? 0 : position(of: offset)
        let first = min(count, capacity &- start)
        return body(bytes.extracting(start..<start &+ first), bytes.extracting(0..<count &- first))
    }

    /// Copies `count` bytes from `offset` on to the start of `target`, which must have the room.
    func load(at offset: Int, count: Int, into target: inout MutableRawSpan) {
        guard count > 0 else { return }
        precondition(offset >= 0 && offset <= capacity &- count && count <= target.byteCount)
        let start = position(of: offset)
        let first = min(count, capacity &- start)
        // SAFETY: as in `store`, with the directions changed: both ends were checked against `count`.
        unsafe target.withUnsafeMutableBytes { (target) in
            unsafe storage.withUnsafeBytes { (source) in
                let to = unsafe target.baseAddress.unsafelyUnwrapped, from = unsafe source.baseAddress.unsafelyUnwrapped
                unsafe to.copyMemory(from: from + start, byteCount: first)
                if first < count { unsafe (to + first).copyMemory(from: from, byteCount: count &- first) }
            }
        }
    }

    /// Appends `count` bytes from `offset` on to `target`, which must have the room.
    func load(at offset: Int, count: Int, appendingTo target: inout OutputRawSpan) {
        guard count > 0 else { return }
        precondition(offset >= 0 && offset <= capacity &- count && count <= target.freeCapacity)
        let start = position(of: offset)
        let first = min(count, capacity &- start)
        // SAFETY: as in `store`; the bytes behind `used` are free, and as many as are written are then counted.
        unsafe target.withUnsafeMutableBytes { (target, used) in
            unsafe storage.withUnsafeBytes { (source) in
                let to = unsafe target.baseAddress.unsafelyUnwrapped + used, from = unsafe source.baseAddress.unsafelyUnwrapped
                unsafe to.copyMemory(from: from + start, byteCount: first)
                if first < count { unsafe (to + first).copyMemory(from: from, byteCount: count &- first) }
            }
            used += count
        }
    }
}

extension [UInt8] {
    /// The bytes, borrowed.
    var rawSpan: RawSpan {
        @_lifetime(borrow self) get {
            // SAFETY: bytes have no padding; the span borrows the array.
            unsafe span.bytes
        }
    }
}
