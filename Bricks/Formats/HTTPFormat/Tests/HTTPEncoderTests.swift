import Testing

@testable import HTTPFormat

/// An answer as the encoder writes it, and whether the connection stays open.
private func answer(
    _ status: Int, _ framing: HTTPFraming, _ parts: [String], to encoder: HTTPResponseEncoder
) throws -> (text: String, isPersistent: Bool) {
    var encoder = encoder
    var writer = HTTPWriter()
    var body = encoder.begin(status, framing, &writer)
    try writer.field("X", "y")
    writer.lineEnd()
    for part in parts where try body.begin(part.utf8.count, &writer) {
        writer.append(part)
        body.end(&writer)
    }
    try body.finish(&writer) { (writer) throws(HTTPFormatError) in try writer.field("Sum", "1") }
    #expect(body.isFinished)
    return (String(decoding: writer.bytes, as: UTF8.self), encoder.isPersistent)
}

private let plain = HTTPResponseEncoder(version: .http11, isHead: false, isPersistent: true)

@Test func `what is written is read back`() throws {
    for (framing, parts) in [
        (HTTPFraming.none, []), (.length(7), ["abc", "", "defg"]), (.chunked, ["abc", "", String(repeating: "x", count: 300)]),
    ] {
        let (text, isPersistent) = try answer(200, framing, parts, to: plain)
        let transcript = Transcript.responses([Array(text.utf8)])
        #expect(transcript.ends == 1 && isPersistent)
        #expect(transcript.text.contains("body \(Array(parts.joined().utf8))"))
        #expect(transcript.text.contains("Sum=1") == (framing == .chunked))
        #expect(transcript.text.contains("X=y"))
    }
}

@Test func `HEAD, 204 and 304 have no body, and HEAD says how long it would be`() throws {
    let head = HTTPResponseEncoder(version: .http11, isHead: true, isPersistent: true)
    #expect(try answer(200, .length(3), ["abc"], to: head).text == "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y\r\n\r\n")
    #expect(try answer(204, .none, ["abc"], to: plain).text == "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n")
    #expect(try answer(304, .length(3), [], to: plain).text == "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nX: y\r\n\r\n")
}

@Test func `a client of HTTP 1.0 gets no chunks but the end of the connection`() throws {
    let old = HTTPResponseEncoder(version: .http10, isHead: false, isPersistent: true)
    let streamed = try answer(200, .chunked, ["abc"], to: old)
    #expect(streamed.text == "HTTP/1.1 200 OK\r\nConnection: close\r\nX: y\r\n\r\nabc")
    #expect(!streamed.isPersistent)
    #expect(try answer(200, .length(1), ["a"], to: old).text.contains("Connection: keep-alive\r\n"))
}

@Test func `a body of another length than announced is a mistake`() throws {
    #expect(throws: HTTPFormatError.bodyLengthMismatch) { try answer(200, .length(3), ["ab"], to: plain) }
    #expect(throws: HTTPFormatError.bodyLengthMismatch) { try answer(200, .length(3), ["abcd"], to: plain) }
    #expect(throws: HTTPFormatError.bodyLengthMismatch) { try answer(200, .none, ["a"], to: plain) }
}

@Test func `a value cannot bring a field of its own`() throws {
    var writer = HTTPWriter()
    try writer.field("Location", "/a\r\nSet-Cookie: b\u{0}")
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "Location: /a  Set-Cookie: b \r\n")
    #expect(throws: HTTPFormatError.badFieldName) { try writer.field("a b", "c") }
    #expect(throws: HTTPFormatError.badFieldName) { try writer.field("", "c") }
    #expect(throws: HTTPFormatError.badRequestLine) { try writer.requestLine("GET", "/ HTTP/1.1") }
    #expect(throws: HTTPFormatError.badRequestLine) { try writer.requestLine("G T", "/") }
}

@Test func `numbers are written as they should`() {
    for value in [0, 1, 9, 10, 15, 16, 255, 256, 4_096, 65_535, Int.max] {
        var writer = HTTPWriter()
        writer.append(decimal: value)
        writer.append(" ")
        writer.append(hexadecimal: value)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "\(value) \(String(value, radix: 16))")
    }
}

@Test(
    arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
    ] as [(UInt64, String)])
func `a date is written in the fixed format`(seconds: UInt64, text: String) {
    var writer = HTTPWriter()
    writer.dateField(HTTPDate(secondsSince1970: seconds))
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "Date: \(text)\r\n")
}

private func section(_ fields: String) -> HTTPFieldSection {
    var decoder = HTTPRequestDecoder()
    _ = [UInt8](text: "GET / HTTP/1.1\nHost: a\n\(fields)\n\n").withOctets { decoder.decode($0) }
    return decoder.head.section
}

@Test(arguments: [
    ("X: y", HTTPByteRange.whole), ("Range: bytes=0-0", .part(0..<1)), ("Range: bytes=2-", .part(2..<10)),
    ("Range: bytes=-3", .part(7..<10)),
    ("Range: bytes=-99", .part(0..<10)), ("Range: bytes=5-99", .part(5..<10)), ("Range: bytes=10-", .unsatisfiable),
    ("Range: bytes=10-11", .unsatisfiable), ("Range: bytes=-0", .unsatisfiable), ("Range: bytes=3-2", .whole),
    ("Range: bytes=1-2,4-5", .whole),
    ("Range: lines=1-2", .whole), ("Range: bytes=a-b", .whole), ("Range: bytes=", .whole), ("Range: bytes=-", .whole),
    ("Range: bytes=99999999999999999999-", .whole), ("Range: byte", .whole),
])
func `a range is of what is there`(field: String, range: HTTPByteRange) {
    #expect(HTTPByteRange(section(field), byteCount: 10) == range)
}

@Test func `an entity tag is found in a list`() {
    #expect(section("If-None-Match: \"a\", W/\"b\"").matchesEntityTag("\"b\""))
    #expect(section("If-None-Match: \"a\"\nIf-None-Match: \"b\"").matchesEntityTag("\"b\""))
    #expect(section("If-None-Match: *").matchesEntityTag("\"b\""))
    #expect(!section("If-None-Match: \"a\", \"bc\", W/").matchesEntityTag("\"b\""))
    #expect(!section("X: y").matchesEntityTag("\"b\""))
}
