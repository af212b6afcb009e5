/// A request's line and fields.
public struct HTTPRequestHead: HTTPHead {
    public var section = HTTPFieldSection()
    /// Where the method is in `section.bytes`.
    public private(set) var methodRange = 0..<0
    /// Where the target is in `section.bytes`: "/path?query", "http://host/path", or "*".
    public private(set) var targetRange = 0..<0
    /// Where the target's path is, without the query; "/" of an absolute target may be missing.
    public private(set) var pathRange = 0..<0
    /// Where the query is, without its question mark; empty when there is none.
    public private(set) var queryRange = 0..<0
    public private(set) var version = HTTPVersion.http11
    /// Whether the client would send another request on this connection.
    public private(set) var isPersistent = false
    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    public private(set) var expectsContinue = false

    public init() {}

    public static var allowsEmptyLines: Bool { true }

    public var method: String { section.text(methodRange) }
    public var target: String { section.text(targetRange) }
    public var path: String { section.text(pathRange) }
    public var query: String { section.text(queryRange) }

    public func isMethod(_ method: String) -> Bool { isEqual(methodRange, method) }
    /// Whether the path is this one, byte by byte: escapes stay as they came.
    public func isPath(_ path: String) -> Bool { isEqual(pathRange, path) }

    /// The decimal number after `name=` in the query; nil when it is not there or no number.
    public func queryNumber(of name: String) -> Int? {
        let wanted = name.utf8.span
        var start = queryRange.lowerBound
        for end in queryRange.lowerBound...queryRange.upperBound {
            guard end == queryRange.upperBound || section.bytes[end] == UInt8(ascii: "&") else { continue }
            let equals = start + wanted.count
            if equals < end, section.bytes[equals] == UInt8(ascii: "="), isEqual(start..<equals, name) {
                return decimal(section.bytes, equals + 1..<end)
            }
            start = end + 1
        }
        return nil
    }

    @inline(never)
    private func isEqual(_ range: Range<Int>, _ text: String) -> Bool {
        let wanted = text.utf8.span
        guard range.count == wanted.count else { return false }
        for offset in 0..<wanted.count where section.bytes[range.lowerBound + offset] != wanted[offset] { return false }
        return true
    }

    public mutating func reset() {
        section.removeAll()
        methodRange = 0..<0
        targetRange = 0..<0
        pathRange = 0..<0
        queryRange = 0..<0
        isPersistent = false
        expectsContinue = false
    }

    /// request-line = method SP request-target SP HTTP-version (RFC 9112 §3).
    public mutating func parseStartLine(_ line: Range<Int>) throws(HTTPFormatError) {
        var index = line.lowerBound
        while index < line.upperBound, HTTPCharacter.isToken(section.bytes[index]) { index += 1 }
        methodRange = line.lowerBound..<index
        guard !methodRange.isEmpty, methodRange.count <= HTTPLimits.methodByteCount else { throw .badRequestLine }
        guard index < line.upperBound, section.bytes[index] == HTTPCharacter.space else { throw .badRequestLine }
        let start = index + 1
        index = start
        while index < line.upperBound, HTTPCharacter.isTarget(section.bytes[index]) { index += 1 }
        targetRange = start..<index
        guard !targetRange.isEmpty, index < line.upperBound, section.bytes[index] == HTTPCharacter.space else { throw .badRequestLine }
        version = try parseVersion(section.bytes, index + 1..<line.upperBound, .badRequestLine)
        try parseTarget()
    }

    /// origin-form, absolute-form, authority-form of CONNECT, asterisk-form of OPTIONS (RFC 9112 §3.2).
    private mutating func parseTarget() throws(HTTPFormatError) {
        let bytes = section.bytes
        var start = targetRange.lowerBound
        if isMethod("CONNECT") {
            for index in targetRange where !HTTPCharacter.isHost(bytes[index]) { throw .badRequestLine }
            return
        }
        if bytes[start] != UInt8(ascii: "/") {
            if targetRange.count == 1, bytes[start] == UInt8(ascii: "*"), isMethod("OPTIONS") { return pathRange = targetRange }
            start = try endOfAuthority()
        }
        var end = start
        while end < targetRange.upperBound, bytes[end] != UInt8(ascii: "?") {
            guard bytes[end] != UInt8(ascii: "#") else { throw .badRequestLine }
            end += 1
        }
        pathRange = start..<end
        queryRange = min(end + 1, targetRange.upperBound)..<targetRange.upperBound
        for index in queryRange where bytes[index] == UInt8(ascii: "#") { throw .badRequestLine }
    }

    /// Where the path of "http://authority/path" begins.
    private func endOfAuthority() throws(HTTPFormatError) -> Int {
        let bytes = section.bytes
        var start = targetRange.lowerBound
        for scheme in ["http://", "https://"] {
            let end = start + scheme.utf8.count
            guard end < targetRange.upperBound, section.equal(start..<end, scheme.utf8.span) else { continue }
            start = end
            while start < targetRange.upperBound, HTTPCharacter.isHost(bytes[start]) { start += 1 }
            guard start > end else { break }
            if start == targetRange.upperBound || bytes[start] == UInt8(ascii: "/") || bytes[start] == UInt8(ascii: "?") { return start }
            break
        }
        throw .badRequestLine
    }

    /// RFC 9112 §6.3 for requests, §3.2 for Host, §9.3 for persistence.
    public mutating func parseFraming() throws(HTTPFormatError) -> HTTPFraming {
        let fields = try HTTPFramingFields(section)
        switch version {
        case .http10:
            // A coding in a message of 1.0 is the mark of someone who does not know what it means (RFC 9112 §6.1).
            if fields.isChunked || fields.hasOtherCoding { throw .ambiguousFraming }
            guard fields.hosts <= 1 else { throw .badHost }
            isPersistent = fields.isKeepAlive && !fields.isClose
        case .http11:
            guard fields.hosts == 1 else { throw .badHost }
            isPersistent = !fields.isClose
            expectsContinue = fields.expectsContinue
        }
        if fields.hasOtherCoding { throw fields.isChunked ? .ambiguousFraming : .unsupportedTransferCoding }
        if fields.isChunked { return .chunked }
        return fields.contentLength.map { $0 == 0 ? .none : .length($0) } ?? .none
    }
}
