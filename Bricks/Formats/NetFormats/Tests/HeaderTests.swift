import Bytes
import NetFormats
import Random
import Testing

extension SplitMix {
    mutating func ipv4Header(payloadByteCount: Int = 0) -> IPv4Header {
        var header = IPv4Header(
            source: ipv4(), destination: ipv4(), protocol: IPProtocol(rawValue: integer()), payloadByteCount: payloadByteCount)
        header.trafficClass = integer()
        header.identification = integer()
        header.isDontFragment = chance()
        header.hasMoreFragments = chance()
        header.fragmentOffset = Int.random(in: 0...0x1fff, using: &self) * 8
        header.timeToLive = integer()
        return header
    }

    mutating func tcpHeader() -> TCPHeader {
        var header = TCPHeader(
            sourcePort: integer(), destinationPort: integer(), sequenceNumber: SequenceNumber(rawValue: integer()),
            acknowledgmentNumber: SequenceNumber(rawValue: integer()), flags: TCPFlags(rawValue: integer()), window: integer())
        header.urgentPointer = integer()
        if chance() { header.options.maximumSegmentSize = integer() }
        if chance() { header.options.windowScale = integer() }
        header.options.isSACKPermitted = chance()
        if chance() { header.options.timestamps = TCPTimestamps(value: integer(), echo: integer()) }
        let room = header.options
        for _ in 0..<Int(next() % 5) {
            let block = SACKBlock(left: SequenceNumber(rawValue: integer()), right: SequenceNumber(rawValue: integer()))
            var wider = header.options
            wider.sackBlocks.append(block)
            if wider.writtenBlockCount == wider.sackBlocks.count { header.options = wider }
        }
        _ = room
        return header
    }
}

struct HeaderTests {
    @Test func `headers read back are those written, and no truncation is accepted`() throws {
        var random = SplitMix(state: 0x4ead)
        for _ in 0..<300 {
            let ethernet = EthernetHeader(destination: random.mac(), source: random.mac(), type: EtherType(rawValue: random.integer()))
            let frame = try wire { (writer) throws(FormatError) in try ethernet.write(into: &writer) }
            #expect(frame.count == EthernetHeader.byteCount)
            expectRoundTrip(frame, ethernet) { (reader) throws(FormatError) in try EthernetHeader(parsing: &reader) }

            let ipv4 = random.ipv4Header()
            let packet = try wire { (writer) throws(FormatError) in try ipv4.write(into: &writer) }
            expectRoundTrip(packet, ipv4) { (reader) throws(FormatError) in try IPv4Header(parsing: &reader) }

            let udp = UDPHeader(
                sourcePort: random.integer(), destinationPort: random.integer(), payloadByteCount: 0, checksum: random.integer())
            let datagram = try wire { (writer) throws(FormatError) in try udp.write(into: &writer) }
            expectRoundTrip(datagram, udp) { (reader) throws(FormatError) in try UDPHeader(parsing: &reader) }

            let tcp = random.tcpHeader()
            let segment = try wire { (writer) throws(FormatError) in try tcp.write(into: &writer, checksum: 0xabcd) }
            #expect(segment.count == tcp.byteCount && segment.count <= 60 && segment[16...17] == [0xab, 0xcd])
            expectRoundTrip(segment, tcp) { (reader) throws(FormatError) in try TCPHeader(parsing: &reader) }
        }
    }

    func expectRoundTrip<Value: Equatable>(
        _ bytes: [UInt8], _ value: Value, _ parse: (inout ByteReader) throws(FormatError) -> Value
    ) {
        #expect(parsed(bytes, parse) == .success(value))
        expectTruncationsRefused(bytes, parse)
    }

    @Test func `an IPv4 header of the wire is understood`() throws {
        // Wikipedia's and everyone's example of the header checksum.
        let bytes = hex("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7") + [UInt8](repeating: 0, count: 95)
        let header = try parsed(bytes) { (reader) throws(FormatError) in try IPv4Header(parsing: &reader) }.get()
        #expect(header.payloadByteCount == 95 && header.protocol == .udp && header.isDontFragment && header.timeToLive == 64)
        #expect(header.source.description == "192.168.0.1" && !header.isFragment)
        let written = try wire { (writer) throws(FormatError) in try header.write(into: &writer) }
        #expect(written == Array(bytes[..<20]))
    }

    @Test func `wrong IPv4 headers are refused`() throws {
        var random = SplitMix(state: 3)
        let good = try wire { (writer) throws(FormatError) in try random.ipv4Header().write(into: &writer) }
        for bit in 0..<160 {
            var bad = good
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            let outcome = parsed(bad) { (reader) throws(FormatError) in try IPv4Header(parsing: &reader) }
            #expect(throws: FormatError.self, "bit \(bit)") { try outcome.get() }
        }
        var long = random.ipv4Header()
        long.payloadByteCount = 65_516
        #expect(throws: FormatError.invalid) { try wire { (writer) throws(FormatError) in try long.write(into: &writer) } }
        long.payloadByteCount = 8
        long.fragmentOffset = 12
        #expect(throws: FormatError.invalid) { try wire { (writer) throws(FormatError) in try long.write(into: &writer) } }
    }

    @Test func `IPv4 options are skipped`() throws {
        var bytes = hex("4600 0019 0000 4000 4011 0000 c0a8 0001 c0a8 00c7 0101 0101") + [0x77]
        let checksum = ChecksumTests().reference(Array(bytes[..<24]))
        bytes[10] = UInt8(checksum >> 8)
        bytes[11] = UInt8(checksum & 0xff)
        var reader = ByteReader(bytes.span)
        let header = try IPv4Header(parsing: &reader)
        #expect(header.payloadByteCount == 1)
        #expect(try reader.read(UInt8.self, .big) == 0x77)
    }

    @Test func `a quoted header may be cut`() throws {
        let bytes = hex("4500 0073 0000 4000 0111 0000 c0a8 0001 c0a8 00c7 1234 0050 0000 0001")
        var reader = ByteReader(bytes.span)
        let header = try IPv4Header(parsingQuoted: &reader)
        #expect(header.payloadByteCount == 95)
        let ports = try QuotedTransportHeader(parsing: &reader)
        #expect(ports.sourcePort == 0x1234 && ports.destinationPort == 80 && ports.sequenceNumber.rawValue == 1)
    }

    @Test func `TCP options as Linux sends them are understood`() throws {
        // MSS 1460, SACK permitted, timestamps, NOP, window scale 7.
        let bytes = hex("c350 0050 0000 0001 0000 0000 a002 faf0 0000 0000 0204 05b4 0402 080a 0000 1234 0000 0000 0103 0307")
        let header = try parsed(bytes) { (reader) throws(FormatError) in try TCPHeader(parsing: &reader) }.get()
        #expect(header.options.maximumSegmentSize == 1460 && header.options.isSACKPermitted && header.options.windowScale == 7)
        #expect(header.options.timestamps == TCPTimestamps(value: 0x1234, echo: 0) && header.flags == .syn && header.window == 0xfaf0)
        let written = try wire { (writer) throws(FormatError) in try header.write(into: &writer) }
        #expect(written == bytes)
    }

    @Test(arguments: ["0200 0000", "0201 0000", "0205 05b4", "0101 0102", "0909 0000", "05ff 0000"])
    func `options that do not fit are refused`(options: String) {
        let bytes = hex("c350 0050 0000 0001 0000 0000 6002 faf0 0000 0000" + options)
        #expect(throws: FormatError.invalid) {
            try parsed(bytes) { (reader) throws(FormatError) in try TCPHeader(parsing: &reader) }.get()
        }
    }

    @Test(arguments: ["fd04 dead", "0000 ffff", "0101 0100", "0204 0000", "0303 0e01", "1e04 0001"])
    func `options that are not known are skipped`(options: String) throws {
        let bytes = hex("c350 0050 0000 0001 0000 0000 6002 faf0 0000 0000" + options) + [1, 2]
        var reader = ByteReader(bytes.span)
        _ = try TCPHeader(parsing: &reader)
        #expect(reader.remainingByteCount == 2)
    }

    @Test func `a fifth SACK block has no place, and a block without room is not written`() throws {
        var random = SplitMix(state: 1)
        var blocks = SACKBlocks()
        var results: [Bool] = []
        for _ in 0..<5 {
            results.append(blocks.append(SACKBlock(left: SequenceNumber(rawValue: random.integer()), right: SequenceNumber(rawValue: 0))))
        }
        #expect(results == [true, true, true, true, false])
        var header = random.tcpHeader()
        header.options = TCPOptions()
        header.options.sackBlocks = blocks
        #expect(header.byteCount == 20 + 36)
        header.options.timestamps = TCPTimestamps(value: 1, echo: 2)
        #expect(header.byteCount == 20 + 12 + 28 && header.options.writtenBlockCount == 3)
        header.options.maximumSegmentSize = 1
        header.options.windowScale = 1
        #expect(header.byteCount == 60 - 0 - 0 && header.options.writtenBlockCount == 2)
    }

    @Test func `no bytes make a header trap`() throws {
        var random = SplitMix(state: 0xf022)
        let samples = try (0..<32).map { _ in
            let tcp = random.tcpHeader()
            return try wire { (writer) throws(FormatError) in try tcp.write(into: &writer) }
        }
        fuzz(seed: 0xf022, samples: samples) { (reader) throws(FormatError) in
            var copy = ByteReader(reader.unread)
            _ = try? IPv4Header(parsing: &copy)
            copy = ByteReader(reader.unread)
            _ = try? UDPHeader(parsing: &copy)
            copy = ByteReader(reader.unread)
            _ = try? EthernetHeader(parsing: &copy)
            let header = try TCPHeader(parsing: &reader)
            let bytes = try wire { (writer) throws(FormatError) in try header.write(into: &writer) }
            var again = ByteReader(bytes.span)
            let back = try TCPHeader(parsing: &again)
            precondition(back == header)
        }
    }
}
