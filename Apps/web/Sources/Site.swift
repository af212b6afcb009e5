import Brique
import HTTP

/// What is behind each path.
struct Site: Sendable {
    let counts: @Sendable () -> HTTPServerCounts
    private let start = Instant.now
    /// 200 bytes, for measurements.
    private let small = [UInt8](repeating: UInt8(ascii: "b"), count: 199) + [0x0a]

    init(counts: @escaping @Sendable () -> HTTPServerCounts) { self.counts = counts }

    static let uploadLimit = 64 << 20

    func answer(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws(HTTPServerError) {
        if request.isPath("/small") { return try await response.send(type: "text/plain", bytes: small) }
        if request.isPath("/json") { return try await send(json, as: "application/json", response) }
        if request.isPath("/count") { return try await count(request, response) }
        if request.isPath("/metrics") { return try await send(metrics, as: "text/plain; version=0.0.4", response) }
        if request.isPath("/echo") { return try await echo(request, response) }
        if request.isPath("/upload") { return try await upload(request, response) }
        guard let file = SiteFile.named(request) else { return try await response.send(status: 404) }
        guard request.isMethod("GET") || request.isMethod("HEAD") else {
            try response.begin(status: 405, byteCount: 0) { (head) throws(HTTPFormatError) in try head.field("Allow", "GET, HEAD") }
            return try response.end()
        }
        try await file.send(request, response)
    }

    private func send(_ text: HTTPWriter, as type: String, _ response: HTTPServerResponse) async throws(HTTPServerError) {
        try response.begin(status: 200, byteCount: text.bytes.count) { (head) throws(HTTPFormatError) in
            try head.field("Content-Type", type)
        }
        try await response.write(text.unsent)
        try response.end()
    }

    private var json: HTTPWriter {
        let now = counts()
        var text = HTTPWriter()
        text.append("{\"server\": \"brique\", \"uptime_ms\": ")
        text.append(decimal: Int(clamping: start.duration(to: .now).nanosecondsRoundedUp / 1_000_000))
        text.append(", \"requests\": ")
        text.append(decimal: now.requests)
        text.append(", \"open_connections\": ")
        text.append(decimal: now.openConnections)
        text.append(", \"free_memory_bytes\": ")
        text.append(decimal: Memory.freeByteCount)
        text.append("}\n")
        return text
    }

    /// `/count?n=10&ms=100`: numbers, a line each, with a pause before each.
    private func count(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws(HTTPServerError) {
        let last = min(request.queryNumber(of: "n") ?? 10, 1_000_000)
        let pause = min(request.queryNumber(of: "ms") ?? 0, 60_000)
        try response.begin(status: 200) { (head) throws(HTTPFormatError) in try head.field("Content-Type", "text/plain") }
        var line = HTTPWriter()
        for number in 0..<last {
            if pause > 0 {
                try await response.flush()
                try? await Task.sleep(for: .milliseconds(pause))
            }
            line.removeAll()
            line.append(decimal: number + 1)
            line.append("\n")
            try await response.write(line.unsent)
        }
        try response.end()
    }

    /// Sends the body back as it comes.
    private func echo(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws(HTTPServerError) {
        // Asks for the body before it answers, for a client that waits to be asked.
        var part = try await request.nextPart()
        try response.begin(status: 200, byteCount: request.bodyByteCount) { (head) throws(HTTPFormatError) in
            try head.field("Content-Type", "application/octet-stream")
        }
        while let bytes = part {
            try await response.write(bytes)
            part = try await request.nextPart()
        }
        let trailers = request.trailerSection
        try response.end { (end) throws(HTTPFormatError) in
            for index in 0..<trailers.count {
                try end.field(trailers.text(trailers.nameRange(at: index)), trailers.text(trailers.valueRange(at: index)))
            }
        }
    }

    /// Counts the body's bytes and adds them up, so that what arrived can be compared.
    private func upload(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws(HTTPServerError) {
        var byteCount = 0
        while try await request.readBody({ byteCount += $0.byteCount }) {}
        var text = HTTPWriter()
        text.append(decimal: byteCount)
        text.append(" bytes\n")
        try await send(text, as: "text/plain", response)
    }
}
