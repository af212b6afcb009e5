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
        try end()
    }

    public func send(status: Int = 200, type: String, bytes: [UInt8]) async throws(HTTPServerError) {
        try begin(status, bytes.count, type)
        try await connection.writeBody(ByteReader(bytes.span).unread)
        try end()
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
    /// `fields` writes the fields beside the server's own.
    public func begin(
        status: Int, byteCount: Int? = nil, fields: (inout HTTPWriter) throws(HTTPFormatError) -> Void
    ) throws(HTTPServerError) {
        try connection.beginAnswer(status, byteCount.map { $0 == 0 ? .none : .length($0) } ?? .chunked)
        do throws(HTTPFormatError) { try fields(&connection.buffers.writer) } catch { throw .message(error) }
        connection.buffers.writer.lineEnd()
    }

    /// Takes the next part of the body, and waits while the client is behind.
    public func write(_ part: RawSpan) async throws(HTTPServerError) { try await connection.writeBody(part) }

    public func write(_ text: String) async throws(HTTPServerError) { try await write(ByteReader(text.utf8.span).unread) }

    public func write(_ bytes: [UInt8]) async throws(HTTPServerError) { try await write(ByteReader(bytes.span).unread) }

    /// Sends what was written now, rather than with what follows.
    public func flush() async throws(HTTPServerError) { try await connection.flush() }

    /// The body is complete.
    public func end() throws(HTTPServerError) { try connection.endAnswer { (_) throws(HTTPFormatError) in } }

    /// The body is complete; `fields` writes the trailers. They reach a client only when the body goes out in chunks.
    public func end(fields: (inout HTTPWriter) throws(HTTPFormatError) -> Void) throws(HTTPServerError) {
        try connection.endAnswer(trailers: fields)
    }
}
