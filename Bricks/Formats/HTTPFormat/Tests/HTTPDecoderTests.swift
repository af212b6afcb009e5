import Testing

@testable import HTTPFormat

@Test(arguments: Samples.requests)
func `a stream of requests reads the same wherever it is cut`(sample: [UInt8]) {
    let whole = Transcript.requests([sample])
    #expect(whole.failure == nil)
    #expect(whole.ends >= 1)
    #expect(Transcript.requests(sample.map { [$0] }).text == whole.text)
    for first in 0...sample.count {
        #expect(Transcript.requests([Array(sample[..<first]), Array(sample[first...])]).text == whole.text, "cut at \(first)")
    }
}

@Test(arguments: Samples.responses)
func `a stream of answers reads the same wherever it is cut`(sample: [UInt8]) {
    let whole = Transcript.responses([sample])
    #expect(whole.failure == nil)
    #expect(Transcript.responses(sample.map { [$0] }).text == whole.text)
    for first in 0...sample.count {
        #expect(Transcript.responses([Array(sample[..<first]), Array(sample[first...])]).text == whole.text, "cut at \(first)")
    }
}

@Test(arguments: Samples.requests)
func `a request that ends too early is never complete`(sample: [UInt8]) {
    let ends = Transcript.requests([sample]).ends
    for count in 0..<sample.count {
        let cut = Transcript.requests([Array(sample[..<count])])
        #expect(cut.ends < ends, "\(count) bytes")
        #expect(cut.failure == nil)
    }
}

@Test func `the parts of a request are found`() {
    var decoder = HTTPRequestDecoder()
    let bytes = [UInt8](text: "POST /a/b?c=d HTTP/1.1\nHost: x\nX-Two:  one two \nExpect: 100-Continue\nContent-Length: 3\n\nabc")
    let (consumed, event) = bytes.withOctets { decoder.decode($0) }
    #expect(event == .head)
    #expect(consumed == bytes.count - 3)
    #expect(decoder.head.isMethod("POST") && decoder.head.isPath("/a/b"))
    #expect(decoder.head.target == "/a/b?c=d" && decoder.head.query == "c=d")
    #expect(decoder.head.section.value(of: "x-two") == "one two")
    #expect(decoder.head.section.hasValue(of: "host", equalTo: "x"))
    #expect(decoder.head.expectsContinue)
    #expect(decoder.framing == .length(3))
}

@Test func `a number is found in a query`() {
    var decoder = HTTPRequestDecoder()
    _ = [UInt8](text: "GET /?nn=1&n=42&m=x&e=&l=99999999999999999999 HTTP/1.1\n").withOctets { decoder.decode($0) }
    #expect(decoder.head.queryNumber(of: "n") == 42 && decoder.head.queryNumber(of: "nn") == 1)
    for name in ["m", "e", "l", "k", "x", "nnn=1&n"] { #expect(decoder.head.queryNumber(of: name) == nil, "\(name)") }
}

/// Start and fields of a request that is refused, and why.
let refusedRequests: [(String, HTTPFormatError)] = [
    ("GET /\n\n", .badRequestLine), ("GET  / HTTP/1.1\n", .badRequestLine), (" GET / HTTP/1.1\n", .badRequestLine),
    ("GET / HTTP/1.1 \n", .badRequestLine), ("GET / http/1.1\n", .badRequestLine), ("G(T / HTTP/1.1\n", .badRequestLine),
    ("GET x HTTP/1.1\n", .badRequestLine), ("GET /#f HTTP/1.1\n", .badRequestLine), ("GET /?a#f HTTP/1.1\n", .badRequestLine),
    ("GET * HTTP/1.1\n", .badRequestLine), ("GET http:/// HTTP/1.1\n", .badRequestLine), ("GET ftp://a/ HTTP/1.1\n", .badRequestLine),
    ("GET http://a@b/ HTTP/1.1\n", .badRequestLine), ("GET /\u{0} HTTP/1.1\n", .badRequestLine),
    ("GET /\u{e9} HTTP/1.1\n", .badRequestLine),
    ("CONNECT /x HTTP/1.1\n", .badRequestLine), ("\n\n\nGET / HTTP/1.1\n", .badRequestLine), ("GET / HTTP/1.\n", .badRequestLine),
    ("GET / HTTP/11.1\n", .badRequestLine), ("GET / HTTP/2.0\n", .unsupportedVersion), ("GET / HTTP/0.9\n", .unsupportedVersion),
    ("GET / HTTP/1.1\n\n", .badHost), ("GET / HTTP/1.1\nHost: a\nHost: a\n\n", .badHost), ("GET / HTTP/1.1\nHost: a b\n\n", .badHost),
    ("GET / HTTP/1.1\nHost: a/b\n\n", .badHost), ("GET / HTTP/1.0\nHost: a\nHost: b\n\n", .badHost),
    ("GET / HTTP/1.1\nHost : a\n\n", .badFieldName), ("GET / HTTP/1.1\nHost\n\n", .badFieldName),
    ("GET / HTTP/1.1\n: a\n\n", .badFieldName),
    ("GET / HTTP/1.1\nHo(st: a\n\n", .badFieldName), ("GET / HTTP/1.1\n\u{e9}: a\n\n", .badFieldName),
    ("GET / HTTP/1.1\nHost: a\n b\n\n", .foldedField), ("GET / HTTP/1.1\n\tHost: a\n\n", .foldedField),
    ("GET / HTTP/1.1\nHost: a\nX: a\u{0}b\n\n", .badFieldValue), ("GET / HTTP/1.1\nHost: a\nX: \u{7f}\n\n", .badFieldValue),
    ("GET / HTTP/1.1\nHost: a\nX: a\rb\n\n", .badLineEnd), ("GET / HTTP/1.1\nHost: a\nExpect: more\n\n", .unsupportedExpectation),
]

@Test(arguments: refusedRequests)
func `a malformed request is refused`(text: String, error: HTTPFormatError) {
    let transcript = Transcript.requests([[UInt8](text: text)])
    #expect(transcript.failure == error)
    #expect(transcript.ends == 0)
    #expect(Transcript.requests([UInt8](text: text).map { [$0] }).failure == error)
}

/// Fields that would let two readers disagree about where a request ends (RFC 9112 §11.2).
let smuggling: [(String, HTTPFormatError)] = [
    ("Content-Length: 5\nTransfer-Encoding: chunked", .ambiguousFraming),
    ("Transfer-Encoding: chunked\nContent-Length: 5", .ambiguousFraming),
    ("Content-Length: 5\nContent-Length: 5", .badContentLength), ("Content-Length: 5\ncontent-length: 6", .badContentLength),
    ("Content-Length: 5, 5", .badContentLength), ("Content-Length: +5", .badContentLength), ("Content-Length: -5", .badContentLength),
    ("Content-Length: 0x5", .badContentLength), ("Content-Length:", .badContentLength), ("Content-Length: 5 5", .badContentLength),
    ("Content-Length: 9223372036854775808", .badContentLength), ("Content-Length : 5", .badFieldName),
    ("Content-Length\u{b}: 5", .badFieldName),
    ("Transfer-Encoding: gzip, chunked", .unsupportedTransferCoding), ("Transfer-Encoding: gzip", .unsupportedTransferCoding),
    ("Transfer-Encoding: identity", .unsupportedTransferCoding), ("Transfer-Encoding: xchunked", .unsupportedTransferCoding),
    ("Transfer-Encoding: chunked, chunked", .unsupportedTransferCoding), ("Transfer-Encoding: \"chunked\"", .unsupportedTransferCoding),
    ("Transfer-Encoding: chunked\nTransfer-Encoding: chunked", .ambiguousFraming), ("Transfer-Encoding:", .unsupportedTransferCoding),
    ("Transfer-Encoding: chunked\nTransfer-Encoding: identity", .ambiguousFraming), ("Transfer-Encoding: \u{b}chunked", .badFieldValue),
    ("X: y\n Transfer-Encoding: chunked", .foldedField), ("Transfer-Encoding : chunked", .badFieldName),
]

@Test(arguments: smuggling)
func `a request whose end is ambiguous is refused`(fields: String, error: HTTPFormatError) {
    #expect(Transcript.requests([[UInt8](text: "POST / HTTP/1.1\nHost: a\n\(fields)\n\n0\n\n")]).failure == error)
}

@Test func `a coding in a message of HTTP/1.0 is refused`() {
    #expect(Transcript.requests([[UInt8](text: "POST / HTTP/1.0\nTransfer-Encoding: chunked\n\n")]).failure == .ambiguousFraming)
    #expect(Transcript.responses([[UInt8](text: "HTTP/1.0 200 OK\nTransfer-Encoding: chunked\n\n")]).failure == .ambiguousFraming)
}

@Test(arguments: [
    "\n", "x\n", "5 \nhello\n", "5\t;a\nhello\n", "0x5\nhello\n", "-5\nhello\n", "5\nhello!", "5\nhelloX\n", "1000000000000000\n", ";\n",
    "5;\u{0}\nhello\n", "5;\u{7f}\n",
])
func `a malformed chunk is refused`(chunks: String) {
    let transcript = Transcript.requests([[UInt8](text: "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n\(chunks)")])
    #expect(transcript.failure == .badChunk)
}

@Test(arguments: [
    "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n", "\nGET / HTTP/1.1\r\n",
])
func `a line that ends without CR is refused`(text: String) {
    #expect(Transcript.requests([Array(text.utf8)]).failure == .badLineEnd)
}

@Test(arguments: ["5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5;x\nhello\r\n", "5\r\rhello", "0\n\n"])
func `a chunk's line that does not end with CR LF is refused`(text: String) {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(Transcript.requests([Array((head + text).utf8)]).failure == .badChunk)
}
