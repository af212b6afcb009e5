import Bytes
import DHCPFormat
import DNSFormat
import NetFormats
import Random
import Testing

func parse4(_ bytes: [UInt8]) -> Result<DHCPv4Message, FormatError> {
    var reader = ByteReader(bytes.span)
    do throws(FormatError) { return .success(try DHCPv4Message(parsing: &reader)) } catch { return .failure(error) }
}

func parse6(_ bytes: [UInt8]) -> Result<DHCPv6Message, FormatError> {
    var reader = ByteReader(bytes.span)
    do throws(FormatError) { return .success(try DHCPv6Message(parsing: &reader)) } catch { return .failure(error) }
}

extension SplitMix {
    mutating func chance() -> Bool { next() & 1 == 0 }
    mutating func address() -> IPv4Address { IPv4Address(rawValue: UInt32(truncatingIfNeeded: next())) }
    mutating func bytes(_ range: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: range, using: &self)).map { _ in UInt8.random(in: 1...255, using: &self) }
    }
    mutating func names() -> [DNSName] { (0..<Int(next() % 20)).prefix(16).map { DNSName("host\($0).example.org")! } }

    mutating func message4() -> DHCPv4Message {
        var message = DHCPv4Message(
            DHCPv4Message.Kind(rawValue: UInt8(1 + next() % 8))!, transactionIdentifier: UInt32(truncatingIfNeeded: next()),
            clientHardware: MACAddress(rawValue: next()))
        message.elapsed = .seconds(Int64(next() & 0xffff))
        message.isBroadcast = chance()
        (message.clientAddress, message.yourAddress, message.nextServer, message.relay) = (address(), address(), address(), address())
        if chance() { message.options.subnetMask = address() }
        message.options.routers = (0..<Int(next() % 4)).map { _ in address() }
        message.options.nameServers = (0..<Int(next() % 17)).map { _ in address() }
        message.options.hostName = bytes(0...60)
        message.options.domainName = bytes(0...300)
        if chance() { message.options.interfaceMTU = UInt16(truncatingIfNeeded: next()) }
        if chance() { message.options.broadcastAddress = address() }
        if chance() { message.options.requestedAddress = address() }
        if chance() { message.options.leaseTime = .seconds(Int64(next() & 0xffff_ffff)) }
        if chance() { message.options.serverIdentifier = address() }
        message.options.parameterRequests = bytes(0...12)
        if chance() { message.options.messageByteCountLimit = 1500 }
        if chance() { message.options.renewalTime = .seconds(1800) }
        if chance() { message.options.rebindingTime = .seconds(3150) }
        message.options.clientIdentifier = bytes(0...20)
        message.options.searchDomains = names()
        for _ in 0..<Int(next() % 5) {
            let prefix = IPv4Prefix(address: address(), length: Int(next() % 33))
            message.options.routes.append(
                DHCPv4Route(network: IPv4Prefix(address: prefix.network, length: prefix.length), router: address()))
        }
        return message
    }

    mutating func message6() -> DHCPv6Message {
        var message = DHCPv6Message(chance() ? .reply : .informationRequest, transactionIdentifier: UInt32(truncatingIfNeeded: next()))
        message.clientIdentifier = bytes(0...20)
        message.serverIdentifier = bytes(0...20)
        message.optionRequests = (0..<Int(next() % 5)).map { UInt16($0) }
        if chance() { message.elapsed = .milliseconds(Int64(next() & 0xffff) * 10) }
        message.status = UInt16(truncatingIfNeeded: next() % 3)
        message.nameServers = (0..<Int(next() % 4)).map { _ in IPv6Address(high: next(), low: next()) }
        message.searchDomains = names()
        if chance() { message.informationRefreshTime = .seconds(Int64(next() & 0xffff_ffff)) }
        return message
    }
}

struct DHCPv4FormatTests {
    @Test func `a message read back is the one written, and it is not too short for a relay`() throws {
        var random = SplitMix(state: 0xdc4)
        for round in 0..<300 {
            let message = random.message4()
            let bytes = message.bytes
            #expect(bytes.count >= 300)
            #expect(parse4(bytes) == .success(message), "round \(round)")
        }
    }

    @Test func `a message cut inside its options is refused`() throws {
        var random = SplitMix(state: 0xdc5)
        var message = random.message4()
        message.options.domainName = random.bytes(200...200)
        let bytes = message.bytes
        let end = try #require(bytes.lastIndex(of: 255))
        for count in 0..<240 { #expect(parse4(Array(bytes[..<count])) == .failure(.truncated)) }
        // A missing end option is forgiven: only cuts inside an option are seen.
        let refused = (240..<end).filter { if case .failure = parse4(Array(bytes[..<$0])) { true } else { false } }
        #expect(refused.count > 300)
    }

    /// An offer with the options `tail`, whose file and server name fields hold `file` and `serverName`.
    func offer(_ tail: [UInt8], file: [UInt8] = [], serverName: [UInt8] = []) -> [UInt8] {
        var bytes = DHCPv4Message(.offer, transactionIdentifier: 1, clientHardware: .broadcast).bytes
        bytes.removeLast(bytes.count - 243)
        bytes.replaceSubrange(44..<44 + serverName.count, with: serverName)
        bytes.replaceSubrange(108..<108 + file.count, with: file)
        return bytes + tail
    }

    @Test func `overloaded fields are read, file first`() throws {
        let message = try parse4(
            offer([52, 1, 3, 12, 1, 0x61, 255], file: [12, 1, 0x62, 255], serverName: [0, 12, 1, 0x63, 255])
        ).get()
        #expect(message.options.hostName == [0x61, 0x62, 0x63])
        #expect(try parse4(offer([255], file: [12, 1, 0x62, 255])).get().options.hostName.isEmpty)
    }

    @Test func `a search list may be compressed and split`() throws {
        // RFC 3397 §3: eng.apple.com., marketing.apple.com. with a pointer to offset 4, in two parts.
        let list: [UInt8] =
            [3] + Array("eng".utf8) + [5] + Array("apple".utf8) + [3] + Array("com".utf8) + [0, 9] + Array("marketing".utf8) + [0xc0, 4]
        let message = try parse4(offer([119, 9] + list[..<9] + [119, UInt8(list.count - 9)] + list[9...] + [255])).get()
        #expect(message.options.searchDomains.map(\.description) == ["eng.apple.com", "marketing.apple.com"])
    }

    @Test func `routes have as many octets as they need`() throws {
        #expect(parse4(offer([121, 5, 33, 1, 2, 3, 4, 255])) == .failure(.invalid))
        #expect(parse4(offer([121, 3, 24, 1, 2, 255])) == .failure(.truncated))
        let good = try parse4(offer([121, 13, 0, 10, 0, 0, 1, 24, 192, 168, 5, 10, 0, 0, 2, 255])).get()
        #expect(good.options.routes.map(\.network.description) == ["0.0.0.0/0", "192.168.5.0/24"])
        #expect(good.options.routes.map(\.router.description) == ["10.0.0.1", "10.0.0.2"])
    }

    @Test(
        arguments: [
            [1, 3, 255, 255, 255, 255], [3, 0, 255], [6, 5, 1, 2, 3, 4, 5, 255], [26, 1, 5, 255], [51, 2, 0, 1, 255], [119, 1, 9, 255],
        ] as [[UInt8]])
    func `an option of a wrong length is refused`(tail: [UInt8]) {
        #expect(throws: FormatError.self) { try parse4(offer(tail)).get() }
    }

    @Test func `BOOTP, other hardware and a reply that asks are refused`() {
        var bytes = offer([255])
        bytes[0] = 1
        #expect(parse4(bytes) == .failure(.invalid))
        bytes = offer([255])
        bytes[1] = 6
        #expect(parse4(bytes) == .failure(.invalid))
        bytes = offer([255])
        bytes[239] = 0
        #expect(parse4(bytes) == .failure(.invalid))
        bytes = offer([255])
        bytes[242] = 9
        #expect(parse4(bytes) == .failure(.invalid))
    }

    @Test func `more options than the limit are refused`() {
        #expect(parse4(offer((0..<200).flatMap { _ in [200, 0] as [UInt8] } + [255])) == .failure(.invalid))
    }

    @Test func `no bytes make a message trap`() {
        var random = SplitMix(state: 0xf4)
        let samples = (0..<32).map { _ in random.message4().bytes } + (0..<32).map { _ in random.message6().bytes }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(1)
        while clock.now < end {
            var bytes = samples.randomElement(using: &random)!
            let header = bytes.count > 260 ? 240 : 0
            for _ in 0..<Int.random(in: 1...6, using: &random) where bytes.count > header {
                bytes[Int.random(in: header..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 4 == 0 { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            if case .success(let message) = parse4(bytes) { #expect(parse4(message.bytes) == .success(message), "seed 0xf4") }
            if case .success(let message) = parse6(bytes) { #expect(parse6(message.bytes) == .success(message), "seed 0xf4") }
        }
    }
}

struct DHCPv6FormatTests {
    @Test func `a message read back is the one written, and a cut one is refused or says less`() throws {
        var random = SplitMix(state: 0xdc6)
        for _ in 0..<300 {
            let message = random.message6()
            let bytes = message.bytes
            #expect(parse6(bytes) == .success(message))
            for count in 0..<4 { #expect(parse6(Array(bytes[..<count])) == .failure(.truncated)) }
            for count in 4..<max(4, bytes.count) { #expect(parse6(Array(bytes[..<count])) != .success(message)) }
        }
    }

    @Test func `a reply of the wire is understood`() throws {
        let bytes: [UInt8] =
            [7, 0xab, 0xcd, 0xef, 0, 2, 0, 4, 0, 3, 0, 1, 0, 23, 0, 16, 0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [0x53]
            + [0, 24, 0, 5, 3, 0x6c, 0x61, 0x6e, 0, 0, 32, 0, 4, 0, 0, 0x0e, 0x10]
        let message = try parse6(bytes).get()
        #expect(message.transactionIdentifier == 0xabcdef && message.nameServers.map(\.description) == ["2001:db8::53"])
        #expect(message.searchDomains.map(\.description) == ["lan"] && message.informationRefreshTime == .seconds(3600))
    }

    @Test func `an address part and more options than the limit are refused`() {
        #expect(parse6([7, 0, 0, 0, 0, 23, 0, 15] + [UInt8](repeating: 0, count: 15)) == .failure(.invalid))
        #expect(parse6([7, 0, 0, 0] + (0..<65).flatMap { _ in [0, 99, 0, 0] as [UInt8] }) == .failure(.invalid))
        #expect(parse6([1, 0, 0, 0]) == .failure(.invalid))
    }

    @Test func `an Ethernet address makes an identifier`() {
        #expect(DHCPv6Message.identifier(MACAddress("02:00:00:00:00:09")!) == [0, 3, 0, 1, 2, 0, 0, 0, 0, 9])
    }
}
