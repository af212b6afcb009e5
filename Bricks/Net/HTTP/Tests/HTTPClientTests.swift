import HTTPFormat
import Sockets
import Testing
import Time

@testable import HTTP

/// Hands out streams that were made beforehand, and notes who asked.
final class ScriptedConnector: HTTPConnector, @unchecked Sendable {
    var streams: [ScriptedStream]
    private(set) var asked: [String] = []
    private(set) var used: [ScriptedStream] = []
    var now: Instant { used.map(\.now).max() ?? .start }

    init(_ streams: [ScriptedStream]) { self.streams = streams }

    func connect(host: String, port: UInt16, deadline: Instant) async throws(HTTPClientError) -> any HTTPStream {
        asked.append("\(host) \(port)")
        guard !streams.isEmpty else { throw .network(.reset) }
        used.append(streams.removeFirst())
        return used[used.count - 1]
    }
}

private let hello = "HTTP/1.1 200 OK\nContent-Length: 5\nX: y\n\nhello"

private func client(_ streams: ScriptedStream...) -> (HTTPClient, ScriptedConnector) {
    let connector = ScriptedConnector(streams)
    return (HTTPClient(connector), connector)
}

/// A server that answers each request that comes on a connection with the next of `answers`.
private func server(_ answers: [String]) -> ScriptedStream {
    let stream = ScriptedStream([], thenEnds: false)
    var given = 0
    stream.peer = { output in
        let requests = output.components(separatedBy: "GET ").count - 1
        guard requests > given, given < answers.count else { return nil }
        given += 1
        return answers[given - 1]
    }
    return stream
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}

@Test func `an answer is read`() async throws {
    let (client, connector) = client(ScriptedStream(hello, thenEnds: false))
    let answer = try await client.get("http://example.org:8080/a?b#c", fields: [.accept: "text/plain", .range: "bytes=0-"])
    #expect(answer.status == .ok && answer.response.headerFields[HTTPField.Name("x")!] == "y")
    let body = try await answer.body(upTo: 5)
    #expect(body == Array("hello".utf8))
    #expect(connector.asked == ["example.org 8080"])
    #expect(
        connector.used[0].output
            == "GET /a?b HTTP/1.1\nHost: example.org:8080\nUser-Agent: brique\nAccept: text/plain\nRange: bytes=0-\n\n")
}

@Test func `a connection serves again once its answer was read`() async throws {
    let (client, connector) = client(server([hello, hello, "HTTP/1.1 204 No Content\nConnection: close\n\n"]), ScriptedStream(hello))
    for _ in 0..<2 {
        let answer = try await client.get("http://a/")
        #expect(client.idleConnectionCount == 0)
        let body = try await answer.body(upTo: 100)
        #expect(body.count == 5)
        let rest = try await answer.nextPart()
        #expect(rest == nil)
        #expect(client.idleConnectionCount == 1)
    }
    let third = try await client.get("http://a/")
    #expect(third.status == .noContent)
    #expect(client.idleConnectionCount == 0)
    _ = try await client.get("http://a/")
    #expect(connector.asked == ["a 80", "a 80"])
}

@Test func `another host gets another connection`() async throws {
    let (client, connector) = client(server([hello]), server([hello]))
    for host in ["a", "b"] { _ = try await client.get("http://\(host)/").body(upTo: 100) }
    #expect(connector.asked == ["a 80", "b 80"])
    #expect(client.idleConnectionCount == 2)
}

@Test func `a kept connection that the server dropped is replaced, once`() async throws {
    let dropped = server([hello])
    let (client, connector) = client(dropped, server([hello]))
    _ = try await client.get("http://a/").body(upTo: 100)
    dropped.abort()
    let body = try await client.get("http://a/").body(upTo: 100)
    #expect(body.count == 5 && connector.asked.count == 2)
}

@Test func `an answer in chunks has its trailers`() async throws {
    let (client, _) = client(
        ScriptedStream([
            (.zero, "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nab\n"),
            (.seconds(1), "1\nc\n0\nSum: 3\n\n"),
        ]))
    let answer = try await client.get("http://a/")
    var parts: [[UInt8]] = []
    while let part = try await answer.nextPart() { parts.append(part) }
    #expect(parts == [Array("ab".utf8), Array("c".utf8)])
    #expect(answer.trailers[HTTPField.Name("sum")!] == "3")
}

@Test func `a body goes out with its length, or in chunks`() async throws {
    let (client, connector) = client(
        ScriptedStream(hello, thenEnds: false), ScriptedStream(hello, thenEnds: false), ScriptedStream(hello, thenEnds: false))
    _ = try await client.execute(.put, "http://a/x", body: Array("abc".utf8))
    #expect(connector.used[0].output.hasSuffix("\nContent-Length: 3\n\nabc"))
    _ = try await client.execute(.post, "http://a/x")
    #expect(connector.used[1].output.hasSuffix("\nContent-Length: 0\n\n"))
    _ = try await client.execute(.post, "http://a/x") { (body) throws(HTTPClientError) in
        try await body.write("abc")
        try await body.write("")
        try await body.write("d")
    }
    #expect(connector.used[2].output.hasSuffix("\nTransfer-Encoding: chunked\n\n3\nabc\n1\nd\n0\n\n"))
}

@Test func `the answer to HEAD has no body`() async throws {
    let (client, _) = client(ScriptedStream("HTTP/1.1 200 OK\nContent-Length: 500\n\n", thenEnds: false))
    let answer = try await client.execute(.head, "http://a/")
    let part = try await answer.nextPart()
    #expect(part == nil && client.idleConnectionCount == 1)
}

private func failure(_ stream: ScriptedStream) async -> HTTPClientError? {
    let (client, _) = client(stream)
    do throws(HTTPClientError) {
        _ = try await client.get("http://a/").body(upTo: 4)
        return nil
    } catch {
        return error
    }
}

@Test func `what goes wrong has its own error`() async {
    #expect(await failure(ScriptedStream("HTTP/1.1 200 OK\nContent-Length: 4\n\nabcd")) == nil)
    #expect(await failure(ScriptedStream("HTTP/1.1 200 OK\n\nabcd")) == nil)
    #expect(await failure(ScriptedStream(hello)) == .bodyTooLarge)
    #expect(await failure(ScriptedStream("")) == .message(.truncated))
    #expect(await failure(ScriptedStream("HTTP/1.1 200 OK\nContent-Length: 4\n\nab")) == .message(.truncated))
    #expect(await failure(ScriptedStream("SSH-2.0-OpenSSH\n")) == .message(.badStatusLine))
    #expect(await failure(ScriptedStream("HTTP/1.1 101 Switching Protocols\n\n")) == .upgraded)
    #expect(await failure(ScriptedStream("HTTP/1.1 200 OK\nConte", thenEnds: false)) == .network(.timedOut))
    #expect(await failure(ScriptedStream("HTTP/1.1 200 OK\nContent-Length: 4\n\nab", thenEnds: false)) == .network(.timedOut))
}

@Test(arguments: [
    ("http://a", "a", 80, "a", "/"), ("HTTP://a.b:81?q", "a.b", 81, "a.b:81", "/?q"),
    ("http://[::1]:8080/x", "::1", 8080, "[::1]:8080", "/x"),
    ("http://[fe80::1]/", "fe80::1", 80, "[fe80::1]", "/"), ("http://1.2.3.4/a/b?c=d#e", "1.2.3.4", 80, "1.2.3.4", "/a/b?c=d"),
    ("http://a#b", "a", 80, "a", "/"),
])
func `an address is taken apart`(text: String, host: String, port: UInt16, authority: String, path: String) throws {
    let url = try HTTPURL(text)
    #expect(url.host == host && url.port == port && url.authority == authority && url.path == path)
}

@Test(arguments: [
    "", "a", "http:", "http://", "http:///x", "http://a:/", "http://a:0/", "http://a:65536/", "http://a:1x/", "http://[::1",
    "http://[::1]x/",
    "http://u@a/", "http://a/ b", "http://a/\u{e9}", "http://a\r\nX: y/",
])
func `what is no address is refused`(text: String) {
    #expect(throws: HTTPClientError.badURL) { try HTTPURL(text) }
}

@Test func `another scheme is refused by name`() {
    for text in ["https://a/", "ftp://a/", "httpx://a/"] {
        #expect(throws: HTTPClientError.unsupportedScheme) { try HTTPURL(text) }
    }
}
