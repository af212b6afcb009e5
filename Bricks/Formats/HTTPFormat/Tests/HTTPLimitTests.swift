import Testing

@testable import HTTPFormat

private func failure(_ text: String, _ set: (inout HTTPLimits) -> Void = { _ in }) -> HTTPFormatError? {
    var limits = HTTPLimits()
    set(&limits)
    return Transcript.requests([[UInt8](text: text)], limits: limits).failure
}

private let start = "GET / HTTP/1.1\nHost: a\n"

@Test func `a request line has a greatest length`() {
    let longest = String(repeating: "a", count: 8_192 - 16)
    #expect(failure("GET /\(longest) HTTP/1.1\nHost: a\n\n") == nil)
    #expect(failure("GET /\(longest)a HTTP/1.1\nHost: a\n\n") == .startLineTooLong)
    #expect(failure(String(repeating: "a", count: 8_193)) == .startLineTooLong)
    #expect(failure(String(repeating: "a", count: 33) + " / HTTP/1.1\n") == .badRequestLine)
}

@Test func `fields have a greatest number and size`() {
    let fields = String(repeating: "a: b\n", count: 99)
    #expect(failure(start + fields + "\n") == nil)
    #expect(failure(start + fields + "c: d\n\n") == .tooManyFields)
    #expect(failure(start + "x: " + String(repeating: "y", count: 16_384)) == .headTooLarge)
    #expect(failure(start + "x: yyy\n\n") { $0.headByteCount = 16 + 9 + 8 + 2 } == nil)
    #expect(failure(start + "x: yyy\n\n") { $0.headByteCount = 16 + 9 + 8 + 1 } == .headTooLarge)
}

@Test func `a body has a greatest size, whichever way it is framed`() {
    #expect(failure(start + "Content-Length: 4\n\nabcd") { $0.bodyByteCount = 4 } == nil)
    #expect(failure(start + "Content-Length: 5\n\n") { $0.bodyByteCount = 4 } == .bodyTooLarge)
    #expect(failure(start + "Transfer-Encoding: chunked\n\n2\nab\n2\ncd\n0\n\n") { $0.bodyByteCount = 4 } == nil)
    #expect(failure(start + "Transfer-Encoding: chunked\n\n2\nab\n3\n") { $0.bodyByteCount = 4 } == .bodyTooLarge)
}

@Test func `chunk extensions and trailers have a greatest size`() {
    let chunked = start + "Transfer-Encoding: chunked\n\n"
    #expect(failure(chunked + "1;" + String(repeating: "x", count: 4_096) + "\na\n0\n\n") == nil)
    #expect(failure(chunked + "1;" + String(repeating: "x", count: 4_096) + "\na\n0;x\n\n") == .badChunk)
    #expect(failure(chunked + "0\n" + String(repeating: "a: b\n", count: 100) + "\n") == nil)
    #expect(failure(chunked + "0\n" + String(repeating: "a: b\n", count: 101) + "\n") == .tooManyFields)
    #expect(failure(chunked + "0\nx: " + String(repeating: "y", count: 16_384)) == .headTooLarge)
    #expect(failure(chunked + "0\n a: b\n\n") == .foldedField)
}

@Test func `memory is reused from request to request`() {
    var decoder = HTTPRequestDecoder()
    let request = [UInt8](text: start + "Accept: */*\n\n")
    var capacity = 0
    for round in 0..<100 {
        let (consumed, event) = request.withOctets { decoder.decode($0) }
        #expect(consumed == request.count && event == .head)
        if round == 0 { capacity = decoder.head.section.bytes.capacity }
        #expect(decoder.head.section.bytes.capacity == capacity)
        decoder.next()
    }
}

@Test func `each byte is in the class that RFC 9110 gives it`() {
    let marks = Array("!#$%&'*+-.^_`|~".utf8)
    for byte in UInt8.min ... .max {
        let character = Character(Unicode.Scalar(byte))
        let isAlphanumeric = byte < 128 && (character.isLetter || character.isNumber)
        #expect(HTTPCharacter.isToken(byte) == (isAlphanumeric || marks.contains(byte)), "\(byte)")
        #expect(HTTPCharacter.isFieldValue(byte) == (byte == 9 || byte >= 32 && byte != 127))
    }
}
