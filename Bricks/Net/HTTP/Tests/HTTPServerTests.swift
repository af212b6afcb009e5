import HTTPFormat
import Testing
import Time

@testable import HTTP

/// Serves one connection, and returns what was counted.
@discardableResult
func serve(
    _ stream: ScriptedStream, _ configuration: HTTPServerConfiguration = HTTPServerConfiguration(),
    _ handler: (HTTPServerRequest, HTTPServerResponse) async throws(HTTPServerError) -> Void = answerWithPath
) async -> HTTPServerCounts {
    let service = HTTPService(configuration)
    await HTTPServerConnection(stream, service).run(handler)
    #expect(stream.isClosed || stream.isAborted)
    #expect(service.counts.openConnections == 0)
    return service.counts
}

func answerWithPath(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws(HTTPServerError) {
    try await response.send(type: "text/plain", text: request.path)
}

/// An answer of `answerWithPath` or the like.
func text(_ body: String, _ fields: String = "", status: String = "200 OK") -> String {
    let length = "Content-Length: \(body.utf8.count)\n"
    return "HTTP/1.1 \(status)\n\(length)\(fields)Date: Sun, 06 Nov 1994 08:49:37 GMT\nContent-Type: text/plain\n\n\(body)"
}

@Test func `requests of one connection are answered in their order`() async {
    let stream = ScriptedStream("GET /a HTTP/1.1\nHost: x\n\nGET /b HTTP/1.1\nHost: x\n\nGET /c HTTP/1.1\nHost: x\n\n")
    let counts = await serve(stream)
    #expect(stream.output == text("/a") + text("/b") + text("/c"))
    #expect(stream.sendCount == 1, "answers to pipelined requests go out together")
    #expect(counts.requests == 3 && counts.connections == 1 && counts.answers[2] == 3 && counts.sentBytes == stream.sent.count)
    #expect(stream.isClosed && stream.isFinished)
}

@Test func `an answer does not wait for the rest of the next request`() async {
    let stream = ScriptedStream([(.zero, "GET /a HTTP/1.1\nHost: x\n\nGET /b HT"), (.seconds(1), "TP/1.1\nHost: x\n\n")])
    await serve(stream)
    #expect(stream.sendCount == 2)
    #expect(stream.output == text("/a") + text("/b"))
}

@Test func `a connection ends when the client asks for it`() async {
    let close = ScriptedStream("GET /a HTTP/1.1\nHost: x\nConnection: close\n\nGET /b HTTP/1.1\nHost: x\n\n")
    await serve(close)
    #expect(close.output == text("/a", "Connection: close\n"))
    let old = ScriptedStream("GET /a HTTP/1.0\n\n")
    await serve(old)
    #expect(old.output == text("/a", "Connection: close\n"))
    let kept = ScriptedStream("GET /a HTTP/1.0\nConnection: keep-alive\n\nGET /b HTTP/1.0\n\n")
    await serve(kept)
    #expect(kept.output == text("/a", "Connection: keep-alive\n") + text("/b", "Connection: close\n"))
}

@Test func `HEAD gets the head alone`() async {
    let stream = ScriptedStream("HEAD /abc HTTP/1.1\nHost: x\n\n")
    await serve(stream)
    #expect(stream.output == String(text("/abc").dropLast(4)))
}

@Test func `a handler that answers nothing has found nothing`() async {
    let stream = ScriptedStream("GET /a HTTP/1.1\nHost: x\n\n")
    await serve(stream) { _, _ in }
    #expect(stream.output == text("Not Found\n", status: "404 Not Found"))
}

@Test(arguments: [
    ("GET / HTTP/1.1\n\n", "400 Bad Request"), ("GET / HTTP/3.0\n", "505 HTTP Version Not Supported"), ("\u{1}\n", "400 Bad Request"),
    ("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip\n\n", "501 Not Implemented"),
    ("GET / HTTP/1.1\nHost: a\nExpect: tea\n\n", "417 Expectation Failed"),
    ("GET /" + String(repeating: "a", count: 9_000), "414 URI Too Long"),
    ("GET / HTTP/1.1\n" + String(repeating: "a: b\n", count: 101), "431 Request Header Fields Too Large"),
    ("POST / HTTP/1.1\nHost: a\nContent-Length: 99999999999\n\n", "413 Content Too Large"),
])
func `a refused request is told why, and the connection ends`(request: String, status: String) async {
    let stream = ScriptedStream(request + "GET / HTTP/1.1\nHost: x\n\n")
    let counts = await serve(stream)
    #expect(stream.output == text(status.dropFirst(4) + "\n", "Connection: close\n", status: status))
    #expect(counts.refusedRequests == 1 && counts.requests == 0)
}

@Test func `a body arrives in parts with its trailers`() async {
    let stream = ScriptedStream([
        (.zero, "PUT / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n5\nhe"), (.seconds(1), "llo\n3;x=y\n, w\n0\nSum: 7\n\n"),
    ])
    let counts = await serve(stream) { (request, response) throws(HTTPServerError) in
        #expect(request.bodyByteCount == nil)
        var parts: [String] = []
        while let part = try await request.nextPart() { parts.append(String(decoding: part, as: UTF8.self)) }
        #expect(parts == ["he", "llo", ", w"])
        let sum = request.trailers[HTTPField.Name("sum")!] ?? ""
        try await response.send(HTTPResponse(status: .created, headerFields: [.location: "/7", .contentLength: "99"]), text: sum)
    }
    #expect(stream.output.hasPrefix("HTTP/1.1 201 Created\nContent-Length: 1\nDate: "))
    #expect(stream.output.hasSuffix("\nLocation: /7\n\n7"))
    #expect(counts.receivedBodyBytes == 8)
}

@Test func `the head is there in the types of swift-http-types`() async {
    let stream = ScriptedStream("DELETE /a%20b?c HTTP/1.1\nHost: x:80\nAccept: a\nAccept: b\n\n")
    await serve(stream) { (request, response) throws(HTTPServerError) in
        let head = request.request
        #expect(head.method == .delete && head.path == "/a%20b?c" && head.authority == "x:80" && head.headerFields[.accept] == "a, b")
        #expect(request.method == .delete && request.isPath("/a%20b") && request.query == "c" && request.value(of: "accept") == "a")
        try await response.send(HTTPResponse(status: .noContent))
    }
    #expect(stream.output == "HTTP/1.1 204 No Content\nDate: Sun, 06 Nov 1994 08:49:37 GMT\n\n")
}

@Test func `a client that asks is told to continue, once, and only when the body is wanted`() async {
    let head = "POST /a HTTP/1.1\nHost: x\nContent-Length: 5\nExpect: 100-continue\n\n"
    let stream = ScriptedStream(head, thenEnds: false)
    var isAnswered = false
    stream.peer = { output in
        guard output.hasSuffix("HTTP/1.1 100 Continue\n\n"), !isAnswered else { return nil }
        isAnswered = true
        return "hello"
    }
    await serve(stream) { (request, response) throws(HTTPServerError) in
        let body = try await request.body(upTo: 10)
        try await response.send(type: "text/plain", bytes: body)
    }
    #expect(stream.output == "HTTP/1.1 100 Continue\n\n" + text("hello"))

    let unwanted = ScriptedStream(head, thenEnds: false)
    await serve(unwanted)
    #expect(unwanted.output == text("/a"))
    #expect(unwanted.isClosed)
}

@Test func `what a handler leaves of a body is skipped, up to a limit`() async {
    let next = "GET /b HTTP/1.1\nHost: x\n\n"
    let small = ScriptedStream("POST /a HTTP/1.1\nHost: x\nContent-Length: 9\n\n123456789" + next)
    await serve(small)
    #expect(small.output == text("/a") + text("/b"))
    let large = ScriptedStream("POST /a HTTP/1.1\nHost: x\nContent-Length: 200000\n\n" + String(repeating: "x", count: 200_000) + next)
    await serve(large)
    #expect(large.output == text("/a"))
    #expect(large.isFinished && large.isClosed)
}

@Test func `a body longer than the handler takes is refused`() async {
    for framing in ["Content-Length: 5\n\nhello", "Transfer-Encoding: chunked\n\n5\nhello\n0\n\n"] {
        let stream = ScriptedStream("POST /a HTTP/1.1\nHost: x\n\(framing)")
        await serve(stream) { (request, response) throws(HTTPServerError) in
            _ = try await request.body(upTo: 4)
        }
        #expect(stream.output == text("Content Too Large\n", "Connection: close\n", status: "413 Content Too Large"))
    }
}

@Test func `a body that is malformed is refused where it is read`() async {
    let stream = ScriptedStream("POST /a HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n5\nhello!")
    await serve(stream) { (request, response) throws(HTTPServerError) in _ = try await request.body(upTo: 100) }
    #expect(stream.output == text("Bad Request\n", "Connection: close\n", status: "400 Bad Request"))
}

@Test func `a client that leaves in the middle is let go`() async {
    for text in ["GET / HT", "GET / HTTP/1.1\nHost", "POST / HTTP/1.1\nHost: x\nContent-Length: 9\n\n1234"] {
        let stream = ScriptedStream(text)
        await serve(stream) { (request, response) throws(HTTPServerError) in
            _ = try await request.body(upTo: 100)
            try await response.send(status: 200)
        }
        #expect(!stream.output.contains("200"))
    }
}
