/// An answer's status line and fields.
public struct HTTPResponseHead: HTTPHead {
    public var section = HTTPFieldSection()
    public private(set) var status = 0
    public private(set) var reasonRange = 0..<0
    public private(set) var version = HTTPVersion.http11
    /// Whether the connection may be used again.
    public private(set) var isPersistent = false
    /// Whether the request was a HEAD: its answer has no body whatever its fields say.
    public var isForHead = false

    public init() {}

    public static var allowsEmptyLines: Bool { false }

    /// 1xx: another answer follows (RFC 9110 §15.2).
    public var isInformational: Bool { status < 200 }

    public mutating func reset() {
        section.removeAll()
        status = 0
        reasonRange = 0..<0
        isPersistent = false
    }

    /// status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 §4); the second SP may be missing.
    public mutating func parseStartLine(_ line: Range<Int>) throws(HTTPFormatError) {
        guard line.count >= 12, section.bytes[line.lowerBound + 8] == HTTPCharacter.space else { throw .badStatusLine }
        version = try parseVersion(section.bytes, line.lowerBound..<line.lowerBound + 8, .badStatusLine)
        let code = line.lowerBound + 9..<line.lowerBound + 12
        guard let status = decimal(section.bytes, code), status >= 100 else { throw .badStatusLine }
        self.status = status
        guard line.count > 12 else { return }
        guard section.bytes[code.upperBound] == HTTPCharacter.space else { throw .badStatusLine }
        reasonRange = code.upperBound + 1..<line.upperBound
        for index in reasonRange where !HTTPCharacter.isFieldValue(section.bytes[index]) { throw .badStatusLine }
    }

    /// RFC 9112 §6.3 for answers.
    public mutating func parseFraming() throws(HTTPFormatError) -> HTTPFraming {
        let fields = try HTTPFramingFields(section)
        if version == .http10, fields.isChunked || fields.hasOtherCoding { throw .ambiguousFraming }
        isPersistent = version == .http11 ? !fields.isClose : fields.isKeepAlive && !fields.isClose
        if isForHead || isInformational || status == 204 || status == 304 { return .none }
        if fields.isChunked, !fields.hasOtherCoding { return .chunked }
        if fields.hasOtherCoding { throw .unsupportedTransferCoding }
        if let length = fields.contentLength { return length == 0 ? .none : .length(length) }
        isPersistent = false
        return .untilClose
    }
}
