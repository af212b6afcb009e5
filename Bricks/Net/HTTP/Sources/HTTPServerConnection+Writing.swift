import HTTPFormat
import Sockets
import Time

extension HTTPServerConnection {
    /// Status line and the fields that are the same for every answer; the caller adds its own and an empty line.
    func beginAnswer(_ status: Int, _ framing: HTTPFraming) throws(HTTPServerError) {
        guard answer == .none else { throw .misuse }
        answer = .body(encoder.begin(status, framing, &buffers.writer))
        buffers.writer.dateField(service.date(on: stream))
        if status >= 100, status < 600 { service.counts.answers[status / 100] += 1 }
    }

    /// Frames a part of the answer's body, and gathers or sends it.
    func writeBody(_ part: RawSpan) async throws(HTTPServerError) {
        guard case .body(var body) = answer else { throw .misuse }
        do throws(HTTPFormatError) {
            guard try body.begin(part.byteCount, &buffers.writer) else { return }
        } catch {
            throw .message(error)
        }
        answer = .body(body)
        if part.byteCount <= HTTPServerConfiguration.copiedPartByteCount {
            buffers.writer.append(part)
        } else {
            try await flush()
            try await send(part)
        }
        body.end(&buffers.writer)
        if buffers.writer.bytes.count > HTTPServerConfiguration.outputByteCount { try await flush() }
    }

    func endAnswer(trailers: (inout HTTPWriter) throws(HTTPFormatError) -> Void) throws(HTTPServerError) {
        guard case .body(var body) = answer else { throw .misuse }
        do throws(HTTPFormatError) { try body.finish(&buffers.writer, trailers: trailers) } catch { throw .message(error) }
        answer = .complete
    }

    /// Sends what has been gathered.
    func flush() async throws(HTTPServerError) {
        guard let buffers = heldBuffers, !buffers.writer.bytes.isEmpty else { return }
        let byteCount = buffers.writer.bytes.count
        let sent = try trySend(buffers.writer)
        service.counts.sentBytes += sent
        if sent < byteCount {
            // Nobody else sees the writer while this waits, and its memory has one owner.
            var pending = HTTPWriter()
            swap(&pending, &buffers.writer)
            try await send(pending.unsent.extracting(droppingFirst: sent))
            swap(&pending, &buffers.writer)
        }
        buffers.writer.removeAll()
    }

    private func trySend(_ writer: HTTPWriter) throws(HTTPServerError) -> Int {
        do throws(NetworkError) { return try stream.trySend(writer.unsent) } catch { throw .network(error) }
    }

    /// Sends all of `bytes`, and waits for room as long as the client takes some.
    private func send(_ bytes: RawSpan) async throws(HTTPServerError) {
        do throws(NetworkError) {
            let progress = ProgressDeadline(service.configuration.progress, now: stream.now)
            try await stream.sendAll(bytes, progress) { service.counts.sentBytes += $0 }
        } catch {
            if error == .timedOut { service.counts.timeouts += 1 }
            throw .network(error)
        }
    }
}
