import HTTPFormat
import Time

/// What a server has counted since it started.
public struct HTTPServerCounts: Equatable, Sendable {
    public var connections = 0
    public var openConnections = 0
    /// Turned away, for there were too many.
    public var refusedConnections = 0
    public var requests = 0
    /// Heads and bodies that were refused.
    public var refusedRequests = 0
    public var timeouts = 0
    /// Answers by the first digit of their status: index 2 counts 200 to 299.
    public var answers = InlineArray<6, Int>(repeating: 0)
    public var receivedBodyBytes = 0
    /// Heads, chunk frames and bodies.
    public var sentBytes = 0

    public static func == (a: Self, b: Self) -> Bool {
        for index in 0..<6 where a.answers[index] != b.answers[index] { return false }
        return a.connections == b.connections && a.openConnections == b.openConnections && a.refusedConnections == b.refusedConnections
            && a.requests == b.requests && a.refusedRequests == b.refusedRequests && a.timeouts == b.timeouts
            && a.receivedBodyBytes == b.receivedBodyBytes && a.sentBytes == b.sentBytes
    }
}

/// What the connections of one server share. It belongs to one run loop.
final class HTTPService: @unchecked Sendable {
    let configuration: HTTPServerConfiguration
    var counts = HTTPServerCounts()
    private var buffers: [HTTPServerBuffers] = []
    private var date = HTTPDate(secondsSince1970: 0)
    private var nextDate = Instant.start

    init(_ configuration: HTTPServerConfiguration) { self.configuration = configuration }

    /// Tells a client that there are too many, as far as that goes without waiting.
    func turnAway(_ stream: any HTTPStream) {
        counts.refusedConnections += 1
        var writer = HTTPWriter()
        writer.append("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n")
        _ = try? stream.trySend(writer.unsent)
        stream.close()
    }

    /// Memory for one request. Only connections that are busy hold any.
    func takeBuffers() -> HTTPServerBuffers { buffers.popLast() ?? HTTPServerBuffers(configuration.limits) }

    func giveBack(_ used: HTTPServerBuffers) {
        guard buffers.count < HTTPServerConfiguration.pooledBuffers else { return }
        used.decoder.next()
        used.writer.removeAll()
        buffers.append(used)
    }

    /// For the field Date. The time of day is asked for once a second, when the next one begins.
    func date(on stream: any HTTPStream) -> HTTPDate {
        let now = stream.now
        guard now >= nextDate else { return date }
        let time = stream.wallTime.nanosecondsSince1970
        date = HTTPDate(secondsSince1970: time / 1_000_000_000)
        nextDate = now.advanced(by: .nanoseconds(Int64(1_000_000_000 - time % 1_000_000_000)))
        return date
    }
}

/// The memory that a request and its answer need.
final class HTTPServerBuffers {
    var decoder: HTTPRequestDecoder
    var writer = HTTPWriter()

    init(_ limits: HTTPLimits) { decoder = HTTPRequestDecoder(limits: limits) }
}
