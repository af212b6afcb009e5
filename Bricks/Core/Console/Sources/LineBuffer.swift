/// Input that has come but was not asked for yet, cut into lines.
struct LineBuffer: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0
    /// Bytes before this index hold no newline.
    private var searched = 0
    private(set) var isAtEnd = false

    /// No bytes are the end of input.
    mutating func append(_ more: [UInt8]) {
        if more.isEmpty { isAtEnd = true }
        if start > 0 {
            bytes.removeFirst(start)
            searched -= start
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    mutating func removeLine() -> String? {
        while searched < bytes.count {
            if bytes[searched] == UInt8(ascii: "\n") {
                defer {
                    searched += 1
                    start = searched
                }
                return String(decoding: bytes[start..<searched], as: UTF8.self)
            }
            searched += 1
            if searched - start == Console.longestLine {
                defer { start = searched }
                return String(decoding: bytes[start..<searched], as: UTF8.self)
            }
        }
        return nil
    }

    /// The last line, which no newline ended; nil if there is none.
    mutating func removeRest() -> String? {
        guard start < bytes.count else { return nil }
        defer { start = bytes.count }
        return String(decoding: bytes[start...], as: UTF8.self)
    }
}
