import Bytes
import DNS
import DNSFormat
import NetFormats
import Random
import Testing
import Time

struct ResolverTests {
    @Test func `what needs no question is answered at once`() throws {
        var script = Script(servers: [])
        script.resolver.configuration.hosts = [.init(name: name("me"), addresses: [.v4(IPv4Address(10, 0, 2, 15))])]
        #expect(addresses(script.lookUp("192.0.2.1")) == ["192.0.2.1"] && addresses(script.lookUp("::1")) == ["::1"])
        #expect(
            addresses(script.lookUp("localhost")) == ["::1", "127.0.0.1"]
                && addresses(script.lookUp("a.LOCALHOST.", .ipv4)) == ["127.0.0.1"])
        #expect(addresses(script.lookUp("ME")) == ["10.0.2.15"] && failure(script.lookUp("me", .ipv6)) == .noAddress)
        #expect(failure(script.lookUp("10.0.0.1", .ipv6)) == .noAddress && failure(script.lookUp("a..b")) == .invalidName)
        #expect(failure(script.lookUp("example.org")) == .noServers && failure(script.lookUp(".")) == .invalidName)
    }

    @Test func `both kinds are asked at once, and kept`() throws {
        var script = Script()
        let lookUp = try script.pending("www.example.org")
        let sent = try script.sent()
        #expect(sent.map(\.question.type) == [.aaaa, .a] && sent.allSatisfy { $0.transmission.destination == firstServer })
        #expect(
            sent[0].message.identifier != sent[1].message.identifier && sent[0].transmission.transport != sent[1].transmission.transport)
        script.reply(sent[1], [a("www.example.org", "192.0.2.1"), a("www.example.org", "192.0.2.2", lifetime: 30)])
        #expect(script.results.isEmpty)
        script.reply(sent[0], [aaaa("www.example.org", "2001:db8::1")])
        #expect(script.results[lookUp]?.texts == ["2001:db8::1", "192.0.2.1", "192.0.2.2"])
        script.now = at(29)
        #expect(addresses(script.lookUp("WWW.example.org"))?.count == 3)
        script.now = at(31)
        let again = try script.pending("www.example.org")
        let more = try script.sent()
        #expect(more.map(\.question.type) == [.a])
        script.reply(more[0], [])
        #expect(script.results[again]?.texts == ["2001:db8::1"])
    }

    @Test func `one kind does not wait long for the other`() throws {
        var script = Script()
        let lookUp = try script.pending("www.example.org")
        let sent = try script.sent()
        script.now = at(0.1)
        script.reply(sent[1], [a("www.example.org", "192.0.2.1")])
        #expect(script.results.isEmpty && script.resolver.nextDeadline == at(0.6))
        try script.wait()
        #expect(script.results[lookUp]?.texts == ["192.0.2.1"])
        #expect(script.resolver.nextDeadline == nil)
    }

    @Test func `two lookups of one name share the question`() throws {
        var script = Script()
        let first = try script.pending("example.org", .ipv4)
        let second = try script.pending("Example.org", .ipv4)
        let sent = try script.sent()
        #expect(sent.count == 1)
        script.reply(sent[0], [a("example.org", "192.0.2.1")])
        #expect(script.results[first]?.texts == ["192.0.2.1"] && script.results[second]?.texts == ["192.0.2.1"])
    }

    @Test func `silent servers are asked in turn, then ever more slowly`() throws {
        var script = Script(servers: [firstServer, secondServer])
        let lookUp = try script.pending("example.org", .ipv4)
        var asked: [SocketAddress] = []
        var identifiers: Set<UInt16> = []
        while script.results.isEmpty {
            let sent = try script.sent()
            asked += sent.map(\.transmission.destination)
            identifiers.formUnion(sent.map(\.message.identifier))
            try script.wait()
        }
        #expect(asked == [firstServer, secondServer, firstServer, secondServer, firstServer, secondServer])
        #expect(script.now == at(14) && script.results[lookUp]?.error == .timedOut && identifiers.count == 6)
    }

    @Test func `a server that fails or refuses is passed over`() throws {
        var script = Script(servers: [firstServer, secondServer])
        let lookUp = try script.pending("example.org", .ipv4)
        script.reply(try script.sent()[0], [], code: .serverFailure)
        let second = try script.sent()
        #expect(second.map(\.transmission.destination) == [secondServer])
        script.reply(second[0], [], code: .refused)
        script.reply(try script.sent()[0], [a("example.org", "192.0.2.1")])
        #expect(script.results[lookUp]?.texts == ["192.0.2.1"])
    }

    @Test func `a server without EDNS is asked without`() throws {
        var script = Script()
        let lookUp = try script.pending("example.org", .ipv4)
        let sent = try script.sent()
        #expect(sent[0].message.edns != nil)
        script.reply(sent[0], [], code: .formatError)
        let plain = try script.sent()
        #expect(plain[0].message.edns == nil && plain[0].transmission.destination == firstServer)
        script.reply(plain[0], [a("example.org", "192.0.2.1")])
        #expect(script.results[lookUp]?.texts == ["192.0.2.1"])
    }

    @Test func `aliases are followed, also when the server does not`() throws {
        var script = Script()
        let lookUp = try script.pending("www.example.org", .ipv4)
        script.reply(try script.sent()[0], [cname("www.example.org", "a.example.net"), cname("a.example.net", "b.example.net")])
        let sent = try script.sent()
        #expect(sent[0].question.name == name("b.example.net"))
        script.reply(sent[0], [a("b.example.net", "192.0.2.9")])
        #expect(script.results[lookUp]?.texts == ["192.0.2.9"] && addresses(script.lookUp("www.example.org", .ipv4)) == ["192.0.2.9"])
    }

    @Test func `a loop of aliases ends`() throws {
        var script = Script()
        let lookUp = try script.pending("a.example", .ipv4)
        for _ in 0..<3 { script.reply(try script.sent()[0], [cname("a.example", "b.example"), cname("b.example", "a.example")]) }
        #expect(script.results[lookUp]?.error == .serverFailure)
        let slow = try script.pending("c.example", .ipv4)
        var turns = 0
        while script.results[slow] == nil {
            let sent = try need(try script.sent().first)
            let owner = sent.question.name.description
            script.reply(sent, [cname(owner, "c" + owner)])
            turns += 1
            #expect(turns < 40)
        }
        #expect(script.results[slow]?.error == .serverFailure)
    }

    @Test func `that a name does not exist is kept as long as the zone says`() throws {
        var script = Script()
        let lookUp = try script.pending("no.example.org", .ipv4)
        script.reply(try script.sent()[0], [], code: .nameError, authorities: [soa("example.org", minimum: 10)])
        #expect(script.results[lookUp]?.error == .nameNotFound && failure(script.lookUp("no.example.org", .ipv4)) == .nameNotFound)
        script.now = at(11)
        _ = try script.pending("no.example.org", .ipv4)
        #expect(try script.sent().count == 1)
        let empty = try script.pending("empty.example.org", .ipv6)
        script.reply(try script.sent()[0], [])
        #expect(script.results[empty]?.error == .noAddress)
        _ = try script.pending("empty.example.org", .ipv6)
    }

    @Test func `the search list comes first for a short name, last for a long one, never for an absolute one`() throws {
        func names(_ text: String) throws -> [String] {
            var script = Script(search: ["one.example", "two.example"])
            let lookUp = try script.pending(text, .ipv4)
            var names: [String] = []
            while script.results[lookUp] == nil {
                let sent = try need(try script.sent().first)
                names.append(sent.question.name.description)
                script.reply(sent, [], code: .nameError)
            }
            #expect(script.results[lookUp]?.error == .nameNotFound)
            return names
        }
        #expect(try names("web") == ["web.one.example", "web.two.example", "web"])
        #expect(try names("web.org") == ["web.org", "web.org.one.example", "web.org.two.example"])
        #expect(try names("web.org.") == ["web.org"])
    }

    @Test func `a truncated answer is asked for over a connection`() throws {
        var script = Script()
        let lookUp = try script.pending("big.example", .ipv4)
        let sent = try script.sent()[0]
        var cut = script.answer(sent, [])
        cut.isTruncated = true
        script.deliver(cut, to: sent)
        let stream = try need(try script.sent().first)
        guard case .stream(let identifier) = stream.transmission.transport else { throw FormatError.invalid }
        #expect(stream.transmission.destination == firstServer)
        script.resolver.streamFailed(identifier, now: script.now)
        let again = try need(try script.sent().first)
        script.deliver(script.answer(again, []).truncated, to: again)
        let second = try need(try script.sent().first)
        script.reply(second, (0..<40).map { a("big.example", "192.0.2.\($0)") })
        #expect(script.results[lookUp]?.texts?.count == Resolver.addressLimit)
    }

    @Test func `an answer from elsewhere, to another port or with another number is ignored`() throws {
        var script = Script()
        let lookUp = try script.pending("example.org", .ipv4)
        let sent = try script.sent()[0]
        let good = script.answer(sent, [a("example.org", "192.0.2.66")])
        script.deliver(good, to: sent, from: secondServer)
        var wrong = good
        wrong.identifier ^= 1
        script.deliver(wrong, to: sent)
        wrong = good
        wrong.questions[0].name = name("example.net")
        script.deliver(wrong, to: sent)
        wrong = good
        wrong.questions = []
        script.deliver(wrong, to: sent)
        wrong = good
        wrong.isResponse = false
        script.deliver(wrong, to: sent)
        let bytes = good.bytes()
        script.resolver.handle(ByteReader(bytes.span).unread, from: firstServer, toPort: 1, now: script.now)
        script.collect()
        #expect(script.results.isEmpty)
        script.deliver(good, to: sent)
        #expect(script.results[lookUp]?.texts == ["192.0.2.66"])
    }

    @Test func `records of other names are not believed`() throws {
        var script = Script()
        let lookUp = try script.pending("example.org", .ipv4)
        script.reply(try script.sent()[0], [a("bank.example", "192.0.2.66")])
        #expect(script.results[lookUp]?.error == .noAddress)
        _ = try script.pending("bank.example", .ipv4)
        #expect(try script.sent().count == 1)
    }

    @Test func `lookups and the cache are bounded`() throws {
        var script = Script()
        for index in 0..<Resolver.lookUpLimit { _ = try script.pending("n\(index).example", .ipv4) }
        #expect(failure(script.lookUp("one.too.many", .ipv4)) == .busy)
        for sent in try script.sent() { script.reply(sent, [a(sent.question.name.description, "192.0.2.1")]) }
        #expect(script.results.count == Resolver.lookUpLimit)
        for index in 0..<400 {
            _ = try script.pending("m\(index).example", .ipv4)
            for sent in try script.sent() { script.reply(sent, [a(sent.question.name.description, "192.0.2.1", lifetime: 100 + index)]) }
        }
        // What ends first has made room.
        #expect(addresses(script.lookUp("m399.example", .ipv4)) != nil && addresses(script.lookUp("m150.example", .ipv4)) != nil)
        _ = try script.pending("m100.example", .ipv4)
    }

    @Test func `a cancelled lookup is forgotten with its questions`() throws {
        var script = Script()
        let lookUp = try script.pending("example.org")
        _ = try script.sent()
        script.resolver.cancel(lookUp)
        #expect(script.resolver.nextDeadline == nil)
        script.resolver.tick(now: at(100))
        script.collect()
        #expect(script.results.isEmpty)
    }

    @Test func `servers may change while a question is on its way`() throws {
        var script = Script()
        let lookUp = try script.pending("example.org", .ipv4)
        let old = try script.sent()[0]
        script.resolver.configuration.servers = [secondServer]
        script.reply(old, [a("example.org", "192.0.2.66")])
        try script.wait()
        let sent = try script.sent()
        #expect(sent.map(\.transmission.destination) == [secondServer])
        script.resolver.configuration.servers = []
        script.reply(sent[0], [a("example.org", "192.0.2.66")])
        try script.wait()
        #expect(script.results[lookUp]?.error == .noServers)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `hostile answers never trap and every lookup ends`(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var script = Script(servers: [firstServer, secondServer], search: ["lan"], usesMulticast: true, seed: seed)
        var pending: Set<LookUpIdentifier> = []
        for _ in 0..<400 {
            let text = ["a", "b.local", "c.example", "d.e.f", "a.lan"].randomElement(using: &random)!
            if case .pending(let identifier) = script.lookUp(text) { pending.insert(identifier) }
            for sent in try script.sent() {
                var answers: [DNSRecord] = []
                for _ in 0..<Int(random.next() % 4) {
                    let owner = [sent.question.name.description, "x.y", "a.lan"].randomElement(using: &random)!
                    answers.append(
                        [a(owner, "192.0.2.1"), aaaa(owner, "fd00::1"), cname(owner, "x.y"), cname("x.y", owner)].randomElement(
                            using: &random)!)
                }
                var message = script.answer(sent, answers, code: DNSResponseCode(rawValue: UInt8(random.next() % 6)))
                message.isTruncated = random.next() % 5 == 0
                var bytes = message.bytes()
                if random.next() % 3 == 0 {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
                }
                switch sent.transmission.transport {
                case .datagram(let port):
                    script.resolver.handle(
                        ByteReader(bytes.span).unread, from: sent.transmission.destination, toPort: port, now: script.now)
                case .multicast:
                    script.resolver.handle(
                        ByteReader(bytes.span).unread, from: SocketAddress("10.0.0.7:5353")!, toPort: 5353, now: script.now)
                case .stream(let identifier): script.resolver.handle(stream: ByteReader(bytes.span).unread, of: identifier, now: script.now)
                }
            }
            if random.next() % 4 == 0, script.resolver.nextDeadline != nil { try script.wait() }
            script.collect()
        }
        var turns = 0
        while script.resolver.nextDeadline != nil, turns < 10_000 {
            _ = try script.sent()
            try script.wait()
            turns += 1
        }
        #expect(pending.isSubset(of: Set(script.results.keys)), "seed \(seed)")
    }
}

extension DNSMessage {
    fileprivate var truncated: DNSMessage {
        var cut = self
        cut.isTruncated = true
        return cut
    }
}
