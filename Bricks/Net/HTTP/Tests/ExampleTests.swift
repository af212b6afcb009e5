import Foundation
import HTTP
import Testing

// The examples of docs/http.md, word for word.

func greet(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws(HTTPServerError) {
    if request.isPath("/hello") {
        return try await response.send(type: "text/plain", text: "Hello\n")
    }
    if request.isPath("/shout"), request.isMethod("POST") {
        let body = try await request.body(upTo: 4_096)
        return try await response.send(type: "text/plain", text: String(decoding: body, as: UTF8.self).uppercased())
    }
    try await response.send(HTTPResponse(status: .seeOther, headerFields: [.location: "/hello"]))
}

func countUp(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws(HTTPServerError) {
    try response.begin(HTTPResponse(status: .ok, headerFields: [.contentType: "text/plain"]))
    for number in 1...1_000 {
        try await response.write("\(number)\n")
    }
    try response.end()
}

func title(_ client: HTTPClient) async throws(HTTPClientError) -> String? {
    let answer = try await client.get("http://example.org/article", fields: [.accept: "text/html"])
    guard answer.status == .ok else { return nil }
    let page = String(decoding: try await answer.body(upTo: 1 << 20), as: UTF8.self)
    return page.split(separator: "<title>").last?.split(separator: "</title>").first.map(String.init)
}

func store(_ lines: [String], _ client: HTTPClient) async throws(HTTPClientError) -> Bool {
    let answer = try await client.execute(.put, "http://store.example.org:8080/lines") { (body) throws(HTTPClientError) in
        for line in lines { try await body.write(line + "\n") }
    }
    return answer.status.kind == .successful
}

@Test func `the examples of the page are these`() throws {
    let file = URL(filePath: #filePath)
    let root = (0..<5).reduce(file) { url, _ in url.deletingLastPathComponent() }
    let page = try String(contentsOf: root.appending(path: "docs/http.md"), encoding: .utf8)
    let source = try String(contentsOf: file, encoding: .utf8)
    let examples = page.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    #expect(examples.count == 4)
    for example in examples { #expect(source.contains(example), "\(example)") }
}

@Test func `the server's examples answer`() async {
    let stream = ScriptedStream(
        "GET /hello HTTP/1.1\nHost: a\n\nPOST /shout HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc"
            + "GET /x HTTP/1.1\nHost: a\nConnection: close\n\n")
    await serve(stream, HTTPServerConfiguration(), greet)
    for part in ["\n\nHello\n", "\n\nABC", "HTTP/1.1 303 See Other\n", "\nLocation: /hello\n"] { #expect(stream.output.contains(part)) }
    let counted = ScriptedStream("GET / HTTP/1.0\n\n")
    await serve(counted, HTTPServerConfiguration(), countUp)
    #expect(counted.output.hasSuffix("\n999\n1000\n"))
}

@Test func `the client's examples ask`() async throws {
    let page = "<html><title>A brick</title>"
    let first = ScriptedStream("HTTP/1.1 200 OK\nContent-Length: \(page.utf8.count)\n\n\(page)")
    let second = ScriptedStream("HTTP/1.1 201 Created\nContent-Length: 0\n\n")
    let client = HTTPClient(ScriptedConnector([first, second]))
    #expect(try await title(client) == "A brick")
    #expect(try await store(["a", "b"], client))
    #expect(second.output.hasSuffix("\n2\na\n\n2\nb\n\n0\n\n"))
}
