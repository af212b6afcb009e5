import Bytes
import DHCPFormat
import DNSFormat
import NetFormats
import Random

/// Damaged packets and messages through every format of the network; what is accepted reads back as it was written.
func fuzzFormats(seed: UInt64, seconds: Double) -> String {
    var random = SplitMix(state: seed)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    let samples = formatSamples()
    var inputs = 0
    var accepted = 0
    while clock.now < end {
        for _ in 0..<256 {
            var bytes = samples[Int(random.next() % UInt64(samples.count))]
            for _ in 0..<random.next() % 6 where !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] = random.next() % 3 == 0 ? 0xc0 : UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 4 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count + 1))) }
            inputs += 1
            accepted += readMessages(bytes) + readHeaders(bytes, &random)
        }
    }
    return "\(inputs) inputs, \(accepted) accepted"
}

private func formatSamples() -> [[UInt8]] {
    var query = DNSMessage(identifier: 1, query: DNSQuestion(name: DNSName("www.example.org") ?? .root, type: .aaaa))
    query.isResponse = true
    let name = DNSName("a.example.org") ?? .root
    query.answers = [
        DNSRecord(name: name, timeToLive: .seconds(1), data: .cname(DNSName("b.example.org") ?? .root)),
        DNSRecord(name: name, timeToLive: .seconds(1), data: .txt([[1, 2], []])),
        DNSRecord(name: name, timeToLive: .seconds(1), data: .a(.loopback)),
    ]
    var offer = DHCPv4Message(.offer, transactionIdentifier: 1, clientHardware: .broadcast)
    offer.options.routers = [.loopback]
    offer.options.searchDomains = [name]
    offer.options.routes = [DHCPv4Route(network: IPv4Prefix(address: .unspecified, length: 0), router: .loopback)]
    var reply = DHCPv6Message(.reply, transactionIdentifier: 1)
    reply.searchDomains = [name]
    reply.nameServers = [.loopback]
    var tcp = [UInt8](repeating: 0, count: 60)
    tcp[12] = 0xf0
    tcp[20...31] = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1]
    let ipv6: [UInt8] =
        [0x60, 0, 0, 0, 0, 24, 0, 64] + [UInt8](repeating: 1, count: 32) + [60, 0, 5, 2, 0, 0, 1, 0, 44, 0, 1, 4, 0, 0, 0, 0]
    let advertisement: [UInt8] = [134, 0, 0, 0, 64, 0, 7, 8] + [UInt8](repeating: 0, count: 8) + [3, 4, 64, 0xc0]
    return [
        query.bytes(), offer.bytes, reply.bytes, tcp, ipv6 + [UInt8](repeating: 0, count: 8), [0x45] + tcp,
        advertisement + [UInt8](repeating: 0, count: 28) + [5, 1, 0, 0, 0, 0, 5, 0xdc], [0, 1, 8, 0, 6, 4, 0, 1] + tcp,
    ]
}

private func readMessages(_ bytes: [UInt8]) -> Int {
    var count = 0
    var reader = ByteReader(bytes.span)
    if let message = try? DNSMessage(parsing: &reader) {
        count += 1
        var again = message.bytes()
        var second = ByteReader(again.span)
        guard let back = try? DNSMessage(parsing: &second), back == message else { fatalError("DNS: another message comes back") }
        again = message.bytes(limit: 512)
        precondition(again.count <= 512)
    }
    reader = ByteReader(bytes.span)
    if let message = try? DHCPv4Message(parsing: &reader) {
        count += 1
        let again = message.bytes
        var second = ByteReader(again.span)
        guard let back = try? DHCPv4Message(parsing: &second), back == message else { fatalError("DHCPv4: another message comes back") }
    }
    reader = ByteReader(bytes.span)
    if let message = try? DHCPv6Message(parsing: &reader) {
        count += 1
        let again = message.bytes
        var second = ByteReader(again.span)
        guard let back = try? DHCPv6Message(parsing: &second), back == message else { fatalError("DHCPv6: another message comes back") }
    }
    return count
}

private func readHeaders(_ bytes: [UInt8], _ random: inout SplitMix) -> Int {
    var count = 0
    var reader = ByteReader(bytes.span)
    if (try? TCPHeader(parsing: &reader)) != nil { count += 1 }
    reader = ByteReader(bytes.span)
    if (try? ARPPacket(parsing: &reader)) != nil { count += 1 }
    reader = ByteReader(bytes.span)
    if (try? QuotedPacket(parsingIPv4: &reader)) != nil { count += 1 }
    reader = ByteReader(bytes.span)
    if (try? QuotedPacket(parsingIPv6: &reader)) != nil { count += 1 }
    // With a right checksum, so that more than it is looked at.
    var message = bytes
    guard message.count >= 8 else { return count }
    if random.next() % 2 == 0 { message[0] = UInt8(128 + random.next() % 16) }
    var header = IPv6Header(
        source: ICMPv6Ends.source, destination: ICMPv6Ends.destination, nextHeader: .icmpv6, payloadByteCount: message.count)
    header.hopLimit = 255
    (message[2], message[3]) = (0, 0)
    var sum = InternetChecksum.pseudoHeader(
        source: .v6(header.source), destination: .v6(header.destination), protocol: .icmpv6, byteCount: message.count)
    sum.add(ByteReader(message.span).unread)
    (message[2], message[3]) = (UInt8(sum.value >> 8), UInt8(sum.value & 0xff))
    var whole = ByteReader(message.span)
    if (try? ICMPv6Message(parsing: &whole, of: header)) != nil { count += 1 }
    return count
}

private enum ICMPv6Ends {
    static let source = IPv6Address(high: 0xfe80_0000_0000_0000, low: 1)
    static let destination = IPv6Address(high: 0xfe80_0000_0000_0000, low: 2)
}
