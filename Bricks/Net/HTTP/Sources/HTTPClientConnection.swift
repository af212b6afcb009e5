import Bytes
import HTTPFormat
import Sockets
import Time

/// One connection to a server: a request and its answer at a time.
final class HTTPClientConnection {
    let stream: any HTTPStream
    let authority: String
    private let configuration: HTTPClientConfiguration
    private var decoder: HTTPResponseDecoder
    private var writer = HTTPWriter()
    private var body = HTTPBodyEncoder(.none)
    private var progress: ProgressDeadline
    /// Which exchange of the connection this is: an answer that was read to its end must not read the next one's body.
    private(set) var number = 0
    /// No byte of the present answer has come.
    private(set) var isUntouched = true

    init(_ stream: any HTTPStream, _ authority: String, _ configuration: HTTPClientConfiguration) {
        self.stream = stream
        self.authority = authority
        self.configuration = configuration
        decoder = HTTPResponseDecoder(limits: configuration.limits)
        progress = ProgressDeadline(configuration.progress, now: stream.now)
    }

    deinit { stream.close() }

    // MARK: The request

    /// `framing` nil: without a body, and without a word about it.
    func begin(
        _ method: HTTPRequest.Method, _ url: HTTPURL, _ fields: HTTPFields, framing: HTTPFraming?, userAgent: String
    ) throws(HTTPClientError) {
        isUntouched = true
        number += 1
        writer.removeAll()
        body = HTTPBodyEncoder(framing ?? .none)
        do throws(HTTPFormatError) {
            try writer.requestLine(method.rawValue, url.path)
            try writer.field("Host", url.authority)
            if fields[.userAgent] == nil, !userAgent.utf8.isEmpty { try writer.field("User-Agent", userAgent) }
            if fields[.accept] == nil { try writer.field("Accept", "*/*") }
            switch framing {
            case .length(let byteCount): try writer.field("Content-Length", "\(byteCount)")
            case .chunked: try writer.field("Transfer-Encoding", "chunked")
            case .some(.none), .untilClose: try writer.field("Content-Length", "0")
            case nil: break
            }
            for field in fields where !Self.isOwn(field.name) { try writer.field(field.name.rawName, field.value) }
            writer.lineEnd()
        } catch {
            throw .message(error)
        }
    }

    private static func isOwn(_ name: HTTPField.Name) -> Bool {
        switch name.canonicalName.utf8.count {
        case 4: name.canonicalName == "host"
        case 14, 17: HTTPResponseEncoder.isOwn(name.canonicalName)
        default: false
        }
    }

    func write(_ bytes: [UInt8]) async throws(HTTPClientError) {
        do throws(HTTPFormatError) {
            guard try body.begin(bytes.count, &writer) else { return }
        } catch {
            throw .message(error)
        }
        if bytes.count <= HTTPServerConfiguration.copiedPartByteCount {
            writer.append(ByteReader(bytes.span).unread)
        } else {
            try await flush()
            try await send(ByteReader(bytes.span).unread)
        }
        body.end(&writer)
        if writer.bytes.count > HTTPServerConfiguration.outputByteCount { try await flush() }
    }

    func end() async throws(HTTPClientError) {
        do throws(HTTPFormatError) { try body.finish(&writer) } catch { throw .message(error) }
        try await flush()
    }

    private func flush() async throws(HTTPClientError) {
        var pending = HTTPWriter()
        swap(&pending, &writer)
        try await send(pending.unsent)
        pending.removeAll()
        swap(&pending, &writer)
    }

    private func send(_ bytes: RawSpan) async throws(HTTPClientError) {
        do throws(NetworkError) {
            try await stream.sendAll(bytes, ProgressDeadline(configuration.progress, now: stream.now))
        } catch {
            throw .network(error)
        }
    }

    // MARK: The answer

    func readHead(forHead: Bool, _ client: HTTPClient) async throws(HTTPClientError) -> HTTPClientResponse {
        decoder.next(forHead: forHead)
        let deadline = stream.now.advanced(by: configuration.answerTimeout)
        while true {
            switch try await receive(deadline, { _ in }) {
            case .head where decoder.head.status == 101: throw .upgraded
            case .head where decoder.head.isInformational: decoder.next(forHead: forHead)
            case .head:
                progress = ProgressDeadline(configuration.progress, now: stream.now)
                let response = HTTPClientResponse(connection: self, client: client, number: number, response: HTTPResponse(decoder.head))
                if !decoder.isInsideMessage { release(to: client) }
                return response
            case .needsMore, .body, .end: break
            }
        }
    }

    /// Gives the next part of the body to `part`; false at its end.
    func readBody(_ client: HTTPClient, _ part: (RawSpan) -> Void) async throws(HTTPClientError) -> Bool {
        while decoder.isInsideMessage {
            switch try await receive(progress.deadline, part) {
            case .body(let byteCount):
                progress.moved(byteCount, now: stream.now)
                if !decoder.isInsideMessage { release(to: client) }
                return true
            case .end:
                release(to: client)
                return false
            case .needsMore, .head: break
            }
        }
        return false
    }

    private enum Received {
        case head
        case body(Int)
        case end
        case needsMore
    }

    private func receive(_ deadline: Instant, _ part: (RawSpan) -> Void) async throws(HTTPClientError) -> Received {
        var event = HTTPEvent.needsMore
        do throws(NetworkError) {
            try await stream.receive(deadline: deadline) { bytes in
                guard bytes.byteCount > 0 else {
                    let end = decoder.finish()
                    // The server closed where an answer was due.
                    event = end == .needsMore ? .failed(.truncated) : end
                    return 0
                }
                isUntouched = false
                let result = decoder.decode(bytes)
                event = result.event
                if case .body(let range) = event { part(bytes.extracting(range)) }
                return result.consumed
            }
        } catch {
            throw .network(error)
        }
        switch event {
        case .head: return .head
        case .body(let range): return .body(range.count)
        case .end: return .end
        case .needsMore: return .needsMore
        case .failed(let error): throw .message(error)
        }
    }

    var trailers: HTTPFields { HTTPFields(decoder.trailers) }

    private func release(to client: HTTPClient) { if decoder.head.isPersistent, body.isFinished { client.keep(self) } }
}

/// Where the body of a request is written to.
public struct HTTPClientBodyWriter {
    let connection: HTTPClientConnection

    public func write(_ bytes: [UInt8]) async throws(HTTPClientError) { try await connection.write(bytes) }
    public func write(_ text: String) async throws(HTTPClientError) { try await connection.write(Array(text.utf8)) }
}

/// An answer: its head, and its body to be read.
public struct HTTPClientResponse {
    let connection: HTTPClientConnection
    let client: HTTPClient
    let number: Int
    public let response: HTTPResponse

    public var status: HTTPResponse.Status { response.status }

    /// Gives the next part of the body to `part`, without a copy. False when there is no more.
    public func readBody(_ part: (RawSpan) -> Void) async throws(HTTPClientError) -> Bool {
        guard number == connection.number else { return false }
        return try await connection.readBody(client, part)
    }

    /// The next part of the body, nil when there is no more.
    public func nextPart() async throws(HTTPClientError) -> [UInt8]? {
        var bytes: [UInt8] = []
        return try await readBody { bytes.append($0) } ? bytes : nil
    }

    /// All of the body, if it has at most `limit` bytes.
    public func body(upTo limit: Int) async throws(HTTPClientError) -> [UInt8] {
        var bytes: [UInt8] = []
        var isTooLarge = false
        while try await readBody({ part in
            isTooLarge = part.byteCount > limit - bytes.count
            if !isTooLarge { bytes.append(part) }
        }) {
            if isTooLarge { throw .bodyTooLarge }
        }
        return bytes
    }

    /// Fields after a chunked body, once it has been read and until the connection's next request.
    public var trailers: HTTPFields { connection.trailers }
}
