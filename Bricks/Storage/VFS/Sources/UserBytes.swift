import Bytes
import Errno

/// Copies from and to the memory of a program. A failed copy throws `.efault`; it may have copied a part.
public protocol UserBytes: AnyObject {
    func copyIn(_ address: UInt64, into bytes: inout MutableRawSpan) throws(Errno)
    func copyOut(_ bytes: RawSpan, to address: UInt64) throws(Errno)
}

extension UserBytes {
    public func copyIn<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at address: UInt64) throws(Errno) -> Value {
        var value = Value(0)
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        var raw = span.raw
        var part = raw._mutatingExtracting(first: MemoryLayout<Value>.size)
        try copyIn(address, into: &part)
        for index in (0..<MemoryLayout<Value>.size).reversed() { value = value << 8 | Value(truncatingIfNeeded: bytes[index]) }
        return value
    }

    public func copyOut<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, to address: UInt64) throws(Errno) {
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        for index in 0..<MemoryLayout<Value>.size { bytes[index] = UInt8(truncatingIfNeeded: value >> Value(index * 8)) }
        try copyOut(bytes.span.raw.extracting(first: MemoryLayout<Value>.size), to: address)
    }
}
