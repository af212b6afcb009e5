import Bytes
import HTTPFormat

/// The answer to a request: sent whole, or begun, written in parts and ended.
///
/// Content-Length, Transfer-Encoding, Connection and Date are the server's own. What a client of HEAD must not get is left out.
public struct HTTPServerResponse {
    let connection: HTTPServerConnection

    /// Whether a head was sent or gathered.
    public var hasBegun: Bool { connection.answer != .none }

    // MARK: Whole

    /// A status alone, with its words as the body where it has one.
    public func send(status: Int) async throws(HTTPServerError) {
        if status == 204 || status == 304 { return try await send(status: status, type: "", bytes: []) }
        try await send(status: status, type: "text/plain", text: HTTPStatus.reason(of: status) + "\n")
    }

    public func send(status: Int = 200, type: String, text: String) async throws(HTTPServerError) {
        try begin(status, text.utf8.count, type)
        try await connection.writeBody(ByteReader(text.utf8.span).unread)
        try await end()
    }

    public func send(status: Int = 200, type: String, bytes: [UInt8]) async throws(HTTPServerError) {
        try begin(status, bytes.count, type)
        try await connection.writeBody(ByteReader(bytes.span).unread)
        try await end()
    }

    /// `response` with its fields, and all of its body.
    public func send(_ response: HTTPResponse, bytes: [UInt8] = []) async throws(HTTPServerError) {
        try begin(response, byteCount: bytes.count)
        try await connection.writeBody(ByteReader(bytes.span).unread)
        try await end()
    }

    public func send(_ response: HTTPResponse, text: String) async throws(HTTPServerError) {
        try begin(response, byteCount: text.utf8.count)
        try await connection.writeBody(ByteReader(text.utf8.span).unread)
        try await end()
    }

    private func begin(_ status: Int, _ byteCount: Int, _ type: String) throws(HTTPServerError) {
        try connection.beginAnswer(status, byteCount == 0 ? .none : .length(byteCount))
        if !type.utf8.isEmpty { try field("Content-Type", type) }
        connection.buffers.writer.lineEnd()
    }

    private func field(_ name: String, _ value: String) throws(HTTPServerError) {
        do throws(HTTPFormatError) {
            try connection.buffers.writer.field(name, value)
        } catch {
            throw .message(error)
        }
    }

    // MARK: In parts

    /// Begins an answer whose body follows by `write` and `end`: of `byteCount` bytes, or of as many as there will be.
    public func begin(_ response: HTTPResponse, byteCount: Int? = nil) throws(HTTPServerError) {
        if response.headerFields[.connection] == "close" { connection.encoder.close() }
        try connection.beginAnswer(response.status.code, byteCount.map { $0 == 0 ? .none : .length($0) } ?? .chunked)
        for header in response.headerFields where !HTTPResponseEncoder.isOwn(header.name.canonicalName) {
            try field(header.name.rawName, header.value)
        }
        connection.buffers.writer.lineEnd()
    }

    /// Takes the next part of the body, and waits while the client is behind.
    public func write(_ part: RawSpan) async throws(HTTPServerError) { try await connection.writeBody(part) }

    public func write(_ text: String) async throws(HTTPServerError) { try await write(ByteReader(text.utf8.span).unread) }

    public func write(_ bytes: [UInt8]) async throws(HTTPServerError) { try await write(ByteReader(bytes.span).unread) }

    /// Sends what was written now, rather than with what follows.
    public func flush() async throws(HTTPServerError) { try await connection.flush() }

    /// The body is complete. Trailers reach a client only when the body goes out in chunks.
    public func end(trailers: HTTPFields = [:]) async throws(HTTPServerError) {
        try connection.endAnswer { (writer) throws(HTTPFormatError) in
            for trailer in trailers { try writer.field(trailer.name.rawName, trailer.value) }
        }
    }
}
