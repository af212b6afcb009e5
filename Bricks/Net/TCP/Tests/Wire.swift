import Bytes
import NetFormats
import TCP
import Time

extension Instant {
    static func + (a: Instant, b: Duration) -> Instant { a.advanced(by: b) }
}

let clientAddress = SocketAddress(address: .v4(IPv4Address(192, 0, 2, 1)), port: 40_000)
let serverAddress = SocketAddress(address: .v4(IPv4Address(192, 0, 2, 2)), port: 80)

/// One segment with its payload.
struct Segment: Equatable {
    var header: TCPHeader
    var payload: [UInt8] = []
}

extension TCPControlBlock {
    /// Everything that may be sent now; super-segments are cut as a link would.
    mutating func transmissions(now: Instant, maximumByteCount: Int = 0) -> [Segment] {
        var segments: [Segment] = []
        while let transmission = nextTransmission(now: now, maximumByteCount: maximumByteCount) {
            let payload = withPayload(of: transmission) { [UInt8](copying: $0) + [UInt8](copying: $1) }
            precondition(payload.count == transmission.byteCount)
            var header = transmission.header
            var start = 0
            repeat {
                let end = min(start + transmission.segmentSize, payload.count)
                let isLast = end == payload.count
                header.flags = isLast ? transmission.header.flags : transmission.header.flags.subtracting([.fin, .psh])
                segments.append(Segment(header: header, payload: Array(payload[start..<end])))
                header.sequenceNumber += end - start
                start = end
            } while start < payload.count
            precondition(segments.count < 100_000)
        }
        return segments
    }

    mutating func handle(_ segment: Segment, now: Instant) -> TCPEvents {
        handle(segment.header, segment.payload.rawBytes, now: now)
    }

    mutating func write(_ bytes: [UInt8]) -> Int { write(bytes.rawBytes) }

    mutating func readAll() -> [UInt8] {
        let bytes = withReadable { [UInt8](copying: $0) + [UInt8](copying: $1) }
        consume(bytes.count)
        return bytes
    }
}

/// Two ends and a link without faults.
struct Pair {
    var now = Instant(nanoseconds: 1_000_000_000)
    var client: TCPControlBlock
    var server: TCPControlBlock?
    var serverConfiguration = TCPControlBlock.Configuration()
    var delay = Duration.milliseconds(1)
    var superSegment = 0
    var clientEvents: TCPEvents = []
    var serverEvents: TCPEvents = []

    init(client configuration: TCPControlBlock.Configuration = .init(), server: TCPControlBlock.Configuration = .init()) {
        client = TCPControlBlock(
            connectingFrom: clientAddress, to: serverAddress, initialSequenceNumber: SequenceNumber(rawValue: .max - 1_000),
            timestampOffset: 77, configuration: configuration, now: now)
        serverConfiguration = server
    }

    /// One trip of everything that both ends have to say. Returns how many segments there were.
    mutating func exchange() -> Int {
        let toServer = client.transmissions(now: now, maximumByteCount: superSegment)
        let toClient = server?.transmissions(now: now, maximumByteCount: superSegment) ?? []
        now = now + delay
        for segment in toServer {
            if server == nil {
                server = TCPControlBlock(
                    accepting: segment.header, local: serverAddress, remote: clientAddress,
                    initialSequenceNumber: SequenceNumber(rawValue: 5), configuration: serverConfiguration, now: now)
            } else {
                serverEvents.formUnion(server!.handle(segment, now: now))
            }
        }
        for segment in toClient { clientEvents.formUnion(client.handle(segment, now: now)) }
        return toServer.count + toClient.count
    }

    /// Until nobody has anything to say; the time then moves to the next deadline before `end`.
    mutating func run(for duration: Duration = .zero) {
        let end = now + duration
        while true {
            while exchange() > 0 {}
            let deadline = min(client.nextDeadline ?? .distantFuture, server?.nextDeadline ?? .distantFuture)
            guard deadline <= end else { break }
            now = max(now, deadline)
            clientEvents.formUnion(client.tick(now: now))
            if server != nil { serverEvents.formUnion(server!.tick(now: now)) }
        }
        now = max(now, end)
    }
}
