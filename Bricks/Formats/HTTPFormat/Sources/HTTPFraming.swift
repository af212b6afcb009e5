/// Where a body ends (RFC 9112 §6.3).
public enum HTTPFraming: Equatable, Sendable {
    case none
    /// Content-Length, not zero.
    case length(Int)
    case chunked
    /// With the connection: answers only.
    case untilClose
}

/// What the fields of a head say of the connection and of the body, gathered in one pass.
struct HTTPFramingFields {
    var contentLength: Int?
    var isChunked = false
    var hasOtherCoding = false
    var hosts = 0
    var isClose = false
    var isKeepAlive = false
    var expectsContinue = false

    init(_ section: borrowing HTTPFieldSection) throws(HTTPFormatError) {
        for index in 0..<section.count {
            let name = section.nameRange(at: index)
            switch name.count {
            case 4 where section.equal(name, "host".utf8.span): try addHost(section, section.valueRange(at: index))
            case 6 where section.equal(name, "expect".utf8.span):
                guard section.equal(section.valueRange(at: index), "100-continue".utf8.span) else { throw .unsupportedExpectation }
                expectsContinue = true
            case 10 where section.equal(name, "connection".utf8.span):
                let value = section.valueRange(at: index)
                if section.list(in: value, contains: "close") { isClose = true }
                if section.list(in: value, contains: "keep-alive") { isKeepAlive = true }
            case 14 where section.equal(name, "content-length".utf8.span):
                // Two of them, even if equal, may be the work of someone between (RFC 9112 §6.3).
                guard contentLength == nil, let length = decimal(section.bytes, section.valueRange(at: index)) else {
                    throw .badContentLength
                }
                contentLength = length
            case 17 where section.equal(name, "transfer-encoding".utf8.span): addCoding(section, section.valueRange(at: index))
            default: break
            }
        }
        if contentLength != nil, isChunked || hasOtherCoding { throw .ambiguousFraming }
    }

    private mutating func addHost(_ section: borrowing HTTPFieldSection, _ value: Range<Int>) throws(HTTPFormatError) {
        hosts += 1
        for index in value where !HTTPCharacter.isHost(section.bytes[index]) { throw .badHost }
    }

    private mutating func addCoding(_ section: borrowing HTTPFieldSection, _ value: Range<Int>) {
        // "chunked" once and alone; anything else is another coding.
        if section.equal(value, "chunked".utf8.span), !isChunked { isChunked = true } else { hasOtherCoding = true }
    }
}
