import Bytes
import Foundation
import HTTPFormat
import Random

/// Damaged streams of messages through the decoders: no trap, and the same messages however the stream is cut.
func fuzzHTTP(seed: UInt64, seconds: Double) -> String {
    var random = SplitMix(state: seed)
    let end = Date.now.addingTimeInterval(seconds)
    var count = 0, messages = 0, refused = 0
    while count % 256 != 0 || Date.now < end {
        count += 1
        let stream = damagedStream(&random)
        let requests = read(HTTPRequestDecoder(limits: smallLimits), stream, pieces: [stream.count])
        let responses = read(HTTPResponseDecoder(limits: smallLimits), stream, pieces: [stream.count])
        messages += requests.count { $0 == .end } + responses.count { $0 == .end }
        refused += requests.contains { if case .failed = $0 { true } else { false } } ? 1 : 0
        let pieces = (0..<64).map { _ in Int.random(in: 0...40, using: &random) }
        precondition(read(HTTPRequestDecoder(limits: smallLimits), stream, pieces: pieces) == requests)
        precondition(read(HTTPResponseDecoder(limits: smallLimits), stream, pieces: pieces) == responses)
    }
    return "\(count) streams, \(messages) messages, \(refused) refused as requests"
}

private var smallLimits: HTTPLimits {
    var limits = HTTPLimits()
    limits.startLineByteCount = 200
    limits.headByteCount = 400
    limits.fieldCount = 8
    limits.bodyByteCount = 100
    limits.chunkExtensionByteCount = 20
    return limits
}

/// What a stream says: heads, single bytes of bodies, ends, a refusal.
private enum Word: Equatable {
    case head([UInt8])
    case body(UInt8)
    case end
    case failed(HTTPFormatError)
}

private func read<Head: HTTPHead>(_ decoder: HTTPDecoder<Head>, _ stream: [UInt8], pieces: [Int]) -> [Word] {
    var decoder = decoder
    var words: [Word] = []
    var offset = 0
    for index in 0... {
        let piece = index < pieces.count ? pieces[index] : stream.count
        var rest = stream[offset..<min(offset + piece, stream.count)]
        offset = rest.endIndex
        reading: while true {
            let offered = Array(rest)
            let (consumed, event) = decoder.decode(ByteReader(offered.span).unread)
            rest = rest.dropFirst(consumed)
            switch event {
            case .needsMore:
                precondition(rest.isEmpty)
                break reading
            case .head: words.append(.head(decoder.head.section.bytes))
            case .body(let range): words += offered[range].map { .body($0) }
            case .end:
                words.append(.end)
                decoder.next()
            case .failed(let error): return words + [.failed(error)]
            }
        }
        if offset == stream.count { break }
    }
    return words
}

private let fragments: [[UInt8]] = [
    "GET / HTTP/1.1\r\n", "POST /a?b HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.0 404\r\n", "Host: a\r\n", "Content-Length: 3\r\n",
    "abc",
    "Transfer-Encoding: chunked\r\n", "Connection: close, x\r\n", "Expect: 100-continue\r\n", "\r\n", "3\r\n", "0\r\n", "a;b=c\r\n",
    "X: y z \r\n",
    "\n", "\r", " ", "\u{0}", "HTTP/1.1 100 Continue\r\n\r\n", "GET http://a/ HTTP/1.0\r\n",
].map { Array($0.utf8) }

private let openings: [[UInt8]] = [
    "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
].map { Array($0.utf8) }

private func damagedStream(_ random: inout SplitMix) -> [UInt8] {
    var bytes = random.chance(of: 8) ? [] : openings[Int(random.next() % UInt64(openings.count))]
    for _ in 0..<Int.random(in: 0...12, using: &random) { bytes += fragments[Int(random.next() % UInt64(fragments.count))] }
    for _ in 0..<Int.random(in: 0...2, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        if random.chance(of: 2) { bytes[index] = UInt8(truncatingIfNeeded: random.next()) } else { bytes.remove(at: index) }
    }
    return bytes
}
