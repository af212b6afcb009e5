import Bytes
import DHCP
import DHCPFormat
import DNSFormat
import NetFormats
import Random
import Testing
import Time

/// `#require` for values that a mutating call returns.
func need<Value>(_ value: Value?, sourceLocation: SourceLocation = #_sourceLocation) throws -> Value {
    try #require(value, sourceLocation: sourceLocation)
}

func at(_ seconds: Double) -> Instant { Instant(nanoseconds: UInt64(seconds * 1e9)) }

func message(_ bytes: [UInt8]) throws -> DHCPv4Message {
    var reader = ByteReader(bytes.span)
    return try DHCPv4Message(parsing: &reader)
}

let mac = MACAddress("02:00:00:00:00:15")!
let serverAddress = IPv4Address(10, 0, 2, 2)

func makeServer(addressCount: Int = 4, leaseTime: Duration = .seconds(3600)) -> DHCPv4Server {
    var configuration = DHCPv4Server.Configuration(
        address: serverAddress, prefix: IPv4Prefix("10.0.2.0/24")!, firstAddress: IPv4Address(10, 0, 2, 15), addressCount: addressCount)
    configuration.routers = [serverAddress]
    configuration.nameServers = [IPv4Address(10, 0, 2, 3)]
    configuration.searchDomains = [DNSName("example.org")!]
    configuration.interfaceMTU = 1500
    configuration.leaseTime = leaseTime
    return DHCPv4Server(configuration: configuration)
}

func makeClient(entropy: UInt64 = 1, hardware: MACAddress = mac) -> DHCPv4Client {
    DHCPv4Client(configuration: .init(hardware: hardware, hostName: Array("web".utf8)), entropy: entropy, now: at(0))
}

/// Runs the client until it has a lease, at `seconds`.
func bind(_ client: inout DHCPv4Client, _ server: inout DHCPv4Server, at seconds: Double = 0) throws -> DHCPv4Lease {
    let discover = try need(client.tick(now: at(seconds)).send)
    let offer = try need(server.handle(try message(discover.bytes), now: at(seconds)))
    let request = try need(client.handle(offer.message, now: at(seconds)).send)
    let acknowledgment = try need(server.handle(try message(request.bytes), now: at(seconds)))
    guard case .acquired(let lease) = client.handle(acknowledgment.message, now: at(seconds)).change else {
        throw FormatError.invalid
    }
    return lease
}

struct DHCPv4ClientTests {
    @Test func `an address is found in four messages`() throws {
        var client = makeClient()
        var server = makeServer()
        let discover = try need(client.tick(now: at(0)).send)
        #expect(discover.destination == .broadcast && discover.source == .unspecified)
        let parsed = try message(discover.bytes)
        #expect(parsed.kind == .discover && parsed.options.hostName == Array("web".utf8) && parsed.isBroadcast)
        let again = client.tick(now: at(0.5))
        #expect(again.send == nil)
        let offer = try need(server.handle(parsed, now: at(0)))
        #expect(offer.destination == .broadcast && offer.hardware == .broadcast && offer.message.yourAddress.description == "10.0.2.15")
        let request = try need(client.handle(offer.message, now: at(1)).send)
        let requested = try message(request.bytes)
        #expect(requested.kind == .request && requested.options.requestedAddress == offer.message.yourAddress)
        #expect(requested.options.serverIdentifier == serverAddress && requested.transactionIdentifier == parsed.transactionIdentifier)
        let acknowledgment = try need(server.handle(requested, now: at(1)))
        let actions = client.handle(acknowledgment.message, now: at(2))
        let lease = try need(client.lease)
        #expect(actions.send == nil && actions.change == .acquired(lease))
        #expect(lease.prefix.description == "10.0.2.15/24" && lease.maximumTransmissionUnit == 1500)
        #expect(lease.routes.map(\.router) == [serverAddress] && lease.routes.map(\.network.length) == [0])
        #expect(lease.nameServers == [IPv4Address(10, 0, 2, 3)] && lease.searchDomains == [DNSName("example.org")!])
        #expect(lease.renewal == at(1 + 1800) && lease.rebinding == at(1 + 3150) && lease.expiry == at(1 + 3600))
        #expect(client.nextDeadline == lease.renewal)
    }

    @Test func `without an answer the waits double up to a minute`() throws {
        var client = makeClient(entropy: 7)
        var identifiers: Set<UInt32> = []
        var waits: [Double] = []
        var now = at(0)
        for _ in 0..<8 {
            let sent = try need(client.tick(now: now).send)
            identifiers.insert(try message(sent.bytes).transactionIdentifier)
            let next = try need(client.nextDeadline)
            waits.append(Double(next.nanoseconds - now.nanoseconds) / 1e9)
            now = next
        }
        #expect(identifiers.count == 1)
        for (wait, whole) in zip(waits, [4, 8, 16, 32, 64, 64, 64, 64]) { #expect(abs(wait - Double(whole)) <= 1, "\(waits)") }
    }

    @Test func `an offer that is not followed up is given up after four requests`() throws {
        var client = makeClient()
        var server = makeServer()
        let discover = try need(client.tick(now: at(0)).send)
        let offer = try need(server.handle(try message(discover.bytes), now: at(0)))
        var kinds = [try message(try need(client.handle(offer.message, now: at(0)).send).bytes).kind]
        for _ in 0..<4 {
            let now = try need(client.nextDeadline)
            kinds.append(try message(try need(client.tick(now: now).send).bytes).kind)
        }
        #expect(kinds == [.request, .request, .request, .request, .discover])
    }

    @Test func `a lease is renewed at half time with its server`() throws {
        var client = makeClient()
        var server = makeServer()
        let lease = try bind(&client, &server)
        let renewal = try need(client.tick(now: at(1800)).send)
        #expect(renewal.source == lease.address && renewal.destination == serverAddress)
        let request = try message(renewal.bytes)
        #expect(
            request.clientAddress == lease.address && request.options.requestedAddress == nil && request.options.serverIdentifier == nil)
        let answer = try need(server.handle(request, now: at(1801)))
        #expect(answer.message.kind == .acknowledge && answer.destination == lease.address && answer.hardware == mac)
        let actions = client.handle(answer.message, now: at(1801))
        let renewed = try need(client.lease)
        #expect(actions.change == .acquired(renewed) && renewed.expiry == at(1800 + 3600))
    }

    @Test func `a silent server is followed by all servers, then by the end of the lease`() throws {
        var client = makeClient()
        var server = makeServer()
        let lease = try bind(&client, &server)
        var destinations: [(Double, IPv4Address)] = []
        var change: DHCPv4Actions.Change?
        while change == nil {
            let now = try need(client.nextDeadline)
            let actions = client.tick(now: now)
            change = actions.change
            if let send = actions.send { destinations.append((Double(now.nanoseconds) / 1e9, send.destination)) }
            #expect(destinations.count < 40)
        }
        #expect(change == .lost && client.lease == nil)
        #expect(destinations.last?.0 == 3600)
        #expect(destinations.filter { $0.0 < 3150 }.allSatisfy { $0.1 == serverAddress })
        #expect(destinations.filter { $0.0 >= 3150 }.allSatisfy { $0.1 == .broadcast })
        for (one, next) in zip(destinations, destinations.dropFirst()) where next.0 != 3150 && next.0 != 3600 {
            #expect(next.0 - one.0 >= 60)
        }
        _ = lease
    }

    @Test func `a machine that slept through its lease loses it at once`() throws {
        var client = makeClient()
        var server = makeServer()
        _ = try bind(&client, &server)
        let actions = client.tick(now: at(10_000))
        #expect(actions.change == .lost && actions.send?.destination == .broadcast)
    }

    @Test func `a refusal ends the lease and the client begins again, not at once`() throws {
        var client = makeClient()
        var server = makeServer()
        _ = try bind(&client, &server)
        let renewal = try need(client.tick(now: at(1800)).send)
        var other = makeServer(addressCount: 1)
        var rival = makeClient(entropy: 3, hardware: .init(rawValue: 0x0200_0000_0099))
        _ = try bind(&rival, &other)
        let answer = try need(other.handle(try message(renewal.bytes), now: at(1800)))
        #expect(answer.message.kind == .refuse && answer.destination == .broadcast)
        let actions = client.handle(answer.message, now: at(1800))
        #expect(actions.change == .lost && actions.send == nil)
        #expect(try need(client.nextDeadline) >= at(1803))
    }

    @Test func `answers to others and answers without sense are ignored`() throws {
        var client = makeClient()
        var server = makeServer()
        let discover = try message(try need(client.tick(now: at(0)).send).bytes)
        let offer = try need(server.handle(discover, now: at(0))).message
        var wrong = offer
        wrong.transactionIdentifier ^= 1
        var results = [client.handle(wrong, now: at(0))]
        wrong = offer
        wrong.clientHardware = .broadcast
        results.append(client.handle(wrong, now: at(0)))
        wrong = offer
        wrong.yourAddress = IPv4Address(224, 0, 0, 1)
        results.append(client.handle(wrong, now: at(0)))
        wrong = offer
        wrong.options.serverIdentifier = nil
        results.append(client.handle(wrong, now: at(0)))
        let request = try message(try need(client.handle(offer, now: at(0)).send).bytes)
        let acknowledgment = try need(server.handle(request, now: at(0))).message
        wrong = acknowledgment
        wrong.options.leaseTime = nil
        results.append(client.handle(wrong, now: at(0)))
        wrong = acknowledgment
        wrong.options.subnetMask = IPv4Address(255, 0, 255, 0)
        results.append(client.handle(wrong, now: at(0)))
        #expect(results.allSatisfy { $0.send == nil && $0.change == nil })
        let good = client.handle(acknowledgment, now: at(0))
        #expect(good.change != nil)
    }

    @Test func `a lease without end is never renewed, one with impossible times as usual`() throws {
        var client = makeClient()
        var server = makeServer(leaseTime: .seconds(0xffff_ffff as Int64))
        #expect(try bind(&client, &server).expiry == .distantFuture && client.nextDeadline == nil)
        var second = makeClient()
        var short = makeServer(leaseTime: .seconds(1))
        let lease = try bind(&second, &short)
        #expect(lease.renewal <= lease.rebinding && lease.rebinding <= lease.expiry)
    }

    @Test func `a lease is given back`() throws {
        var client = makeClient()
        var server = makeServer(addressCount: 1)
        _ = try bind(&client, &server)
        let release = try need(client.release())
        #expect(client.nextDeadline == nil && client.lease == nil && release.destination == serverAddress)
        let answer = server.handle(try message(release.bytes), now: at(1))
        #expect(answer == nil)
        var rival = makeClient(entropy: 3, hardware: .broadcast)
        #expect(try bind(&rival, &server, at: 2).address.description == "10.0.2.15")
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `random messages at random times never trap, and the client finds its server again`(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var client = makeClient(entropy: seed)
        var server = makeServer(leaseTime: .seconds(120))
        var now = 0.0
        var acquired = 0
        for _ in 0..<3000 {
            now += Double(random.next() % 40)
            var inbox: [DHCPv4Message] = []
            let actions = client.tick(now: at(now))
            if let send = actions.send, let reply = server.handle(try message(send.bytes), now: at(now)) { inbox.append(reply.message) }
            while let next = inbox.popLast() {
                var heard = next
                switch random.next() % 8 {
                case 0: continue
                case 1: heard.kind = DHCPv4Message.Kind(rawValue: UInt8(1 + random.next() % 8))!
                case 2: heard.options.leaseTime = .seconds(Int64(random.next() % 100))
                case 3: heard.yourAddress = IPv4Address(rawValue: UInt32(truncatingIfNeeded: random.next()))
                default: break
                }
                let more = client.handle(heard, now: at(now))
                if case .acquired = more.change { acquired += 1 }
                if let send = more.send, let reply = server.handle(try message(send.bytes), now: at(now)) { inbox.append(reply.message) }
            }
        }
        #expect(acquired > 100, "seed \(seed)")
    }
}

struct DHCPv4ServerTests {
    @Test func `every client has its own address until the pool is empty`() throws {
        var server = makeServer(addressCount: 3)
        var addresses: [String] = []
        for index in 0..<3 {
            var client = makeClient(entropy: UInt64(index), hardware: MACAddress(rawValue: 0x0200_0000_0000 + UInt64(index)))
            addresses.append(try bind(&client, &server).address.description)
        }
        #expect(addresses == ["10.0.2.15", "10.0.2.16", "10.0.2.17"])
        var late = makeClient(entropy: 9, hardware: .broadcast)
        let discover = try message(try need(late.tick(now: at(10)).send).bytes)
        let none = server.handle(discover, now: at(10))
        #expect(none == nil)
        let free = server.handle(discover, now: at(4000))
        #expect(free?.message.yourAddress.description == "10.0.2.15")
    }

    @Test func `a wish is granted if it can be`() throws {
        var server = makeServer()
        var client = DHCPv4Client(
            configuration: .init(hardware: mac, requestedAddress: IPv4Address(10, 0, 2, 17)), entropy: 1, now: at(0))
        #expect(try bind(&client, &server).address.description == "10.0.2.17")
        var far = DHCPv4Client(
            configuration: .init(hardware: .broadcast, requestedAddress: IPv4Address(10, 9, 9, 9)), entropy: 1, now: at(0))
        #expect(try bind(&far, &server).address.description == "10.0.2.15")
    }

    @Test func `a request for another server, a relay's message and an answer are not answered`() throws {
        var server = makeServer()
        var request = DHCPv4Message(.request, transactionIdentifier: 1, clientHardware: mac)
        request.options.serverIdentifier = IPv4Address(10, 0, 2, 99)
        let first = server.handle(request, now: at(0))
        var relayed = DHCPv4Message(.discover, transactionIdentifier: 1, clientHardware: mac)
        relayed.relay = IPv4Address(1, 2, 3, 4)
        let second = server.handle(relayed, now: at(0))
        let third = server.handle(DHCPv4Message(.offer, transactionIdentifier: 1, clientHardware: mac), now: at(0))
        #expect(first == nil && second == nil && third == nil)
    }

    @Test func `who has an address is told the rest`() throws {
        var server = makeServer()
        var inform = DHCPv4Message(.inform, transactionIdentifier: 1, clientHardware: mac)
        inform.clientAddress = IPv4Address(10, 0, 2, 200)
        let reply = try need(server.handle(inform, now: at(0)))
        #expect(reply.message.kind == .acknowledge && reply.message.options.leaseTime == nil && reply.message.yourAddress.isUnspecified)
        #expect(reply.destination == inform.clientAddress)
    }
}

struct DHCPv6ClientTests {
    func message6(_ bytes: [UInt8]) throws -> DHCPv6Message {
        var reader = ByteReader(bytes.span)
        return try DHCPv6Message(parsing: &reader)
    }

    @Test func `it asks, learns, and asks again when that is old`() throws {
        var client = DHCPv6Client(hardware: mac, entropy: 5, now: at(0))
        let request = try message6(try need(client.tick(now: at(0))))
        #expect(request.kind == .informationRequest && request.optionRequests == [23, 24, 32] && request.elapsed == .zero)
        var reply = DHCPv6Message(.reply, transactionIdentifier: request.transactionIdentifier)
        reply.clientIdentifier = request.clientIdentifier
        reply.nameServers = [.loopback]
        let anonymous = client.handle(reply, now: at(1))
        #expect(anonymous == nil)
        reply.serverIdentifier = [1]
        let learned = client.handle(reply, now: at(1))
        #expect(learned?.nameServers == [.loopback])
        #expect(client.nextDeadline == at(86_401))
        let twice = client.handle(reply, now: at(2))
        #expect(twice == nil)
        let early = client.tick(now: at(86_400))
        let again = try message6(try need(client.tick(now: at(86_401))))
        #expect(early == nil && again.transactionIdentifier != request.transactionIdentifier)
    }

    @Test func `unanswered it asks ever more rarely`() throws {
        var client = DHCPv6Client(hardware: mac, entropy: 5, now: at(0))
        var last = at(0)
        var waits: [Double] = []
        for _ in 0..<16 {
            let sent = client.tick(now: last)
            #expect(sent != nil)
            waits.append(Double(client.nextDeadline.nanoseconds - last.nanoseconds) / 1e9)
            last = client.nextDeadline
        }
        for (index, wait) in waits.enumerated() {
            let whole = min(Double(1 << index), 3600)
            #expect(abs(wait - whole) <= whole / 10 + 0.001, "\(waits)")
        }
    }
}
