import NetFormats
import NetStack
import Random
import TCP
import Time

/// What an application at one end does with its connection.
struct Behaviour: Equatable, Sendable {
    /// Bytes to send in all.
    var byteCount = 0
    var writeChunk = 64 << 10
    var readChunk = 64 << 10
    /// Chances, of a million actions, to pause, and for how long.
    var pauses = 0
    var pause = Duration.milliseconds(50)
    /// Gives up after so many bytes read.
    var abortsAfter: Int?
    /// Ends its own stream as soon as all is written; else only when the peer has ended its.
    var finishesFirst = true
}

/// A connection as an application sees it: a control block, or an endpoint of a stack.
protocol SimulatedStream {
    var readableByteCount: Int { get }
    var writableByteCount: Int { get }
    var isEndOfStream: Bool { get }
    func withReadable<Result>(_ body: (RawSpan, RawSpan) -> Result) -> Result
    mutating func consume(_ byteCount: Int)
    mutating func write(_ bytes: RawSpan) -> Int
    mutating func finish()
    mutating func abort()
}

extension TCPControlBlock: SimulatedStream {}

extension TCPEndpoint: SimulatedStream {
    var readableByteCount: Int { control.readableByteCount }
    var writableByteCount: Int { control.writableByteCount }
    var isEndOfStream: Bool { control.isEndOfStream }
}

/// An application: it sends one pattern and expects another.
struct SimulatedApplication: Sendable {
    var behaviour: Behaviour
    let outgoing: StreamPattern
    let incoming: StreamPattern
    var written = 0
    var read = 0
    var hasSeenEnd = false
    var hasFinished = false
    var hasAborted = false
    var pausedUntil = Instant.start
    private var random: SplitMix

    init(behaviour: Behaviour, outgoing: StreamPattern, incoming: StreamPattern, seed: UInt64) {
        self.behaviour = behaviour
        self.outgoing = outgoing
        self.incoming = incoming
        random = SplitMix(state: seed)
    }

    /// One round. Returns what is wrong, if anything is.
    mutating func act(on stream: inout some SimulatedStream, now: Instant) -> String? {
        guard now >= pausedUntil else { return nil }
        if random.happens(behaviour.pauses) {
            pausedUntil = now.advanced(by: behaviour.pause)
            return nil
        }
        while stream.readableByteCount > 0 {
            let count = min(behaviour.readChunk, stream.readableByteCount)
            let place = read
            let isRight = stream.withReadable { first, second in
                let head = first.extracting(first: count)
                return incoming.matches(head, at: place)
                    && incoming.matches(second.extracting(first: count - head.byteCount), at: place + head.byteCount)
            }
            guard isRight else { return "wrong bytes at \(read)" }
            stream.consume(count)
            read += count
            if let limit = behaviour.abortsAfter, read >= limit {
                stream.abort()
                hasAborted = true
                return nil
            }
            if random.happens(behaviour.pauses) { pausedUntil = now.advanced(by: behaviour.pause) }
        }
        if stream.isEndOfStream { hasSeenEnd = true }
        write(to: &stream)
        if !hasFinished, written == behaviour.byteCount, behaviour.finishesFirst || hasSeenEnd {
            stream.finish()
            hasFinished = true
        }
        return nil
    }

    private mutating func write(to stream: inout some SimulatedStream) {
        while written < behaviour.byteCount {
            let count = min(behaviour.writeChunk, behaviour.byteCount - written)
            let taken = stream.write(outgoing.bytes(from: written, count: min(count, max(stream.writableByteCount, 1))).rawBytes)
            written += taken
            if taken == 0 { return }
        }
    }
}
