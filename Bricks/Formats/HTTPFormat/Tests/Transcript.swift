import HTTPFormat

/// What a decoder made of a stream of messages, as text: the same however the stream was cut.
struct Transcript {
    var text = ""
    var ends = 0
    var failure: HTTPFormatError?

    /// Feeds `pieces` to a decoder, as a connection would: what is not consumed is offered again.
    init<Head: HTTPHead>(
        _ decoder: HTTPDecoder<Head>, _ pieces: [[UInt8]], closes: Bool = false, describe: (Head) -> String
    ) {
        var decoder = decoder
        var body: [UInt8] = []
        for piece in pieces {
            var rest = piece[...]
            reading: while true {
                let offered = Array(rest)
                let (consumed, event) = offered.withOctets { decoder.decode($0) }
                precondition((0...offered.count).contains(consumed))
                rest = rest.dropFirst(consumed)
                switch event {
                case .needsMore:
                    precondition(rest.isEmpty)
                    break reading
                case .head: text += describe(decoder.head) + Self.fields(decoder.head.section) + "\(decoder.framing)\n"
                case .body(let range):
                    precondition(!range.isEmpty && range.upperBound == consumed)
                    body += offered[range]
                case .end: finishMessage(&decoder, &body)
                case .failed(let error):
                    failure = error
                    text += "failed \(error)\n"
                    return
                }
            }
        }
        guard closes else { return }
        switch decoder.finish() {
        case .end: finishMessage(&decoder, &body)
        case .failed(let error): failure = error
        case .needsMore, .head, .body: break
        }
    }

    private mutating func finishMessage<Head: HTTPHead>(_ decoder: inout HTTPDecoder<Head>, _ body: inout [UInt8]) {
        text += "body \(body)\n" + Self.fields(decoder.trailers) + "end\n"
        body = []
        ends += 1
        decoder.next()
    }

    private static func fields(_ section: HTTPFieldSection) -> String {
        (0..<section.count).map { "\(section.text(section.nameRange(at: $0)))=\(section.text(section.valueRange(at: $0)))\n" }.joined()
    }

    static func requests(_ pieces: [[UInt8]], limits: HTTPLimits = HTTPLimits()) -> Transcript {
        Transcript(HTTPRequestDecoder(limits: limits), pieces) { head in
            "\(head.method) \(head.path)?\(head.query) \(head.version) \(head.isPersistent) \(head.expectsContinue)\n"
        }
    }

    static func responses(_ pieces: [[UInt8]], closes: Bool = false, forHead: Bool = false) -> Transcript {
        var decoder = HTTPResponseDecoder()
        decoder.next(forHead: forHead)
        return Transcript(decoder, pieces, closes: closes) { head in "\(head.status) \(head.version) \(head.isPersistent)\n" }
    }
}

extension [UInt8] {
    init(text: String) { self = Array(text.replacing("\n", with: "\r\n").utf8) }
}
