import Testing

@testable import HTTPFormat

@Test func `an answer without a length ends with the connection`() {
    let bytes = [UInt8](text: "HTTP/1.1 200 OK\nContent-Type: text/plain\n\nall of it")
    #expect(Transcript.responses([bytes]).ends == 0)
    let closed = Transcript.responses([bytes], closes: true)
    #expect(closed.ends == 1)
    #expect(closed.text.contains("untilClose") && closed.text.contains("200 http11 false"))
}

@Test func `an answer cut short is not taken for a whole one`() {
    for text in [
        "HTTP/1.1 200 OK\nContent-Length: 3\n\nab", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nab\n", "HTTP/1.1 200 OK\nContent",
    ] {
        #expect(Transcript.responses([[UInt8](text: text)], closes: true).failure == .truncated)
    }
    #expect(Transcript.responses([[]], closes: true).failure == nil)
}

@Test func `the answer to HEAD has no body whatever its fields say`() {
    let bytes = [UInt8](text: "HTTP/1.1 200 OK\nContent-Length: 5000\n\n")
    #expect(Transcript.responses([bytes], forHead: true).ends == 1)
    #expect(Transcript.responses([bytes]).ends == 0)
}

@Test(arguments: [
    ("HTTP/1.1 20 OK\n", HTTPFormatError.badStatusLine), ("HTTP/1.1 2000 OK\n", .badStatusLine), ("HTTP/1.1  200 OK\n", .badStatusLine),
    ("HTTP/1.1 099 OK\n", .badStatusLine), ("\nHTTP/1.1 200 OK\n", .badStatusLine), ("HTTP/2 200\n", .badStatusLine),
    ("HTTP/2.0 200 OK\n", .unsupportedVersion), ("ICY 200 OK OK\n", .badStatusLine), ("HTTP/1.1 200 \u{0}\n", .badStatusLine),
    ("HTTP/1.1 200 OK\nContent-Length: 3\nTransfer-Encoding: chunked\n\n", .ambiguousFraming),
    ("HTTP/1.1 200 OK\nContent-Length: 3\nContent-Length: 4\n\n", .badContentLength),
    ("HTTP/1.1 200 OK\nTransfer-Encoding: gzip\n\n", .unsupportedTransferCoding),
])
func `a malformed answer is refused`(text: String, error: HTTPFormatError) {
    #expect(Transcript.responses([[UInt8](text: text)]).failure == error)
}
