import Bytes
import NetFormats
import Random
import TCP
import Time

/// One end: a control block, the application above it, and the packets that it makes.
struct SimulatedHost: Sendable {
    var control: TCPControlBlock
    var application: SimulatedApplication
    /// What the link takes in one piece; above a segment it is cut.
    var maximumByteCount: Int
    /// Packets that arrive together reach the control block as one.
    var coalesces: Bool

    mutating func act(now: Instant) -> String? { application.act(on: &control, now: now) }

    /// Sends everything that may be sent now, as packets with their checksums.
    mutating func send(over link: inout SimulatedLink, isBlack: Bool, trace start: Instant?, now: Instant) {
        while let transmission = control.nextTransmission(now: now, maximumByteCount: maximumByteCount) {
            let payload = control.withPayload(of: transmission) { first, second in
                var bytes = [UInt8](copying: first)
                bytes.append(second)
                return bytes
            }
            precondition(payload.count == transmission.byteCount)
            var header = transmission.header
            var begin = 0
            repeat {
                let end = min(begin + transmission.segmentSize, payload.count)
                header.flags = end == payload.count ? transmission.header.flags : transmission.header.flags.subtracting([.fin, .psh])
                if let start { trace(header, byteCount: end - begin, after: start.duration(to: now)) }
                let packet = Packet.bytes(header, payload[begin..<end], from: control.local, to: control.remote)
                if !isBlack, !link.send(packet, now: now) { reportSize(link, header, now: now) }
                header.sequenceNumber += end - begin
                begin = end
            } while begin < payload.count
        }
    }

    /// A router's message that a packet was too big.
    private mutating func reportSize(_ link: SimulatedLink, _ header: TCPHeader, now: Instant) {
        let size = link.conditions.maximumPacketByteCount - Packet.networkHeaderByteCount - TCPHeader.byteCount
        _ = control.handle(.tooBig(maximumSegmentSize: size), quoting: header.sequenceNumber, now: now)
    }

    private func trace(_ header: TCPHeader, byteCount: Int, after time: Duration) {
        let sequence = header.sequenceNumber.rawValue, acknowledgment = header.acknowledgmentNumber.rawValue
        var blocks = ""
        for index in 0..<header.options.sackBlocks.count {
            let block = header.options.sackBlocks[index]
            blocks += " \(block.left.rawValue)..<\(block.right.rawValue)"
        }
        let milliseconds = Double(time.nanosecondsRoundedUp) / 1_000_000
        let flags = String(header.flags.rawValue, radix: 16)
        print("\(milliseconds) \(control.local.port) \(flags) \(sequence)+\(byteCount) ack \(acknowledgment) win \(header.window)\(blocks)")
    }

    /// Nothing is left to do or to wait for.
    var isDone: Bool { control.isClosed }
}

/// A segment as bytes: TCP's header and payload, and IP's header as zeros.
enum Packet {
    static let networkHeaderByteCount = 20

    static func bytes(_ header: TCPHeader, _ payload: ArraySlice<UInt8>, from: SocketAddress, to: SocketAddress) -> [UInt8] {
        let headerByteCount = header.byteCount
        var packet = [UInt8](repeating: 0, count: networkHeaderByteCount + headerByteCount)
        packet += payload
        write(header, into: &packet, checksum: 0)
        let value = checksum(packet, from: from, to: to).value
        write(header, into: &packet, checksum: value)
        return packet
    }

    private static func write(_ header: TCPHeader, into packet: inout [UInt8], checksum: UInt16) {
        var span = packet.mutableSpan
        var writer = ByteWriter(&span)
        do throws(FormatError) {
            try writer.writeZeros(networkHeaderByteCount)
            try header.write(into: &writer, checksum: checksum)
        } catch { preconditionFailure("a header that does not fit its own size") }
    }

    private static func checksum(_ packet: [UInt8], from: SocketAddress, to: SocketAddress) -> InternetChecksum {
        var checksum = InternetChecksum.pseudoHeader(
            source: from.address, destination: to.address, protocol: .tcp, byteCount: packet.count - networkHeaderByteCount)
        checksum.add(packet.rawBytes.extracting(droppingFirst: networkHeaderByteCount))
        return checksum
    }

    /// The header and the payload's place, or nil if the packet is damaged.
    static func parse(_ packet: [UInt8], from: SocketAddress, to: SocketAddress) -> (header: TCPHeader, payload: ArraySlice<UInt8>)? {
        guard packet.prefix(networkHeaderByteCount).allSatisfy({ $0 == 0 }), packet.count > networkHeaderByteCount,
            checksum(packet, from: from, to: to).value == 0
        else { return nil }
        var reader = ByteReader(packet.rawBytes.extracting(droppingFirst: networkHeaderByteCount))
        guard let header = try? TCPHeader(parsing: &reader) else { return nil }
        return (header, packet[(networkHeaderByteCount + reader.offset)...])
    }
}
