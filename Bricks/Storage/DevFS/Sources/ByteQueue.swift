import Bytes

/// Bytes that wait, first in, first out, at most `limit` of them.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var head = 0
    let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { bytes.count - head }
    var room: Int { limit - count }

    /// False: no room.
    @discardableResult
    mutating func append(_ byte: UInt8) -> Bool {
        guard count < limit else { return false }
        if head > 4096, head * 2 > bytes.count {
            bytes.removeFirst(head)
            head = 0
        }
        bytes.append(byte)
        return true
    }

    mutating func read(into target: inout MutableRawSpan, at most: Int) -> Int {
        let taken = min(target.byteCount, most, count)
        target.replace(from: 0, with: bytes.raw.extracting(head..<head + taken))
        drop(taken)
        return taken
    }

    mutating func drop(_ taken: Int) {
        head += taken
        if head == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.count <= 8192)
            head = 0
        }
    }

    mutating func removeAll() {
        bytes = []
        head = 0
    }
}
