/// Frames a body on its way out, and holds it to what its head says.
public struct HTTPBodyEncoder: Equatable, Sendable {
    private(set) var state: State

    enum State: Equatable, Sendable {
        /// Bytes go nowhere: the answer to HEAD, 204, 304.
        case discarding
        case length(Int)
        case chunked
        case untilClose
        case finished
    }

    public init(_ framing: HTTPFraming) {
        state =
            switch framing {
            case .none: .length(0)
            case .length(let byteCount): .length(byteCount)
            case .chunked: .chunked
            case .untilClose: .untilClose
            }
    }

    init(state: State) { self.state = state }

    /// The message is complete: nothing more may be written.
    public var isFinished: Bool { state == .finished }

    /// A part of the body follows: writes what comes before it. False: the part is not to be sent.
    public mutating func begin(_ byteCount: Int, _ writer: inout HTTPWriter) throws(HTTPFormatError) -> Bool {
        guard byteCount > 0 else { return false }
        switch state {
        case .discarding: return false
        case .length(let left):
            guard byteCount <= left else { throw .bodyLengthMismatch }
            state = .length(left - byteCount)
        case .chunked:
            writer.append(hexadecimal: byteCount)
            writer.lineEnd()
        case .untilClose: break
        case .finished: throw .bodyLengthMismatch
        }
        return true
    }

    /// What comes after a part that was sent.
    public func end(_ writer: inout HTTPWriter) { if state == .chunked { writer.lineEnd() } }

    /// The body is complete. Trailers go out only in chunks, and are dropped elsewhere (RFC 9112 §7.1.2).
    public mutating func finish(
        _ writer: inout HTTPWriter, trailers: (inout HTTPWriter) throws(HTTPFormatError) -> Void = { (_) throws(HTTPFormatError) in }
    ) throws(HTTPFormatError) {
        switch state {
        case .chunked:
            writer.append("0\r\n")
            try trailers(&writer)
            writer.lineEnd()
        case .length(let left): guard left == 0 else { throw .bodyLengthMismatch }
        case .discarding, .untilClose, .finished: break
        }
        state = .finished
    }
}
