import HTTPFormat
import Sockets
import Time

/// One client's connection: reads requests, one at a time, and writes their answers in order.
final class HTTPServerConnection {
    let stream: any HTTPStream
    let service: HTTPService
    /// There while a request is being read or answered.
    private(set) var heldBuffers: HTTPServerBuffers?
    var answer = Answer.none
    var encoder = HTTPResponseEncoder(version: .http11, isHead: false, isPersistent: false)
    /// Whether `100 Continue` was sent, or is not wanted.
    var hasContinued = true
    var bodyByteCount = 0
    private var bodyProgress: ProgressDeadline?

    /// How far the answer to the present request is.
    enum Answer: Equatable {
        case none
        case body(HTTPBodyEncoder)
        case complete
    }

    typealias Handler = (HTTPServerRequest, HTTPServerResponse) async throws(HTTPServerError) -> Void

    init(_ stream: any HTTPStream, _ service: HTTPService) {
        self.stream = stream
        self.service = service
        service.counts.connections += 1
        service.counts.openConnections += 1
    }

    /// Serves requests until one side has had enough.
    func run(_ handler: Handler) async {
        do throws(HTTPServerError) {
            while try await readHead() {
                try await respond(handler)
                guard encoder.isPersistent, try await skipBody() else { break }
                buffers.decoder.next()
            }
            try await flush()
            releaseBuffers()
            await linger()
            stream.close()
        } catch {
            stream.abort()
        }
        releaseBuffers()
        service.counts.openConnections -= 1
    }

    private func respond(_ handler: Handler) async throws(HTTPServerError) {
        service.counts.requests += 1
        let response = HTTPServerResponse(connection: self)
        do throws(HTTPServerError) {
            try await handler(HTTPServerRequest(connection: self), response)
        } catch {
            guard answer == .none, let status = Self.status(of: error) else { throw error }
            encoder.close()
            try await response.send(status: status)
        }
        switch answer {
        case .none: try await response.send(status: 404)
        case .body: try response.end()
        case .complete: break
        }
    }

    /// With what a request is answered whose handler gave up; nil when nothing can be sent.
    private static func status(of error: HTTPServerError) -> Int? {
        switch error {
        case .message(let error): error.status
        case .bodyTooLarge: 413
        case .network(.timedOut): 408
        case .network: nil
        case .misuse: 500
        }
    }

    // MARK: Reading

    /// False: the client is done, or its request was refused and answered.
    private func readHead() async throws(HTTPServerError) -> Bool {
        if !stream.isReadable {
            try await flush()
            releaseBuffers()
        }
        var deadline = stream.now.advanced(by: service.configuration.idleTimeout)
        while true {
            var event = HTTPEvent.needsMore
            let wasInside = heldBuffers?.decoder.isInsideMessage ?? false
            do throws(NetworkError) {
                try await stream.receive(deadline: deadline) { bytes in decodeHead(bytes, &event) }
            } catch {
                guard error == .timedOut else { throw .network(error) }
                service.counts.timeouts += 1
                if wasInside { try await refuse(408) }
                return false
            }
            switch event {
            case .head: return beginRequest()
            case .end: return false
            case .failed(.truncated): return false
            case .failed(let error):
                try await refuse(error.status)
                return false
            case .needsMore, .body:
                let isInside = heldBuffers?.decoder.isInsideMessage ?? false
                try await flush()
                if isInside, !wasInside { deadline = stream.now.advanced(by: service.configuration.headTimeout) }
            }
        }
    }

    private func decodeHead(_ bytes: RawSpan, _ event: inout HTTPEvent) -> Int {
        guard bytes.byteCount > 0 else {
            let end = buffers.decoder.finish()
            event = end == .needsMore ? .end : end
            return 0
        }
        let result = buffers.decoder.decode(bytes)
        event = result.event
        return result.consumed
    }

    private func beginRequest() -> Bool {
        encoder = HTTPResponseEncoder(to: buffers.decoder.head)
        answer = .none
        hasContinued = !buffers.decoder.head.expectsContinue || buffers.decoder.framing == .none
        bodyByteCount = 0
        bodyProgress = nil
        return true
    }

    /// Answers what cannot be handled. The connection ends.
    private func refuse(_ status: Int) async throws(HTTPServerError) {
        service.counts.refusedRequests += 1
        encoder = HTTPResponseEncoder(version: .http11, isHead: false, isPersistent: false)
        answer = .none
        try await HTTPServerResponse(connection: self).send(status: status)
    }

    /// Gives the next part of the request's body to `body`; false at its end.
    func readBody(_ body: (RawSpan) -> Void) async throws(HTTPServerError) -> Bool {
        try await sendContinue()
        var progress = bodyProgress ?? ProgressDeadline(service.configuration.progress, now: stream.now)
        while true {
            var event = HTTPEvent.needsMore
            do throws(NetworkError) {
                // The end may have been decoded already: then there is nothing to wait for.
                guard buffers.decoder.isInsideMessage else { return false }
                try await stream.receive(deadline: progress.deadline) { bytes in decodeBody(bytes, &event, body) }
            } catch {
                if error == .timedOut { service.counts.timeouts += 1 }
                throw .network(error)
            }
            switch event {
            case .body(let range):
                progress.moved(range.count, now: stream.now)
                bodyProgress = progress
                bodyByteCount += range.count
                service.counts.receivedBodyBytes += range.count
                return true
            case .end: return false
            case .failed(let error):
                service.counts.refusedRequests += 1
                encoder.close()
                throw .message(error)
            case .needsMore, .head: break
            }
        }
    }

    private func decodeBody(_ bytes: RawSpan, _ event: inout HTTPEvent, _ body: (RawSpan) -> Void) -> Int {
        guard bytes.byteCount > 0 else {
            event = buffers.decoder.finish()
            return 0
        }
        let result = buffers.decoder.decode(bytes)
        event = result.event
        if case .body(let range) = result.event { body(bytes.extracting(range)) }
        return result.consumed
    }

    /// The client waits to be asked for the body (RFC 9110 §10.1.1).
    private func sendContinue() async throws(HTTPServerError) {
        guard !hasContinued else { return }
        hasContinued = true
        guard answer == .none else { return }
        buffers.writer.append("HTTP/1.1 100 Continue\r\n\r\n")
        try await flush()
    }

    /// Reads over what the handler left of the body. False: it is too much, or it may never come.
    private func skipBody() async throws(HTTPServerError) -> Bool {
        guard buffers.decoder.isInsideMessage else { return true }
        guard hasContinued else { return false }
        let limit = bodyByteCount + HTTPServerConfiguration.skippedByteCount
        try await flush()
        do throws(HTTPServerError) {
            while try await readBody({ _ in }) { if bodyByteCount > limit { return false } }
        } catch {
            return false
        }
        return true
    }

    /// Half-closes, and reads on for a while: closing at once could take the answer away from a client that still sends.
    private func linger() async {
        stream.finish()
        let deadline = stream.now.advanced(by: HTTPServerConfiguration.lingerTimeout)
        var left = HTTPServerConfiguration.lingerByteCount
        do throws(NetworkError) {
            var isAtEnd = false
            while !isAtEnd, left > 0 {
                try await stream.receive(deadline: deadline) { bytes in
                    isAtEnd = bytes.byteCount == 0
                    left -= bytes.byteCount
                    return bytes.byteCount
                }
            }
        } catch {}
    }

    /// Taken when they are first asked for.
    var buffers: HTTPServerBuffers {
        if let heldBuffers { return heldBuffers }
        let taken = service.takeBuffers()
        heldBuffers = taken
        return taken
    }

    private func releaseBuffers() {
        guard let used = heldBuffers else { return }
        heldBuffers = nil
        service.giveBack(used)
    }
}
