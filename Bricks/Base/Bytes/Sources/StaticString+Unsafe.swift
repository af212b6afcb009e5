extension StaticString {
    /// Its UTF-8 bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    public func append(to bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + utf8CodeUnitCount)
        // SAFETY: a static string's bytes live for ever, and there are as many as it says.
        for index in 0..<utf8CodeUnitCount { bytes.append(unsafe utf8Start[index]) }
    }

    public func hasSameBytes(as other: [UInt8]) -> Bool {
        guard other.count == utf8CodeUnitCount else { return false }
        // SAFETY: as above.
        for index in 0..<utf8CodeUnitCount where unsafe utf8Start[index] != other[index] { return false }
        return true
    }

    /// Calls `body` with each line, its end left out.
    public func forEachLine(_ body: (_ line: [UInt8]) -> Void) { forEachPart(endedBy: 0x0a, body) }

    /// Calls `body` with what stands between single blanks.
    public func forEachWord(_ body: (_ word: [UInt8]) -> Void) { forEachPart(endedBy: 0x20, body) }

    private func forEachPart(endedBy end: UInt8, _ body: (_ part: [UInt8]) -> Void) {
        var part: [UInt8] = []
        for index in 0..<utf8CodeUnitCount {
            // SAFETY: as above.
            let byte = unsafe utf8Start[index]
            if byte == end {
                body(part)
                part = []
            } else {
                part.append(byte)
            }
        }
        if !part.isEmpty { body(part) }
    }
}
