import HTTPFormat
import Sockets
import Time

/// What a client expects of servers.
public struct HTTPClientConfiguration: Sendable {
    public var limits = HTTPLimits()
    public var connectTimeout = Duration.seconds(10)
    /// From the end of the request to the end of the answer's head.
    public var answerTimeout = Duration.seconds(30)
    /// How fast a body must move, in either direction.
    public var progress = HTTPProgress()
    /// How long a connection is kept for another request.
    public var idleTimeout = Duration.seconds(30)
    /// Connections kept for another request; zero: each serves one.
    public var idleConnectionLimit = 16
    public var userAgent = "brique"

    public init() {}
}

/// Opens connections for a client.
public protocol HTTPConnector: AnyObject, Sendable {
    var now: Instant { get }
    func connect(host: String, port: UInt16, deadline: Instant) async throws(HTTPClientError) -> any HTTPStream
}

/// Sends requests, and keeps connections for the next ones. Redirects are not followed. It belongs to one run loop.
///
/// ```swift
/// let answer = try await client.get("http://example.org/")
/// while let part = try await answer.nextPart() { … }
/// ```
public final class HTTPClient: @unchecked Sendable {
    let connector: any HTTPConnector
    public let configuration: HTTPClientConfiguration
    private var idle: [Idle] = []

    private struct Idle {
        var authority: String
        var connection: HTTPClientConnection
        var until: Instant
    }

    public init(_ connector: any HTTPConnector, _ configuration: HTTPClientConfiguration = HTTPClientConfiguration()) {
        self.connector = connector
        self.configuration = configuration
    }

    public func get(_ url: String, fields: HTTPFields = [:]) async throws(HTTPClientError) -> HTTPClientResponse {
        try await execute(.get, url, fields: fields)
    }

    /// Sends a request whose body is there. It returns with the answer's head; the body is read from the answer.
    ///
    /// A kept connection that the server has closed meanwhile is replaced by a new one, once.
    public func execute(
        _ method: HTTPRequest.Method, _ url: String, fields: HTTPFields = [:], body: [UInt8] = []
    ) async throws(HTTPClientError) -> HTTPClientResponse {
        let url = try HTTPURL(url)
        if let connection = takeIdle(url) {
            do throws(HTTPClientError) {
                return try await exchange(connection, method, url, fields, body)
            } catch {
                connection.stream.abort()
                guard connection.isUntouched, error == .network(.reset) || error == .message(.truncated) else { throw error }
            }
        }
        let connection = try await connect(url)
        return try await exchange(connection, method, url, fields, body)
    }

    /// Sends a request whose body `write` makes; of unknown length, so it goes out in chunks.
    public func execute(
        _ method: HTTPRequest.Method, _ url: String, fields: HTTPFields = [:],
        write: (HTTPClientBodyWriter) async throws(HTTPClientError) -> Void
    ) async throws(HTTPClientError) -> HTTPClientResponse {
        let url = try HTTPURL(url)
        let connection = try await connect(url)
        try connection.begin(method, url, fields, framing: .chunked, userAgent: configuration.userAgent)
        try await write(HTTPClientBodyWriter(connection: connection))
        try await connection.end()
        return try await connection.readHead(forHead: method == .head, self)
    }

    private func exchange(
        _ connection: HTTPClientConnection, _ method: HTTPRequest.Method, _ url: HTTPURL, _ fields: HTTPFields, _ body: [UInt8]
    ) async throws(HTTPClientError) -> HTTPClientResponse {
        // A POST without a body says so (RFC 9110 §8.6).
        let needsLength = method == .post || method == .put || method == .patch
        let framing: HTTPFraming? = body.isEmpty ? (needsLength ? HTTPFraming.none : nil) : .length(body.count)
        try connection.begin(method, url, fields, framing: framing, userAgent: configuration.userAgent)
        do throws(HTTPClientError) {
            if !body.isEmpty { try await connection.write(body) }
            try await connection.end()
        } catch {
            // A server that refuses a body may have answered before it broke off.
            guard error == .network(.reset), !body.isEmpty else { throw error }
        }
        return try await connection.readHead(forHead: method == .head, self)
    }

    private func connect(_ url: HTTPURL) async throws(HTTPClientError) -> HTTPClientConnection {
        let deadline = connector.now.advanced(by: configuration.connectTimeout)
        let stream = try await connector.connect(host: url.host, port: url.port, deadline: deadline)
        return HTTPClientConnection(stream, url.authority, configuration)
    }

    // MARK: Kept connections

    private func takeIdle(_ url: HTTPURL) -> HTTPClientConnection? {
        let now = connector.now
        idle.removeAll { $0.until <= now }
        // Bytes, or an end, where no answer is due: it is of no use.
        idle.removeAll { $0.connection.stream.isReadable }
        guard let index = idle.lastIndex(where: { isSame($0.authority, url.authority) }) else { return nil }
        return idle.remove(at: index).connection
    }

    func keep(_ connection: HTTPClientConnection) {
        guard configuration.idleConnectionLimit > 0 else { return }
        if idle.count >= configuration.idleConnectionLimit { idle.removeFirst() }
        idle.append(
            Idle(authority: connection.authority, connection: connection, until: connector.now.advanced(by: configuration.idleTimeout)))
    }

    public var idleConnectionCount: Int { idle.count }

    private func isSame(_ a: String, _ b: String) -> Bool { a.utf8.count == b.utf8.count && a.utf8.elementsEqual(b.utf8) }
}

/// Why a request has no answer, or its answer no end.
public enum HTTPClientError: Error, Equatable, Sendable {
    case badURL
    /// Another scheme than http.
    case unsupportedScheme
    case network(NetworkError)
    /// The answer is malformed, or the request would be.
    case message(HTTPFormatError)
    /// The body has more bytes than the caller takes.
    case bodyTooLarge
    /// The connection wants to speak another protocol now (101).
    case upgraded
}
