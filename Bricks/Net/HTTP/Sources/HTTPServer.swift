import HTTPFormat
import Sockets
import Time

/// Serves what a listener accepts: each connection in a task of its own.
///
/// ```swift
/// let server = HTTPServer(try await TCPListener(port: 80))
/// try await server.run { (request, response) throws(HTTPServerError) in
///     try await response.send(type: "text/plain", text: "Hello\n")
/// }
/// ```
public final class HTTPServer: @unchecked Sendable {
    private let listener: TCPListener
    private let service: HTTPService

    public init(_ listener: TCPListener, _ configuration: HTTPServerConfiguration = HTTPServerConfiguration()) {
        self.listener = listener
        service = HTTPService(configuration)
    }

    public var counts: HTTPServerCounts { service.counts }

    /// Calls `handler` for every request, of one connection after another. Returns by throwing, when the listener does.
    public func run(
        _ handler: @escaping @Sendable (HTTPServerRequest, HTTPServerResponse) async throws(HTTPServerError) -> Void
    ) async throws(NetworkError) {
        while true {
            let stream = try await listener.accept()
            // Answers are gathered here already: whatever is handed over is to go at once.
            stream.isNoDelay = true
            guard service.counts.openConnections < service.configuration.connectionLimit else {
                service.turnAway(stream)
                continue
            }
            let connection = HTTPServerConnection(stream, service)
            Task { await connection.run(handler) }
        }
    }

    /// Accepts no more; what is open is served to its end.
    public func close() { listener.close() }
}
