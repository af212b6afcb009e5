import HTTPFormat
import Sockets
import Time

/// What a server grants its clients: sizes, times, numbers.
public struct HTTPServerConfiguration: Sendable {
    public var limits: HTTPLimits
    /// From a request's first byte to the end of its head.
    public var headTimeout = Duration.seconds(10)
    /// How fast a body must move, in either direction.
    public var progress = HTTPProgress()
    /// Between two requests of a connection, and before the first.
    public var idleTimeout = Duration.seconds(60)
    /// Connections served at once; more are answered with 503.
    public var connectionLimit = 10_000

    /// A body is refused above 64 MiB unless the limits say otherwise.
    public init() {
        limits = HTTPLimits()
        limits.bodyByteCount = 64 << 20
    }

    /// Bytes gathered before they are sent; larger parts of a body are not copied.
    static let outputByteCount = 16_384
    static let copiedPartByteCount = 4_096
    /// Of a request's body that nobody read: skipped up to here, else the connection ends.
    static let skippedByteCount = 65_536
    /// After the last answer: how long and how much is read so that the answer is not lost (RFC 9112 §9.6).
    static let lingerTimeout = Duration.seconds(2)
    static let lingerByteCount = 1 << 20
    static let pooledBuffers = 64
}

/// Why a request cannot be read, or its answer written.
public enum HTTPServerError: Error, Equatable, Sendable {
    case network(NetworkError)
    case message(HTTPFormatError)
    /// The body has more bytes than the caller takes.
    case bodyTooLarge
    /// Something was to be sent before the head, a second head, or bytes after the end.
    case misuse
}
