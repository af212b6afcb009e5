import NetFormats
import TCP
import Time

/// One stream from one control block straight into another: what TCP itself costs, without a network.
public struct BareTransfer {
    private var now = Instant(nanoseconds: 1_000_000_000)
    private var sender: TCPControlBlock
    private var receiver: TCPControlBlock
    private let source: [UInt8]
    private let maximumByteCount: Int
    public private(set) var byteCount = 0
    public private(set) var segmentCount = 0

    /// `maximumByteCount` is what a transmission may hold; zero for single segments.
    public init(maximumByteCount: Int, chunk: Int = 64 << 10) {
        self.maximumByteCount = maximumByteCount
        source = StreamPattern(seed: 1).bytes(from: 0, count: chunk)
        let empty: [UInt8] = []
        let ends = (ConnectionSimulation.clientAddress, ConnectionSimulation.serverAddress)
        let number = SequenceNumber(rawValue: 1)
        sender = TCPControlBlock(connectingFrom: ends.0, to: ends.1, initialSequenceNumber: number, now: now)
        let syn = sender.nextTransmission(now: now, maximumByteCount: 0)?.header
        receiver = TCPControlBlock(
            accepting: syn ?? TCPHeader(sourcePort: 0, destinationPort: 0, sequenceNumber: number), local: ends.1, remote: ends.0,
            initialSequenceNumber: number, now: now)
        if let answer = receiver.nextTransmission(now: now, maximumByteCount: 0) {
            _ = sender.handle(answer.header, empty.rawBytes, now: now)
        }
        if let last = sender.nextTransmission(now: now, maximumByteCount: 0) {
            _ = receiver.handle(last.header, empty.rawBytes, now: now)
        }
    }

    /// One round: writes, everything that may be sent, reads, and what the receiver answers.
    public mutating func step() {
        let empty: [UInt8] = []
        now = now.advanced(by: .microseconds(50))
        let source = source
        _ = sender.write(source.rawBytes)
        while let transmission = sender.nextTransmission(now: now, maximumByteCount: maximumByteCount) {
            segmentCount += 1
            Self.pass(transmission, from: sender, to: &receiver, now: now)
        }
        byteCount += receiver.readableByteCount
        receiver.consume(receiver.readableByteCount)
        while let answer = receiver.nextTransmission(now: now, maximumByteCount: 0) {
            _ = sender.handle(answer.header, empty.rawBytes, now: now)
        }
        if let deadline = sender.nextDeadline, deadline <= now { _ = sender.tick(now: now) }
        if let deadline = receiver.nextDeadline, deadline <= now { _ = receiver.tick(now: now) }
    }

    private static func pass(
        _ transmission: TCPTransmission, from sender: TCPControlBlock, to receiver: inout TCPControlBlock, now: Instant
    ) {
        sender.withPayload(of: transmission) { first, second in
            var header = transmission.header
            _ = receiver.handle(header, first, now: now)
            guard second.byteCount > 0 else { return }
            header.sequenceNumber += first.byteCount
            _ = receiver.handle(header, second, now: now)
        }
    }
}
