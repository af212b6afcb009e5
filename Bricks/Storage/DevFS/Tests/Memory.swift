import Bytes
import Errno
import VFS

/// The memory of a program: a few bytes from address 0x1000 on.
final class Memory: UserBytes {
    private var bytes = [UInt8](repeating: 0, count: 4096)

    private func offset(_ address: UInt64, _ count: Int) throws(Errno) -> Int {
        guard address >= 0x1000, address <= 0x2000, count <= Int(0x2000 - address) else { throw .efault }
        return Int(address - 0x1000)
    }
    func copyIn(_ address: UInt64, into target: inout MutableRawSpan) throws(Errno) {
        let start = try offset(address, target.byteCount)
        let bytes = bytes
        target.replace(from: 0, with: bytes.raw.extracting(start..<start + target.byteCount))
    }
    func copyOut(_ source: RawSpan, to address: UInt64) throws(Errno) {
        bytes.replace(from: try offset(address, source.byteCount), with: source)
    }
    subscript(range: Range<Int>) -> [UInt8] {
        get { Array(bytes[range]) }
        set { bytes.replaceSubrange(range, with: newValue) }
    }
}
