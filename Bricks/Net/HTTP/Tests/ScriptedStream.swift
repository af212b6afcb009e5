import Sockets
import Time

@testable import HTTP

/// A connection whose peer follows a script, in a time that passes only while someone waits.
final class ScriptedStream: HTTPStream, @unchecked Sendable {
    private(set) var now = Instant.start
    let wallTime = WallTime(nanosecondsSince1970: 784_111_777_000_000_000)
    private var script: [(at: Instant, bytes: [UInt8])] = []
    private var arrived: [UInt8] = []
    private(set) var sent: [UInt8] = []
    /// How often something was sent.
    private(set) var sendCount = 0
    /// Bytes that the peer takes every second; nil: at once.
    var takenPerSecond: Int?
    private var room = Int.max
    private(set) var isFinished = false
    private(set) var isClosed = false
    private(set) var isAborted = false
    /// What the peer answers to what it has got so far, if anything.
    var peer: ((String) -> String?)?

    /// No bytes: the peer has finished. Without an end it stays, silent.
    init(_ pieces: [(Duration, String)], thenEnds: Bool = true) {
        var time = Instant.start
        for (delay, text) in pieces {
            time = time.advanced(by: delay)
            script.append((time, Array(text.replacing("\n", with: "\r\n").utf8)))
        }
        if thenEnds { script.append((time, [])) }
    }

    convenience init(_ text: String, thenEnds: Bool = true) { self.init([(.zero, text)], thenEnds: thenEnds) }

    var output: String { String(decoding: sent, as: UTF8.self).replacing("\r\n", with: "\n") }

    var isReadable: Bool { !arrived.isEmpty || script.first.map { $0.at <= now } ?? false }

    func receive(deadline: Instant, _ body: (RawSpan) -> Int) async throws(NetworkError) {
        if isAborted { throw .reset }
        if arrived.isEmpty, let answer = peer?(output) { arrived = Array(answer.replacing("\n", with: "\r\n").utf8) }
        if arrived.isEmpty, let next = script.first {
            guard next.at <= deadline else { try passTime(to: deadline) }
            now = max(now, next.at)
            arrived = next.bytes
            if !arrived.isEmpty { script.removeFirst() }
        } else if arrived.isEmpty {
            try passTime(to: deadline)
        }
        let count = arrived.withOctets(body)
        precondition((0...arrived.count).contains(count))
        arrived.removeFirst(count)
    }

    private func passTime(to deadline: Instant) throws(NetworkError) -> Never {
        now = max(now, deadline)
        throw .timedOut
    }

    func trySend(_ bytes: RawSpan) -> Int {
        if takenPerSecond != nil, room == .max { room = 0 }
        let count = min(bytes.byteCount, room)
        if room != .max { room -= count }
        sent.append(bytes.extracting(first: count))
        sendCount += 1
        return count
    }

    func waitForRoom(deadline: Instant) async throws(NetworkError) {
        guard let takenPerSecond, takenPerSecond > 0, now.advanced(by: .seconds(1)) <= deadline else { try passTime(to: deadline) }
        now = now.advanced(by: .seconds(1))
        room = takenPerSecond
    }

    func finish() { isFinished = true }
    func close() { isClosed = true }
    func abort() { isAborted = true }
}
