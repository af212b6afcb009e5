import Bytes
import Errno
import PageFrames
import VFS

extension PageFrames {
    /// The bytes of one frame to another.
    func copy(_ source: Frame, to target: Frame) {
        // SAFETY: the direct map covers both, which do not overlap: the caller holds both and they differ.
        unsafe UnsafeMutableRawPointer(bitPattern: address(of: target))!.copyMemory(
            from: UnsafeRawPointer(bitPattern: address(of: source))!, byteCount: Frame.byteCount)
    }
}

/// The program's memory as calls see it. Every access is checked and brought in page by page before a byte is touched, so a bad
/// address is `.efault` and never a trap.
extension AddressSpace: UserBytes {
    /// `.efault` unless the program could access all of [address, address + byteCount).
    @inline(__always) public func prepare(_ address: UInt64, _ byteCount: Int, isWrite: Bool) throws(Errno) {
        guard byteCount >= 0, Self.isInside(address, UInt64(byteCount)) else {
            if byteCount == 0 { return }
            throw .efault
        }
        guard byteCount > 0 else { return }
        let need = isWrite ? PageTable.writable : PageTable.present
        var page = address & ~(Self.pageByteCount - 1)
        let end = address + UInt64(byteCount)
        while page < end {
            if table[page] & need == 0 || !isAccessible(page, isWrite) { try bringIn(page, isWrite) }
            page += Self.pageByteCount
        }
    }

    @inline(__always) private func isAccessible(_ page: UInt64, _ isWrite: Bool) -> Bool {
        guard let index = areaIndex(of: page) else { return false }
        return isWrite ? areas[index].protection.contains(.write) : !areas[index].protection.isEmpty
    }

    @inline(never) private func bringIn(_ page: UInt64, _ isWrite: Bool) throws(Errno) {
        do {
            try fault(page, isWrite: isWrite)
        } catch {
            throw .efault
        }
    }

    public func withReadable<Result>(_ address: UInt64, _ byteCount: Int, _ body: (RawSpan) throws(Errno) -> Result) throws(Errno) -> Result
    {
        try prepare(address, byteCount, isWrite: false)
        // SAFETY: prepare() made the pages readable at this address, where the one processor sees them; nothing unmaps them before a wait.
        let pointer = unsafe UnsafeRawPointer(bitPattern: UInt(byteCount == 0 ? 4096 : address))!
        return try body(unsafe RawSpan(_unsafeStart: pointer, byteCount: byteCount))
    }

    public func withWritable<Result>(
        _ address: UInt64, _ byteCount: Int, _ body: (inout MutableRawSpan) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        try prepare(address, byteCount, isWrite: true)
        // SAFETY: as above, writable.
        let pointer = unsafe UnsafeMutableRawPointer(bitPattern: UInt(byteCount == 0 ? 4096 : address))!
        var span = unsafe MutableRawSpan(_unsafeStart: pointer, byteCount: byteCount)
        return try body(&span)
    }

    public func copyIn(_ address: UInt64, into bytes: inout MutableRawSpan) throws(Errno) {
        let count = bytes.byteCount
        try prepare(address, count, isWrite: false)
        guard count > 0 else { return }
        // SAFETY: as in withReadable; the span is the caller's, and is not in the program's part of memory.
        unsafe bytes.withUnsafeMutableBytes { target in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: UInt(address)), count: count))
        }
    }

    public func copyOut(_ bytes: RawSpan, to address: UInt64) throws(Errno) {
        let count = bytes.byteCount
        try prepare(address, count, isWrite: true)
        guard count > 0 else { return }
        // SAFETY: as in withWritable.
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawPointer(bitPattern: UInt(address))!.copyMemory(from: source.baseAddress!, byteCount: count)
        }
    }

    public func read<Value: BitwiseCopyable>(_ type: Value.Type, at address: UInt64) throws(Errno) -> Value {
        try prepare(address, MemoryLayout<Value>.size, isWrite: false)
        // SAFETY: as in withReadable; a structure of the ABI has no invalid bits.
        return unsafe UnsafeRawPointer(bitPattern: UInt(address))!.loadUnaligned(as: type)
    }

    public func write<Value: BitwiseCopyable>(_ value: Value, at address: UInt64) throws(Errno) {
        try prepare(address, MemoryLayout<Value>.size, isWrite: true)
        // SAFETY: as in withWritable.
        unsafe UnsafeMutableRawPointer(bitPattern: UInt(address))!.storeBytes(of: value, as: Value.self)
    }

    /// The bytes before the zero at the end of a string. `.enametoolong`: there is none in `limit` bytes.
    public func string(at address: UInt64, limit: Int = 4096) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var at = address
        while bytes.count < limit {
            let count = min(Int(Self.pageByteCount - at % Self.pageByteCount), limit - bytes.count)
            let isEnd = try withReadable(at, count) { (span) throws(Errno) -> Bool in
                for index in 0..<count {
                    // SAFETY: the index is inside of the span.
                    let byte = unsafe span.unsafeLoad(fromByteOffset: index, as: UInt8.self)
                    if byte == 0 { return true }
                    bytes.append(byte)
                }
                return false
            }
            if isEnd { return bytes }
            at += UInt64(count)
        }
        throw .enametoolong
    }

    /// The words of an array that ends with a zero, as argv and envp are.
    public func words(at address: UInt64, limit: Int) throws(Errno) -> [UInt64] {
        var words: [UInt64] = []
        while true {
            let word = try read(UInt64.self, at: address &+ UInt64(words.count * 8))
            if word == 0 { return words }
            guard words.count < limit else { throw .e2big }
            words.append(word)
        }
    }
}
