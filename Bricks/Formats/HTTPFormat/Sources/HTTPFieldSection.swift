/// The fields of a head or of trailers: the bytes as they came, and where each name and value is.
///
/// Nothing is copied out of it unless asked for. Its memory is reused from message to message.
public struct HTTPFieldSection: Sendable {
    /// Start line and fields with their line ends.
    public internal(set) var bytes: [UInt8] = []
    var entries: [Entry] = []
    /// Where the line that is being read begins.
    var lineStart = 0

    struct Entry: Sendable {
        var name: Range<Int32>
        var value: Range<Int32>
    }

    public init() {}

    public var count: Int { entries.count }

    /// Where the name of a field is in `bytes`.
    public func nameRange(at index: Int) -> Range<Int> { Int(entries[index].name.lowerBound)..<Int(entries[index].name.upperBound) }

    /// Where the value of a field is in `bytes`, without the blanks around it.
    public func valueRange(at index: Int) -> Range<Int> { Int(entries[index].value.lowerBound)..<Int(entries[index].value.upperBound) }

    /// The first field of that name at or after `start`; the name is given in lower case.
    @inline(never)
    public func index(of name: String, from start: Int = 0) -> Int? {
        let wanted = name.utf8.span
        var index = start
        while index < entries.count {
            if equal(nameRange(at: index), wanted) { return index }
            index += 1
        }
        return nil
    }

    /// The value of the first field of that name, given in lower case.
    public func value(of name: String) -> String? { index(of: name).map { text(valueRange(at: $0)) } }

    /// Bytes as text; what is no UTF-8 is replaced.
    @inline(never)
    public func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Whether the first field of that name, given in lower case, is there and `text`, byte by byte.
    public func hasValue(of name: String, equalTo text: String) -> Bool {
        guard let index = index(of: name) else { return false }
        let range = valueRange(at: index)
        let wanted = text.utf8.span
        guard range.count == wanted.count else { return false }
        for offset in 0..<wanted.count where bytes[range.lowerBound + offset] != wanted[offset] { return false }
        return true
    }

    /// Whether a value that is a list of tokens names one of them, given in lower case (RFC 9110 §5.6.1).
    public func list(of name: String, contains token: String) -> Bool {
        var next = 0
        while let index = index(of: name, from: next) {
            if list(in: valueRange(at: index), contains: token) { return true }
            next = index + 1
        }
        return false
    }

    func list(in range: Range<Int>, contains token: String) -> Bool {
        let wanted = token.utf8.span
        var start = range.lowerBound
        for index in range.lowerBound...range.upperBound where index == range.upperBound || bytes[index] == HTTPCharacter.comma {
            if equal(trimmed(start..<index), wanted) { return true }
            start = index + 1
        }
        return false
    }

    /// Whether bytes are `wanted`, which is in lower case, in any case.
    @inline(never)
    func equal(_ range: Range<Int>, _ wanted: Span<UInt8>) -> Bool {
        guard range.count == wanted.count else { return false }
        for offset in 0..<wanted.count where HTTPCharacter.lowercased(bytes[range.lowerBound + offset]) != wanted[offset] { return false }
        return true
    }

    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, HTTPCharacter.isBlank(bytes[start]) { start += 1 }
        while end > start, HTTPCharacter.isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }
}

// Reading.
extension HTTPFieldSection {
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
        lineStart = 0
    }

    /// Whether no byte of a message has come yet.
    var isEmpty: Bool { bytes.isEmpty }

    /// Takes bytes up to the end of the line. Returns how many were taken, and whether the line is complete.
    mutating func takeLine(
        _ source: Span<UInt8>, from start: Int, limit: Int, _ tooLong: HTTPFormatError
    ) throws(HTTPFormatError) -> (count: Int, isComplete: Bool) {
        var end = start
        while end < source.count, source[end] != HTTPCharacter.lineFeed { end += 1 }
        let isComplete = end < source.count
        if isComplete { end += 1 }
        guard bytes.count + (end - start) <= limit else { throw tooLong }
        bytes.append(source.extracting(start..<end))
        return (end - start, isComplete)
    }

    /// The line that was completed, without its end, which must be CR LF. The next line begins after it.
    mutating func finishLine() throws(HTTPFormatError) -> Range<Int> {
        let end = bytes.count - 2
        guard end >= lineStart, bytes[end] == HTTPCharacter.carriageReturn else { throw .badLineEnd }
        defer { lineStart = bytes.count }
        return lineStart..<end
    }

    /// field-line = field-name ":" OWS field-value OWS (RFC 9112 §5).
    mutating func addField(_ line: Range<Int>, limits: HTTPLimits) throws(HTTPFormatError) {
        guard entries.count < limits.fieldCount else { throw .tooManyFields }
        if HTTPCharacter.isBlank(bytes[line.lowerBound]) { throw .foldedField }
        var colon = line.lowerBound
        while colon < line.upperBound, HTTPCharacter.isToken(bytes[colon]) { colon += 1 }
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == HTTPCharacter.colon else { throw .badFieldName }
        let value = trimmed(colon + 1..<line.upperBound)
        for index in value where !HTTPCharacter.isFieldValue(bytes[index]) {
            throw bytes[index] == HTTPCharacter.carriageReturn ? .badLineEnd : .badFieldValue
        }
        entries.append(
            Entry(
                name: Int32(truncatingIfNeeded: line.lowerBound)..<Int32(truncatingIfNeeded: colon),
                value: Int32(truncatingIfNeeded: value.lowerBound)..<Int32(truncatingIfNeeded: value.upperBound)))
    }
}
