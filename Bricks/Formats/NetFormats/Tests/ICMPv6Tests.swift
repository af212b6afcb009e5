import Bytes
import NetFormats
import Random
import Testing

struct ICMPv6Tests {
    static let mac = MACAddress("02:00:00:00:00:09")!
    static let router = IPv6Address("fe80::1")!
    static let host = IPv6Address("fe80::2")!

    static var advertisement: RouterAdvertisement {
        var message = RouterAdvertisement(routerLifetime: .seconds(1800))
        message.isManaged = true
        message.hasOtherConfiguration = true
        message.reachableTime = .milliseconds(30_000)
        message.retransmissionTime = .milliseconds(1_234_567)
        message.sourceLinkLayer = mac
        message.maximumTransmissionUnit = 1480
        var prefix = NDPPrefix(prefix: IPv6Prefix("2001:db8:1::/64")!, validLifetime: .seconds(86_400), preferredLifetime: .seconds(14_400))
        prefix.isOnLink = false
        message.prefixes = [prefix, NDPPrefix(prefix: IPv6Prefix("fd00::/64")!)]
        message.nameServers = [NDPNameServers(lifetime: .seconds(600), addresses: [router, host])]
        message.searchDomains = [NDPSearchDomains(lifetime: .ndpInfinity, names: [3, 0x6c, 0x61, 0x6e, 0])]
        return message
    }

    static var messages: [ICMPv6Message] {
        var neighbor = NeighborAdvertisement(target: host, targetLinkLayer: mac)
        neighbor.isSolicited = true
        neighbor.isOverride = true
        return [
            .echoRequest(ICMPEcho(identifier: 1, sequenceNumber: 0xfffe)), .echoReply(ICMPEcho(identifier: 0xffff, sequenceNumber: 0)),
            .destinationUnreachable(.noRoute), .destinationUnreachable(.prohibited), .destinationUnreachable(.address),
            .destinationUnreachable(.port), .destinationUnreachable(.other(7)), .packetTooBig(maximumTransmissionUnit: 1280),
            .timeExceeded(code: 0), .parameterProblem(code: 2, pointer: 41), .routerSolicitation(RouterSolicitation(sourceLinkLayer: mac)),
            .routerSolicitation(RouterSolicitation()), .routerAdvertisement(advertisement),
            .routerAdvertisement(RouterAdvertisement(routerLifetime: .zero)),
            .neighborSolicitation(NeighborSolicitation(target: host, sourceLinkLayer: mac)), .neighborAdvertisement(neighbor),
            .listenerQuery(maximumDelay: .milliseconds(10_000), group: .unspecified),
            .listenerReport(
                ListenerReport([.init(.join, host.solicitedNodeMulticast), .init(.isMember, .allNodes), .init(.leave, .allRouters)])),
            .other(type: 137, code: 0),
        ]
    }

    static func bytes(_ message: ICMPv6Message, payload: [UInt8] = []) throws -> ([UInt8], IPv6Header) {
        let header = try wire { (writer) throws(FormatError) in
            try message.write(into: &writer, source: router, destination: host, followedBy: ByteReader(payload.span).unread)
        }
        var packet = IPv6Header(source: router, destination: host, nextHeader: .icmpv6, payloadByteCount: header.count + payload.count)
        packet.hopLimit = 255
        #expect(header.count == message.byteCount)
        return (header + payload, packet)
    }

    @Test(arguments: messages)
    func `a message read back is the one written, and a cut or damaged one is refused`(message: ICMPv6Message) throws {
        let (bytes, packet) = try Self.bytes(message)
        #expect(parsed(bytes) { (reader) throws(FormatError) in try ICMPv6Message(parsing: &reader, of: packet) } == .success(message))
        for count in 0..<bytes.count {
            let outcome = parsed(Array(bytes[..<count])) { (reader) throws(FormatError) in try ICMPv6Message(parsing: &reader, of: packet) }
            #expect(throws: FormatError.self, "\(count) bytes") { try outcome.get() }
        }
        for index in 0..<bytes.count {
            var bad = bytes
            bad[index] ^= 1
            #expect(parsed(bad) { (reader) throws(FormatError) in try ICMPv6Message(parsing: &reader, of: packet) } == .failure(.invalid))
        }
    }

    @Test func `echo data stays unread`() throws {
        let (bytes, packet) = try Self.bytes(.echoRequest(ICMPEcho(identifier: 1, sequenceNumber: 2)), payload: [1, 2, 3])
        var reader = ByteReader(bytes.span)
        _ = try ICMPv6Message(parsing: &reader, of: packet)
        #expect(reader.remainingByteCount == 3)
    }

    @Test func `neighbor discovery from beyond the link is refused`() throws {
        var (bytes, packet) = try Self.bytes(.neighborSolicitation(NeighborSolicitation(target: Self.host)))
        packet.hopLimit = 254
        #expect(parsed(bytes) { (reader) throws(FormatError) in try ICMPv6Message(parsing: &reader, of: packet) } == .failure(.invalid))
        (bytes, packet) = try Self.bytes(.neighborSolicitation(NeighborSolicitation(target: .allNodes)))
        #expect(parsed(bytes) { (reader) throws(FormatError) in try ICMPv6Message(parsing: &reader, of: packet) } == .failure(.invalid))
    }

    @Test func `a lifetime of all ones has no end`() throws {
        #expect(Self.advertisement.prefixes[1].validLifetime == .ndpInfinity)
    }

    /// Messages whose checksum is right whatever they hold: the fuzzer would hardly ever pass it.
    @Test func `no bytes make a message trap`() throws {
        let samples = try Self.messages.map { try Self.bytes($0).0 }
        fuzz(seed: 0x1c6, samples: samples) { (reader) throws(FormatError) in
            var bytes: [UInt8] = []
            while let byte = try? reader.read(UInt8.self, .big) { bytes.append(byte) }
            guard bytes.count >= 8 else { return }
            if bytes[0] % 4 != 0 { bytes[0] = 128 + bytes[0] % 16 }
            bytes[2...3] = [0, 0]
            var sum = InternetChecksum.pseudoHeader(
                source: .v6(Self.router), destination: .v6(Self.host), protocol: .icmpv6, byteCount: bytes.count)
            sum.add(ByteReader(bytes.span).unread)
            bytes[2...3] = [UInt8(sum.value >> 8), UInt8(sum.value & 0xff)]
            var packet = IPv6Header(source: Self.router, destination: Self.host, nextHeader: .icmpv6, payloadByteCount: bytes.count)
            packet.hopLimit = 255
            var whole = ByteReader(bytes.span)
            _ = try ICMPv6Message(parsing: &whole, of: packet)
        }
    }
}
