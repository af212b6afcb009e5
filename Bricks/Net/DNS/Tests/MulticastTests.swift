import Bytes
import DNS
import DNSFormat
import NetFormats
import Random
import Testing
import Time

func responder(_ host: String, _ addresses: [String]) throws -> MulticastResponder {
    let bytes = Array(host.utf8)
    var responder = try need(MulticastResponder(host: bytes.span))
    responder.setAddresses(addresses.map { IPAddress($0)! }, now: at(0))
    return responder
}

func parse(_ transmission: ResponderTransmission) throws -> DNSMessage {
    var reader = ByteReader(transmission.bytes.span)
    return try DNSMessage(parsing: &reader)
}

let neighbor = SocketAddress("10.0.0.9:5353")!

extension MulticastResponder {
    mutating func handle(_ message: DNSMessage, from source: SocketAddress = neighbor, at seconds: Double = 10) -> ResponderTransmission? {
        let bytes = message.bytes()
        return handle(ByteReader(bytes.span).unread, from: source, now: DNSTests.at(seconds))
    }
}

func question(_ text: String, _ type: DNSType = .a, prefersUnicast: Bool = false) -> DNSMessage {
    var message = DNSMessage(identifier: 0)
    message.questions = [DNSQuestion(name: name(text), type: type, prefersUnicast: prefersUnicast)]
    return message
}

struct MulticastResponderTests {
    @Test func `a name is announced twice, and again with new addresses`() throws {
        var host = try responder("web", ["10.0.0.5", "fe80::5"])
        let first = try need(host.tick(now: at(0)))
        #expect(first.destination == nil && host.nextDeadline == at(1))
        let message = try parse(first)
        #expect(message.isResponse && message.isAuthoritative && message.identifier == 0)
        #expect(message.answers.map(\.data) == [.a(IPv4Address(10, 0, 0, 5)), .aaaa(IPv6Address("fe80::5")!)])
        #expect(message.answers.allSatisfy { $0.isCacheFlush && $0.name == name("web.local") && $0.timeToLive == .seconds(120) })
        let early = host.tick(now: at(0.5))
        let second = host.tick(now: at(1))
        let third = host.tick(now: at(99))
        #expect(early == nil && second != nil && third == nil && host.nextDeadline == nil)
        host.setAddresses([.v4(.loopback)], now: at(100))
        #expect(host.nextDeadline == at(100))
    }

    @Test func `its name is answered, with the other kind beside it`() throws {
        var host = try responder("web", ["10.0.0.5", "fe80::5"])
        let reply = try need(host.handle(question("WEB.local")))
        #expect(reply.destination == nil)
        let message = try parse(reply)
        #expect(message.answers.map(\.type) == [.a] && message.additionals.map(\.type) == [.aaaa] && message.questions.isEmpty)
        let soon = host.handle(question("web.local"), at: 10.5)
        let later = host.handle(question("web.local", .any), at: 11)
        #expect(soon == nil && later != nil)
        let direct = host.handle(question("web.local", prefersUnicast: true), at: 11.1)
        #expect(direct?.destination == neighbor)
    }

    @Test func `a plain resolver is answered as it expects`() throws {
        var host = try responder("web", ["10.0.0.5"])
        var query = question("web.local")
        query.identifier = 77
        let source = SocketAddress("10.0.0.9:40000")!
        let reply = try need(host.handle(query, from: source))
        let message = try parse(reply)
        #expect(reply.destination == source && message.identifier == 77 && message.questions == query.questions)
        #expect(message.answers.allSatisfy { !$0.isCacheFlush && $0.timeToLive == .seconds(10) })
    }

    @Test func `a kind that it lacks is denied`() throws {
        var host = try responder("web", ["10.0.0.5"])
        let message = try parse(try need(host.handle(question("web.local", .aaaa))))
        #expect(message.answers.map(\.type) == [.nsec] && message.additionals.map(\.type) == [.a])
    }

    @Test func `what the asker knows, other names, answers and noise are passed over`() throws {
        var host = try responder("web", ["10.0.0.5"])
        var known = question("web.local")
        known.answers = [a("web.local", "10.0.0.5", lifetime: 60)]
        var results = [host.handle(known), host.handle(question("other.local")), host.handle(question("web.local", .srv))]
        var response = question("web.local")
        response.isResponse = true
        response.answers = [a("web.local", "10.0.0.66")]
        results.append(host.handle(response))
        #expect(results.allSatisfy { $0 == nil })
        known.answers = [a("web.local", "10.0.0.5", lifetime: 59)]
        let old = host.handle(known)
        #expect(old != nil)
        var bare = try responder("web", [])
        let none = bare.handle(question("web.local"))
        #expect(none == nil && bare.nextDeadline == nil)
        let bytes = Array("a.b".utf8)
        #expect(MulticastResponder(host: bytes.span) == nil)
    }

    @Test func `no bytes make it trap`() throws {
        var host = try responder("web", ["10.0.0.5", "fe80::5"])
        var random = SplitMix(state: 0x3d)
        let sample = question("web.local", .any).bytes()
        for round in 0..<20_000 {
            var bytes = sample
            for _ in 0..<3 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next()) }
            _ = host.handle(ByteReader(bytes.span).unread, from: neighbor, now: at(Double(round)))
        }
    }
}

struct MulticastResolverTests {
    @Test func `instances on one link find each other`() throws {
        var script = Script(servers: [], usesMulticast: true)
        var host = try responder("web", ["10.0.0.5", "fe80::5"])
        for text in ["web", "web.local"] {
            script.resolver.configuration.usesMulticast = true
            let lookUp = try script.pending(text)
            for sent in try script.sent() {
                #expect(sent.transmission.transport == .multicast && sent.question.prefersUnicast && sent.message.identifier == 0)
                if let reply = host.handle(sent.message, at: 50) { script.deliver(try parse(reply), to: sent) }
            }
            #expect(script.results[lookUp]?.texts == ["fe80::5", "10.0.0.5"])
        }
    }

    @Test func `a host with one kind does not keep the asker waiting`() throws {
        var script = Script(servers: [], usesMulticast: true)
        var host = try responder("web", ["10.0.0.5"])
        let lookUp = try script.pending("web.local")
        for sent in try script.sent() {
            if let reply = host.handle(sent.message, at: 50) { script.deliver(try parse(reply), to: sent) }
        }
        #expect(script.results[lookUp]?.texts == ["10.0.0.5"] && script.now == at(0))
    }

    @Test func `a single label is asked of the servers and of the link at once`() throws {
        var script = Script(usesMulticast: true)
        let lookUp = try script.pending("web", .ipv4)
        let sent = try script.sent()
        #expect(sent.map(\.question.name.description) == ["web", "web.local"])
        script.reply(sent[0], [], code: .nameError)
        #expect(script.results.isEmpty)
        script.reply(sent[1], [a("web.local", "10.0.0.5")])
        #expect(script.results[lookUp]?.texts == ["10.0.0.5"])
    }

    @Test func `a name that nobody has is given up after two questions`() throws {
        var script = Script(servers: [], usesMulticast: true)
        let lookUp = try script.pending("nobody.local", .ipv4)
        var count = 0
        while script.results.isEmpty {
            count += try script.sent().count
            try script.wait()
        }
        #expect(count == 2 && script.now == at(1.5) && script.results[lookUp]?.error == .nameNotFound)
    }
}
