/// The minor version of HTTP/1; what is above 1 counts as 1 (RFC 9110 §2.5).
public enum HTTPVersion: Equatable, Sendable {
    case http10
    case http11
}

/// What a decoder needs to know of a message's beginning.
public protocol HTTPHead: Sendable {
    init()
    /// The start line's bytes and the fields.
    var section: HTTPFieldSection { get set }
    /// Ready for the next message.
    mutating func reset()
    /// The line is `section.bytes[line]`.
    mutating func parseStartLine(_ line: Range<Int>) throws(HTTPFormatError)
    /// Looks at all fields once the head is complete, and says where the body ends.
    mutating func parseFraming() throws(HTTPFormatError) -> HTTPFraming
    /// Empty lines may come before it.
    static var allowsEmptyLines: Bool { get }
}

/// HTTP-version (RFC 9112 §2.3).
func parseVersion(_ bytes: borrowing [UInt8], _ range: Range<Int>, _ malformed: HTTPFormatError) throws(HTTPFormatError) -> HTTPVersion {
    let name = "HTTP/".utf8.span
    guard range.count == 8 else { throw malformed }
    for offset in 0..<5 where bytes[range.lowerBound + offset] != name[offset] { throw malformed }
    let major = bytes[range.lowerBound + 5] &- UInt8(ascii: "0")
    let minor = bytes[range.lowerBound + 7] &- UInt8(ascii: "0")
    guard major < 10, minor < 10, bytes[range.lowerBound + 6] == UInt8(ascii: ".") else { throw malformed }
    guard major == 1 else { throw .unsupportedVersion }
    return minor == 0 ? .http10 : .http11
}
