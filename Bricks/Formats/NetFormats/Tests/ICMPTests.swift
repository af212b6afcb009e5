import Bytes
import NetFormats
import Random
import Testing

struct ICMPv4Tests {
    let messages: [ICMPv4Message] = [
        .echoRequest(ICMPEcho(identifier: 0x1234, sequenceNumber: 0xffff)), .echoReply(ICMPEcho(identifier: 0, sequenceNumber: 1)),
        .destinationUnreachable(.network), .destinationUnreachable(.host), .destinationUnreachable(.protocol),
        .destinationUnreachable(.port),
        .destinationUnreachable(.fragmentationNeeded(nextHopMTU: 1400)), .destinationUnreachable(.prohibited),
        .destinationUnreachable(.other(12)), .timeExceeded(code: 1), .parameterProblem(pointer: 20), .other(type: 5, code: 1),
    ]

    @Test func `messages read back are those written, a damaged one is refused`() throws {
        var random = SplitMix(state: 0x1c)
        for message in messages {
            let payload = random.bytes(Int.random(in: 0...99, using: &random))
            let header = try wire { (writer) throws(FormatError) in
                try message.write(into: &writer, followedBy: ByteReader(payload.span).unread)
            }
            var bytes = header + payload
            var reader = ByteReader(bytes.span)
            #expect(try ICMPv4Message(parsing: &reader) == message)
            #expect(reader.remainingByteCount == payload.count)
            for count in 0..<8 {
                let short = parsed(Array(bytes[..<count])) { (reader) throws(FormatError) in try ICMPv4Message(parsing: &reader) }
                #expect(short == .failure(.truncated))
            }
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 0x10
            #expect(parsed(bytes) { (reader) throws(FormatError) in try ICMPv4Message(parsing: &reader) } == .failure(.invalid))
        }
    }

    @Test func `an error tells whose packet it is about`() throws {
        var quoted = hex("4500 0073 0000 4000 0111 0000 c0a8 0001 c0a8 00c7 1234 0050 0000 0001")
        var reader = ByteReader(quoted.span)
        let packet = try QuotedPacket(parsingIPv4: &reader)
        #expect(packet.protocol == .udp && packet.source.description == "192.168.0.1" && packet.destination.description == "192.168.0.199")
        #expect(packet.transport?.sourcePort == 0x1234 && packet.transport?.destinationPort == 80)
        quoted[7] = 1
        var later = ByteReader(quoted.span)
        #expect(try QuotedPacket(parsingIPv4: &later).transport == nil)
        let v6 = hex(
            "6000 0000 0100 3aff fe80 0000 0000 0000 0000 0000 0000 0001 fe80 0000 0000 0000 0000 0000 0000 0002 8000 0000 00ab 0007")
        var v6Reader = ByteReader(v6.span)
        let echo = try QuotedPacket(parsingIPv6: &v6Reader)
        #expect(echo.protocol == .icmpv6 && echo.transport?.sourcePort == 0xab && echo.transport?.sequenceNumber.rawValue == 7)
    }

    @Test func `no bytes make a message, a quotation or ARP trap`() throws {
        let arp = ARPPacket(
            operation: .request, senderHardware: .broadcast, sender: .loopback, targetHardware: .broadcast, target: .loopback)
        let samples = [
            try wire { (writer) throws(FormatError) in try arp.write(into: &writer) },
            hex("4500 0073 0000 4000 0111 0000 c0a8 0001 c0a8 00c7 1234 0050 0000 0001"),
            hex(
                "6000 0000 0100 2cff fe80 0000 0000 0000 0000 0000 0000 0001 "
                    + "fe80 0000 0000 0000 0000 0000 0000 0002 3a00 0000 00ab 0007 0800 0000"
            ),
        ]
        fuzz(seed: 0x1c4, samples: samples) { (reader) throws(FormatError) in
            var copy = ByteReader(reader.unread)
            _ = try? ICMPv4Message(parsing: &copy)
            copy = ByteReader(reader.unread)
            _ = try? QuotedPacket(parsingIPv4: &copy)
            copy = ByteReader(reader.unread)
            _ = try? QuotedPacket(parsingIPv6: &copy)
            _ = try ARPPacket(parsing: &reader)
        }
    }
}

struct ARPTests {
    @Test func `a packet read back is the one written, and no truncation is accepted`() throws {
        var random = SplitMix(state: 0xa4b)
        for _ in 0..<100 {
            let packet = ARPPacket(
                operation: random.chance() ? .request : .reply, senderHardware: random.mac(), sender: random.ipv4(),
                targetHardware: random.mac(), target: random.ipv4())
            let bytes = try wire { (writer) throws(FormatError) in try packet.write(into: &writer) }
            #expect(bytes.count == ARPPacket.byteCount)
            #expect(parsed(bytes) { (reader) throws(FormatError) in try ARPPacket(parsing: &reader) } == .success(packet))
            expectTruncationsRefused(bytes) { (reader) throws(FormatError) in try ARPPacket(parsing: &reader) }
            for index in 0..<8 {
                var bad = bytes
                bad[index] ^= 0x40
                #expect(parsed(bad) { (reader) throws(FormatError) in try ARPPacket(parsing: &reader) } == .failure(.invalid))
            }
        }
    }
}
