/// What came out of a decoder.
public enum HTTPEvent: Equatable, Sendable {
    /// All bytes are used; more are needed.
    case needsMore
    /// The head is complete: `head` has it until `next()`.
    case head
    /// A part of the body: these of the bytes that were given.
    case body(Range<Int>)
    /// The message is complete, trailers included; `next()` begins another.
    case end
    /// Refused. The connection cannot be read any further.
    case failed(HTTPFormatError)
}

/// Reads messages of one direction of a connection, from pieces of any size. Keeps no body.
public struct HTTPDecoder<Head: HTTPHead>: Sendable {
    public internal(set) var head = Head()
    /// Fields after a chunked body; valid at `end`.
    public internal(set) var trailers = HTTPFieldSection()
    /// Where the body ends; valid from `head` on.
    public internal(set) var framing = HTTPFraming.none
    public let limits: HTTPLimits
    var state = State.startLine(emptyLines: 0)
    /// Room for the rest of the body.
    var bodyAllowance = 0
    var extensionAllowance = 0

    enum State: Equatable {
        case startLine(emptyLines: Int)
        case fields
        /// Bytes left, all of them the body's.
        case length(Int)
        case untilClose
        case chunkSize(digits: Int, value: Int)
        case chunkExtension(size: Int)
        case chunkSizeEnd(size: Int)
        case chunk(Int)
        case chunkEnd(hasReturn: Bool)
        case trailers
        case end
        case failed(HTTPFormatError)
    }

    public init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

    /// Whether a message has begun and is not complete.
    public var isInsideMessage: Bool {
        switch state {
        case .startLine: !head.section.isEmpty
        case .end: false
        case .fields, .length, .untilClose, .chunkSize, .chunkExtension, .chunkSizeEnd, .chunk, .chunkEnd, .trailers, .failed: true
        }
    }

    /// Ready for the next message of the connection. The memory is kept.
    public mutating func next() {
        head.reset()
        trailers.removeAll()
        framing = .none
        state = .startLine(emptyLines: 0)
    }

    /// Reads up to the next event. `consumed` bytes of the front are done with; those of a body are among them.
    public mutating func decode(_ bytes: RawSpan) -> (consumed: Int, event: HTTPEvent) {
        let octets = bytes.octets
        var offset = 0
        do throws(HTTPFormatError) {
            while true {
                if let event = try step(octets, &offset) { return (offset, event) }
            }
        } catch {
            state = .failed(error)
            return (offset, .failed(error))
        }
    }

    /// The peer will send nothing more. `needsMore`: between two messages, as it should be.
    public mutating func finish() -> HTTPEvent {
        switch state {
        case .startLine where head.section.isEmpty: return .needsMore
        case .untilClose, .end:
            state = .end
            return .end
        case .failed(let error): return .failed(error)
        case .startLine, .fields, .length, .chunkSize, .chunkExtension, .chunkSizeEnd, .chunk, .chunkEnd, .trailers:
            state = .failed(.truncated)
            return .failed(.truncated)
        }
    }

    /// One line, one part of a body or one byte of a chunk's frame; nil: go on.
    private mutating func step(_ bytes: Span<UInt8>, _ offset: inout Int) throws(HTTPFormatError) -> HTTPEvent? {
        switch state {
        case .startLine(let emptyLines): return try readStartLine(bytes, &offset, emptyLines)
        case .fields: return try readField(bytes, &offset)
        case .length(let left):
            guard let part = part(of: bytes, &offset, upTo: left) else { return .needsMore }
            state = part.count == left ? .end : .length(left - part.count)
            return .body(part)
        case .untilClose:
            guard offset < bytes.count else { return .needsMore }
            guard let part = part(of: bytes, &offset, upTo: bodyAllowance) else { throw .bodyTooLarge }
            bodyAllowance -= part.count
            return .body(part)
        case .chunkSize, .chunkExtension, .chunkSizeEnd, .chunk, .chunkEnd: return try readChunk(bytes, &offset)
        case .trailers: return try readTrailer(bytes, &offset)
        case .end: return .end
        case .failed(let error): return .failed(error)
        }
    }

    func part(of bytes: Span<UInt8>, _ offset: inout Int, upTo limit: Int) -> Range<Int>? {
        let count = min(bytes.count - offset, limit)
        guard count > 0 else { return nil }
        defer { offset += count }
        return offset..<offset + count
    }

    mutating func allow(_ byteCount: Int) throws(HTTPFormatError) {
        guard byteCount <= bodyAllowance else { throw .bodyTooLarge }
        bodyAllowance -= byteCount
    }

    private mutating func readStartLine(
        _ bytes: Span<UInt8>, _ offset: inout Int, _ emptyLines: Int
    ) throws(HTTPFormatError) -> HTTPEvent? {
        let line = try head.section.takeLine(bytes, from: offset, limit: limits.startLineByteCount, .startLineTooLong)
        offset += line.count
        guard line.isComplete else { return .needsMore }
        let range = try head.section.finishLine()
        if range.isEmpty, Head.allowsEmptyLines, emptyLines < HTTPLimits.emptyLineCount {
            head.section.removeAll()
            state = .startLine(emptyLines: emptyLines + 1)
            return nil
        }
        try head.parseStartLine(range)
        state = .fields
        return nil
    }

    private mutating func readField(_ bytes: Span<UInt8>, _ offset: inout Int) throws(HTTPFormatError) -> HTTPEvent? {
        let line = try head.section.takeLine(bytes, from: offset, limit: limits.headByteCount, .headTooLarge)
        offset += line.count
        guard line.isComplete else { return .needsMore }
        let range = try head.section.finishLine()
        guard range.isEmpty else {
            try head.section.addField(range, limits: limits)
            return nil
        }
        framing = try head.parseFraming()
        bodyAllowance = limits.bodyByteCount
        extensionAllowance = limits.chunkExtensionByteCount
        switch framing {
        case .none: state = .end
        case .length(let byteCount):
            try allow(byteCount)
            state = .length(byteCount)
        case .chunked: state = .chunkSize(digits: 0, value: 0)
        case .untilClose: state = .untilClose
        }
        return .head
    }

    private mutating func readTrailer(_ bytes: Span<UInt8>, _ offset: inout Int) throws(HTTPFormatError) -> HTTPEvent? {
        let line = try trailers.takeLine(bytes, from: offset, limit: limits.headByteCount, .headTooLarge)
        offset += line.count
        guard line.isComplete else { return .needsMore }
        let range = try trailers.finishLine()
        guard range.isEmpty else {
            try trailers.addField(range, limits: limits)
            return nil
        }
        state = .end
        return .end
    }
}

public typealias HTTPRequestDecoder = HTTPDecoder<HTTPRequestHead>
public typealias HTTPResponseDecoder = HTTPDecoder<HTTPResponseHead>

extension HTTPDecoder where Head == HTTPResponseHead {
    /// Ready for the answer to another request.
    public mutating func next(forHead: Bool) {
        next()
        head.isForHead = forHead
    }
}
