import Bytes
import Errno

/// Copies from and to the memory of a program. A failed copy throws `.efault`; it may have copied a part.
public protocol UserBytes: AnyObject {
    func copyIn(_ address: UInt64, into bytes: inout MutableRawSpan) throws(Errno)
    func copyOut(_ bytes: RawSpan, to address: UInt64) throws(Errno)

    // Requirements, though the extension has them all: Embedded Swift has no code for an extension's own method on a
    // value of a class-bound protocol, and the call would trap. Nor are they generic, for the same reason.
    func copyIn(_ type: UInt64.Type, at address: UInt64) throws(Errno) -> UInt64
    func copyIn(_ type: UInt32.Type, at address: UInt64) throws(Errno) -> UInt32
    func copyIn(_ type: Int32.Type, at address: UInt64) throws(Errno) -> Int32
    func copyOut(_ value: UInt64, to address: UInt64) throws(Errno)
    func copyOut(_ value: UInt32, to address: UInt64) throws(Errno)
    func copyOut(_ value: Int32, to address: UInt64) throws(Errno)
}

extension UserBytes {
    public func copyIn(_ type: UInt64.Type, at address: UInt64) throws(Errno) -> UInt64 { try copyIn(address, byteCount: 8) }
    public func copyIn(_ type: UInt32.Type, at address: UInt64) throws(Errno) -> UInt32 {
        UInt32(truncatingIfNeeded: try copyIn(address, byteCount: 4))
    }
    public func copyIn(_ type: Int32.Type, at address: UInt64) throws(Errno) -> Int32 {
        Int32(truncatingIfNeeded: try copyIn(address, byteCount: 4))
    }
    public func copyOut(_ value: UInt64, to address: UInt64) throws(Errno) { try copyOut(value, byteCount: 8, to: address) }
    public func copyOut(_ value: UInt32, to address: UInt64) throws(Errno) { try copyOut(UInt64(value), byteCount: 4, to: address) }
    public func copyOut(_ value: Int32, to address: UInt64) throws(Errno) {
        try copyOut(UInt64(UInt32(bitPattern: value)), byteCount: 4, to: address)
    }

    private func copyIn(_ address: UInt64, byteCount: Int) throws(Errno) -> UInt64 {
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        var raw = span.raw
        var part = raw._mutatingExtracting(first: byteCount)
        try copyIn(address, into: &part)
        var value: UInt64 = 0
        for index in (0..<byteCount).reversed() { value = value << 8 | UInt64(bytes[index]) }
        return value
    }

    private func copyOut(_ value: UInt64, byteCount: Int, to address: UInt64) throws(Errno) {
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        for index in 0..<byteCount { bytes[index] = UInt8(truncatingIfNeeded: value >> UInt64(index * 8)) }
        try copyOut(bytes.span.raw.extracting(first: byteCount), to: address)
    }
}
