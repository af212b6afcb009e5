/// Writes the head of an answer as its request demands, and says how its body is framed.
public struct HTTPResponseEncoder: Sendable {
    /// What must be known of the request.
    public var version: HTTPVersion
    public var isHead: Bool
    /// Whether the connection stays open after the answer. The body's framing may say no.
    public private(set) var isPersistent: Bool

    public init(version: HTTPVersion, isHead: Bool, isPersistent: Bool) {
        self.version = version
        self.isHead = isHead
        self.isPersistent = isPersistent
    }

    public init(to request: borrowing HTTPRequestHead) {
        self.init(version: request.version, isHead: request.isMethod("HEAD"), isPersistent: request.isPersistent)
    }

    /// The connection ends with this answer.
    public mutating func close() { isPersistent = false }

    /// Fields that the encoder writes itself; the app's own are left out.
    public static func isOwn(_ name: String) -> Bool {
        switch name.utf8.count {
        case 10: equalIgnoringCase(name, "connection")
        case 14: equalIgnoringCase(name, "content-length")
        case 17: equalIgnoringCase(name, "transfer-encoding")
        default: false
        }
    }

    /// Status line and the encoder's own fields; the app's fields and an empty line are to follow.
    ///
    /// A body of unknown length (`chunked`) goes to a client of HTTP/1.0 until the connection closes (RFC 9112 §6.1, §6.3).
    public mutating func begin(_ status: Int, _ framing: HTTPFraming, _ writer: inout HTTPWriter) -> HTTPBodyEncoder {
        writer.statusLine(status)
        if status < 200 { return HTTPBodyEncoder(state: .finished) }
        var body = HTTPBodyEncoder(framing)
        let hasNoBody = status == 204 || status == 304
        switch framing {
        case .none: if !hasNoBody { writer.append("Content-Length: 0\r\n") }
        case .length(let byteCount): if status != 204 { writer.field(trusted: "Content-Length", byteCount) }
        case .chunked where version == .http10, .untilClose:
            body = HTTPBodyEncoder(.untilClose)
            if !isHead, !hasNoBody { isPersistent = false }
        case .chunked: if !hasNoBody { writer.append("Transfer-Encoding: chunked\r\n") }
        }
        if isHead || hasNoBody { body = HTTPBodyEncoder(state: .discarding) }
        if !isPersistent {
            writer.append("Connection: close\r\n")
        } else if version == .http10 {
            writer.append("Connection: keep-alive\r\n")
        }
        return body
    }
}

/// `lowercase` has no capitals.
func equalIgnoringCase(_ text: String, _ lowercase: String) -> Bool {
    let a = text.utf8.span
    let b = lowercase.utf8.span
    guard a.count == b.count else { return false }
    for index in 0..<a.count where HTTPCharacter.lowercased(a[index]) != b[index] { return false }
    return true
}
