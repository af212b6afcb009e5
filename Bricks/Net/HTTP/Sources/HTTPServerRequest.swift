import HTTPFormat

/// A request as a handler sees it. Valid until the handler returns.
///
/// Nothing is made of the head's bytes before it is asked for.
public struct HTTPServerRequest {
    let connection: HTTPServerConnection

    /// Method, target and fields as they came.
    public var head: HTTPRequestHead { connection.buffers.decoder.head }

    public var method: HTTPRequest.Method { HTTPRequest.Method(head.method) ?? .get }
    /// Without the query; escapes stay as they came.
    public var path: String { head.path }
    public var query: String { head.query }

    public func isMethod(_ method: String) -> Bool { connection.buffers.decoder.head.isMethod(method) }
    public func isPath(_ path: String) -> Bool { connection.buffers.decoder.head.isPath(path) }

    /// The first value of a field; its name is given in lower case.
    public func value(of name: String) -> String? { connection.buffers.decoder.head.section.value(of: name) }

    /// The decimal number after `name=` in the query; nil when it is not there or no number.
    public func queryNumber(of name: String) -> Int? { connection.buffers.decoder.head.queryNumber(of: name) }

    /// The head in the types of swift-http-types.
    public var request: HTTPRequest { HTTPRequest(head) }

    /// Fields after a chunked body, once it has been read.
    public var trailers: HTTPFields { HTTPFields(connection.buffers.decoder.trailers) }

    /// Fields after a chunked body as they came, once it has been read.
    public var trailerSection: HTTPFieldSection { connection.buffers.decoder.trailers }

    /// The length of the body where the head tells it; nil for one in chunks.
    public var bodyByteCount: Int? {
        switch connection.buffers.decoder.framing {
        case .none: 0
        case .length(let byteCount): byteCount
        case .chunked, .untilClose: nil
        }
    }

    /// Gives the next part of the body to `part`, without a copy. False when there is no more.
    public func readBody(_ part: (RawSpan) -> Void) async throws(HTTPServerError) -> Bool { try await connection.readBody(part) }

    /// The next part of the body, nil when there is no more.
    public func nextPart() async throws(HTTPServerError) -> [UInt8]? {
        var bytes: [UInt8] = []
        return try await connection.readBody { bytes.append($0) } ? bytes : nil
    }

    /// All of the body, if it has at most `limit` bytes.
    public func body(upTo limit: Int) async throws(HTTPServerError) -> [UInt8] {
        if let byteCount = bodyByteCount, byteCount > limit { throw .bodyTooLarge }
        var bytes: [UInt8] = []
        var isTooLarge = false
        while try await connection.readBody({ part in
            isTooLarge = part.byteCount > limit - bytes.count
            if !isTooLarge { bytes.append(part) }
        }) {
            if isTooLarge { throw .bodyTooLarge }
        }
        return bytes
    }
}
