import Bytes
import HTTPFormat
import HTTPTypes

// Answers as values of swift-http-types. In a file of its own: the async functions of a file are linked together, and strings that
// are compared bring Unicode's tables.
extension HTTPServerResponse {
    /// `response` with its fields, and all of its body.
    public func send(_ response: HTTPResponse, bytes: [UInt8] = []) async throws(HTTPServerError) {
        try begin(response, byteCount: bytes.count)
        try await connection.writeBody(ByteReader(bytes.span).unread)
        try end()
    }

    public func send(_ response: HTTPResponse, text: String) async throws(HTTPServerError) {
        try begin(response, byteCount: text.utf8.count)
        try await connection.writeBody(ByteReader(text.utf8.span).unread)
        try end()
    }

    /// Begins an answer whose body follows by `write` and `end`.
    public func begin(_ response: HTTPResponse, byteCount: Int? = nil) throws(HTTPServerError) {
        if response.headerFields.contains(where: Self.isClose) { connection.encoder.close() }
        try begin(status: response.status.code, byteCount: byteCount) { (writer) throws(HTTPFormatError) in
            for header in response.headerFields where !HTTPResponseEncoder.isOwn(header.name.canonicalName) {
                try writer.field(header.name.rawName, header.value)
            }
        }
    }

    private static func isClose(_ field: HTTPField) -> Bool { field.name == .connection && field.value == "close" }

    /// The body is complete. Trailers reach a client only when the body goes out in chunks.
    public func end(trailers: HTTPFields) throws(HTTPServerError) {
        try connection.endAnswer { (writer) throws(HTTPFormatError) in
            for trailer in trailers { try writer.field(trailer.name.rawName, trailer.value) }
        }
    }
}
