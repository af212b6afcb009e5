// chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF (RFC 9112 §7.1). A bare LF, a blank before the extension and a size without
// digits are refused: readers that differ about them can be made to disagree about where a request begins.
extension HTTPDecoder {
    mutating func readChunk(_ bytes: Span<UInt8>, _ offset: inout Int) throws(HTTPFormatError) -> HTTPEvent? {
        if case .chunk(let left) = state {
            guard let part = part(of: bytes, &offset, upTo: left) else { return .needsMore }
            state = part.count == left ? .chunkEnd(hasReturn: false) : .chunk(left - part.count)
            return .body(part)
        }
        guard offset < bytes.count else { return .needsMore }
        let byte = bytes[offset]
        offset += 1
        state = try chunkState(after: byte)
        return nil
    }

    /// One byte of a chunk's frame.
    private mutating func chunkState(after byte: UInt8) throws(HTTPFormatError) -> State {
        switch state {
        case .chunkSize(let digits, let value):
            if let digit = HTTPCharacter.hexadecimal(byte) {
                guard digits < HTTPLimits.chunkSizeDigits else { throw .badChunk }
                return .chunkSize(digits: digits + 1, value: value << 4 | digit)
            }
            guard digits > 0 else { throw .badChunk }
            try allow(value)
            if byte == HTTPCharacter.carriageReturn { return .chunkSizeEnd(size: value) }
            if byte == HTTPCharacter.semicolon { return .chunkExtension(size: value) }
            throw .badChunk
        case .chunkExtension(let size):
            if byte == HTTPCharacter.carriageReturn { return .chunkSizeEnd(size: size) }
            guard HTTPCharacter.isFieldValue(byte), extensionAllowance > 0 else { throw .badChunk }
            extensionAllowance -= 1
            return state
        case .chunkSizeEnd(let size):
            guard byte == HTTPCharacter.lineFeed else { throw .badChunk }
            return size == 0 ? .trailers : .chunk(size)
        case .chunkEnd(let hasReturn):
            guard byte == (hasReturn ? HTTPCharacter.lineFeed : HTTPCharacter.carriageReturn) else { throw .badChunk }
            return hasReturn ? .chunkSize(digits: 0, value: 0) : .chunkEnd(hasReturn: true)
        case .startLine, .fields, .length, .untilClose, .chunk, .trailers, .end, .failed:
            preconditionFailure("not in a chunk's frame")
        }
    }
}
