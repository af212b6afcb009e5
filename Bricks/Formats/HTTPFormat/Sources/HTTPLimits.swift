/// What a peer may send. Beyond a limit the message is refused, so a decoder's memory is bounded.
public struct HTTPLimits: Equatable, Sendable {
    /// The request line or status line; RFC 9112 §3 recommends to take 8,000 bytes at least.
    public var startLineByteCount = 8_192
    /// All of a head: start line, fields and line ends. Trailers have the same limit of their own.
    public var headByteCount = 16_384
    public var fieldCount = 100
    /// All of a body, without its chunks' framing.
    public var bodyByteCount = Int.max
    /// Extensions of all chunks of a body; they are skipped.
    public var chunkExtensionByteCount = 4_096

    public init() {}

    /// Digits of a chunk's size: more could not be told from an overflow.
    static let chunkSizeDigits = 15
    /// Empty lines skipped before a request line (RFC 9112 §2.2 asks for one).
    static let emptyLineCount = 2
    static let methodByteCount = 32
}
