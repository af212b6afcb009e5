import HTTPFormat
import Testing
import Time

@testable import HTTP

private func count(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws(HTTPServerError) {
    try response.begin(HTTPResponse(status: .ok, headerFields: [.contentType: "text/plain"]))
    for number in 1...3 {
        try await response.write("\(number)\n")
        try await response.flush()
    }
    try response.end(trailers: [HTTPField.Name("Sum")!: "6"])
}

@Test func `an answer of unknown length goes out in chunks`() async {
    let stream = ScriptedStream("GET / HTTP/1.1\nHost: x\n\n")
    await serve(stream, HTTPServerConfiguration(), count)
    #expect(stream.output.hasPrefix("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nDate: "))
    #expect(stream.output.hasSuffix("\n\n2\n1\n\n2\n2\n\n2\n3\n\n0\nSum: 6\n\n"))
    #expect(stream.sendCount == 4)
}

@Test func `an old client gets it until the connection ends`() async {
    let stream = ScriptedStream("GET / HTTP/1.0\nConnection: keep-alive\n\n")
    await serve(stream, HTTPServerConfiguration(), count)
    #expect(stream.output.hasPrefix("HTTP/1.1 200 OK\nConnection: close\nDate: "))
    #expect(stream.output.hasSuffix("\n\n1\n2\n3\n"))
}

@Test func `a large body is sent as the client takes it`() async {
    let body = [UInt8](repeating: 7, count: 100_000)
    let stream = ScriptedStream("GET / HTTP/1.1\nHost: x\n\n")
    stream.takenPerSecond = 3_000
    let counts = await serve(stream) { (request, response) throws(HTTPServerError) in
        try await response.send(type: "text/plain", bytes: body)
    }
    #expect(Array(stream.sent.suffix(body.count)) == body)
    #expect(stream.isClosed && counts.timeouts == 0 && counts.sentBytes == stream.sent.count)
}

@Test func `a client that takes almost nothing is cut off`() async {
    let stream = ScriptedStream("GET / HTTP/1.1\nHost: x\n\n")
    stream.takenPerSecond = 10
    let counts = await serve(stream) { (request, response) throws(HTTPServerError) in
        try await response.send(type: "text/plain", bytes: [UInt8](repeating: 7, count: 100_000))
    }
    #expect(stream.isAborted && counts.timeouts == 1)
    #expect(stream.now <= Instant.start.advanced(by: .seconds(41)))
}

@Test func `a body of another length than announced breaks the connection`() async {
    let stream = ScriptedStream("GET / HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\nHost: x\n\n")
    await serve(stream) { (request, response) throws(HTTPServerError) in
        try response.begin(HTTPResponse(status: .ok), byteCount: 5)
        try await response.write("hi")
    }
    #expect(stream.isAborted)
}

@Test func `a second head is a mistake`() async {
    let stream = ScriptedStream("GET /a HTTP/1.1\nHost: x\n\n")
    await serve(stream) { (request, response) throws(HTTPServerError) in
        try await response.send(type: "text/plain", text: "/a")
        var refusal: HTTPServerError?
        do throws(HTTPServerError) { try await response.send(status: 500) } catch { refusal = error }
        #expect(refusal == .misuse)
    }
    #expect(stream.output == text("/a"))
}

// MARK: Slow clients

@Test func `a head that comes too slowly is refused`() async {
    let pieces = Array("GET /a HTTP/1.1\n").map { (Duration.seconds(3), String($0)) }
    let stream = ScriptedStream(pieces, thenEnds: false)
    let counts = await serve(stream)
    #expect(stream.output == text("Request Timeout\n", "Connection: close\n", status: "408 Request Timeout"))
    #expect(counts.timeouts == 1 && counts.requests == 0)
    #expect(stream.now <= Instant.start.advanced(by: .seconds(16)))
}

@Test func `a silent connection is closed without a word`() async {
    let never = ScriptedStream([], thenEnds: false)
    await serve(never)
    #expect(never.output == "" && never.isClosed)
    let once = ScriptedStream("GET /a HTTP/1.1\nHost: x\n\n", thenEnds: false)
    await serve(once)
    #expect(once.output == text("/a") && once.isClosed)
    #expect(once.now <= Instant.start.advanced(by: .seconds(63)))
}

@Test func `a body that comes too slowly is refused`() async {
    let pieces =
        [(Duration.zero, "POST /a HTTP/1.1\nHost: x\nContent-Length: 1000\n\n")] + (0..<999).map { _ in (Duration.seconds(5), "x") }
    let stream = ScriptedStream(pieces)
    let counts = await serve(stream) { (request, response) throws(HTTPServerError) in _ = try await request.body(upTo: 10_000) }
    #expect(stream.output == text("Request Timeout\n", "Connection: close\n", status: "408 Request Timeout"))
    #expect(counts.timeouts == 1)
    #expect(stream.now <= Instant.start.advanced(by: .seconds(23)))
}

@Test func `a body that comes steadily may take long`() async {
    let part = String(repeating: "x", count: 2_000)
    let pieces =
        [(Duration.zero, "POST /a HTTP/1.1\nHost: x\nContent-Length: 100000\n\n")] + (0..<50).map { _ in (Duration.seconds(19), part) }
    let stream = ScriptedStream(pieces)
    await serve(stream) { (request, response) throws(HTTPServerError) in
        let body = try await request.body(upTo: 100_000)
        try await response.send(type: "text/plain", text: "\(body.count)")
    }
    #expect(stream.output == text("100000"))
}

@Test func `a connection that waits holds no memory for requests`() async {
    let service = HTTPService(HTTPServerConfiguration())
    let stream = ScriptedStream([(.zero, "GET /a HTTP/1.1\nHost: x\n\n"), (.seconds(5), "GET /b HTTP/1.1\nHost: x\n\n")])
    let connection = HTTPServerConnection(stream, service)
    var holds: [Bool] = []
    stream.peer = { _ in
        guard !stream.isReadable else { return nil }
        holds.append(connection.heldBuffers != nil)
        return nil
    }
    await connection.run(answerWithPath)
    #expect(stream.output == text("/a") + text("/b"))
    #expect(holds == [false])
}
