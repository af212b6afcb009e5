import Bytes
import DNSFormat
import NetFormats
import Random
import Testing

func parse(_ bytes: [UInt8]) -> Result<DNSMessage, FormatError> {
    var reader = ByteReader(bytes.span)
    do throws(FormatError) { return .success(try DNSMessage(parsing: &reader)) } catch { return .failure(error) }
}

extension SplitMix {
    mutating func name() -> DNSName {
        let labels = ["a", "www", "example", "Example", "org", "x-1", "_tcp", "local", String(repeating: "l", count: 63)]
        var name = DNSName.root
        for _ in 0..<Int.random(in: 0...5, using: &self) {
            name = DNSName(labels.randomElement(using: &self)!)!.appending(name) ?? name
        }
        return name
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    mutating func record() -> DNSRecord {
        let word = UInt32(truncatingIfNeeded: next())
        let data: DNSData =
            switch next() % 9 {
            case 0: .a(IPv4Address(rawValue: word))
            case 1: .aaaa(IPv6Address(high: next(), low: next()))
            case 2: .cname(name())
            case 3: .ns(name())
            case 4: .ptr(name())
            case 5: .srv(DNSService(priority: UInt16(word & 0xffff), weight: 1, port: UInt16(word >> 16), target: name()))
            case 6: .txt((0..<Int(word % 3)).map { _ in bytes(Int(word >> 8 & 0xff)) })
            case 7:
                .soa(
                    DNSStartOfAuthority(
                        primary: name(), mailbox: name(), serial: word, refresh: .seconds(1), retry: .seconds(2), expire: .seconds(3),
                        minimum: .seconds(Int64(word))))
            default: .other(DNSType(rawValue: 1000), bytes(Int(word % 40)))
            }
        return DNSRecord(name: name(), timeToLive: .seconds(Int64(word & 0x7fff_ffff)), data: data, isCacheFlush: word & 1 == 0)
    }

    mutating func message() -> DNSMessage {
        var message = DNSMessage(identifier: UInt16(truncatingIfNeeded: next()))
        let flags = next()
        message.isResponse = flags & 1 != 0
        message.opcode = UInt8(flags >> 1 & 0xf)
        message.isAuthoritative = flags & 0x20 != 0
        message.isTruncated = flags & 0x40 != 0
        message.isRecursionDesired = flags & 0x80 != 0
        message.isRecursionAvailable = flags & 0x100 != 0
        message.isAuthenticData = flags & 0x200 != 0
        message.isCheckingDisabled = flags & 0x400 != 0
        message.responseCode = DNSResponseCode(rawValue: UInt8(flags >> 11 & 0xf))
        for _ in 0..<Int(next() % 3) { message.questions.append(DNSQuestion(name: name(), type: .aaaa, prefersUnicast: next() & 1 == 0)) }
        for _ in 0..<Int(next() % 6) { message.answers.append(record()) }
        for _ in 0..<Int(next() % 3) { message.authorities.append(record()) }
        for _ in 0..<Int(next() % 3) { message.additionals.append(record()) }
        if next() & 1 == 0 {
            message.edns = DNSExtension(messageByteCountLimit: 4096)
            message.edns?.wantsSignatures = true
            message.edns?.extendedResponseCode = 1
        }
        return message
    }
}

struct DNSNameTests {
    @Test(arguments: ["example.org", "a", "_sip._tcp.example.org", "xn--bcher-kva.example"])
    func `a name keeps its text, with and without a last dot`(text: String) throws {
        let name = try #require(DNSName(text))
        #expect(name.description == text && DNSName(text + ".") == name)
    }

    @Test(arguments: ["", ".a", "a..b", "..", "a..", "a\\.b", String(repeating: "x", count: 64), String(repeating: "abcdefg.", count: 32)])
    func `what is not a name is refused`(text: String) { #expect(DNSName(text) == nil) }

    @Test func `case does not matter, bytes do`() throws {
        #expect(DNSName("WWW.Example.ORG") == DNSName("www.example.org") && DNSName("a@b") != DNSName("a`b"))
        #expect(Set([DNSName("A.b")!, DNSName("a.B")!]).count == 1)
        #expect(DNSName(".") == .root && DNSName.root.description == "." && DNSName.root.parent == nil)
    }

    @Test func `names contain and extend each other by labels`() throws {
        let name = try #require(DNSName("host.sub.Example.org"))
        #expect(
            name.isWithin(DNSName("example.ORG")!) && name.isWithin(.root) && name.isWithin(name) && !name.isWithin(DNSName("ample.org")!))
        #expect(!DNSName("org")!.isWithin(DNSName("example.org")!))
        #expect(DNSName("host")!.appending(DNSName("sub.example.org")!) == name && name.parent == DNSName("sub.example.org"))
        #expect(name.labelCount == 4)
        let long = try #require(DNSName(String(repeating: "abcdefg.", count: 31)))
        #expect(long.byteCount == 249 && long.appending(DNSName("abcdef")!) == nil && long.appending(DNSName("abcde")!)?.byteCount == 255)
    }

    @Test func `strange bytes are shown escaped`() throws {
        let bytes: [UInt8] = [3, 0x2e, 0x5c, 7, 0]
        var offset = 0
        let name = try DNSName(parsing: ByteReader(bytes.span).unread, at: &offset)
        #expect(name.description == "\\.\\\\\\007" && offset == 5)
    }

    @Test func `reverse names are those of the RFCs`() throws {
        #expect(DNSName(reverse: .v4(IPv4Address(192, 0, 2, 10))).description == "10.2.0.192.in-addr.arpa")
        let reverse = DNSName(reverse: IPAddress("2001:db8::567:89ab")!).description
        #expect(reverse == "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")
    }

    @Test(
        arguments: [
            ("a pointer to itself", [0xc0, 0x00]), ("a pointer forward", [0xc0, 0x02, 0x00]), ("a loop of two", [0x01, 0x61, 0xc0, 0x00]),
            ("a reserved kind of label", [0x40, 0x00]), ("another one", [0x80, 0x00]),
        ] as [(String, [UInt8])])
    func `a name that does not end is refused`(what: String, bytes: [UInt8]) {
        var offset = 0
        var refusal: FormatError?
        do throws(FormatError) { _ = try DNSName(parsing: ByteReader(bytes.span).unread, at: &offset) } catch { refusal = error }
        #expect(refusal == .invalid, "\(what)")
    }

    @Test func `a chain of pointers ends at 255 bytes`() throws {
        // Each part is a label of 63 bytes and a pointer to the part before.
        var bytes: [UInt8] = [0]
        var places = [0]
        for _ in 0..<4 {
            places.append(bytes.count)
            bytes +=
                [63] + [UInt8](repeating: 0x61, count: 63) + [
                    0xc0 | UInt8(places[places.count - 2] >> 8), UInt8(places[places.count - 2] & 0xff),
                ]
        }
        var third = places[3]
        #expect(try DNSName(parsing: ByteReader(bytes.span).unread, at: &third).byteCount == 193)
        var fourth = places[4]
        var refusal: FormatError?
        do throws(FormatError) { _ = try DNSName(parsing: ByteReader(bytes.span).unread, at: &fourth) } catch { refusal = error }
        #expect(refusal == .invalid)
    }
}

struct DNSMessageTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `a message read back is the one written, and no truncation is accepted`(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        for round in 0..<150 {
            let message = random.message()
            let bytes = message.bytes()
            #expect(try parse(bytes).get() == message, "seed \(seed) round \(round)")
            for count in 0..<bytes.count {
                guard case .failure = parse(Array(bytes[..<count])) else {
                    Issue.record("seed \(seed) round \(round): \(count) of \(bytes.count) bytes are accepted")
                    break
                }
            }
        }
    }

    @Test func `an answer of the wire is understood`() throws {
        // www.example.com CNAME example.com, A 93.184.216.34, compressed, as servers send it.
        let bytes: [UInt8] =
            [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 1] + [3] + Array("www".utf8) + [7] + Array("example".utf8) + [3]
            + Array("com".utf8)
            + [0, 0, 1, 0, 1] + [0xc0, 0x0c, 0, 5, 0, 1, 0, 0, 1, 0, 0, 2, 0xc0, 0x10]
            + [0xc0, 0x10, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 93, 184, 216, 34] + [0, 0, 41, 0x02, 0x00, 0, 0, 0, 0, 0, 0]
        let message = try parse(bytes).get()
        #expect(message.isResponse && message.isRecursionAvailable && message.questions.first?.name == DNSName("www.example.com"))
        #expect(message.answers.map(\.data) == [.cname(DNSName("example.com")!), .a(IPv4Address(93, 184, 216, 34))])
        #expect(message.answers.map(\.timeToLive) == [.seconds(256), .seconds(60)] && message.edns?.messageByteCountLimit == 512)
        #expect(message.bytes() == bytes)
    }

    @Test func `a message that does not fit keeps its question and says so`() throws {
        var random = SplitMix(state: 8)
        var message = DNSMessage(identifier: 7, query: DNSQuestion(name: DNSName("a.example")!, type: .a))
        message.isResponse = true
        for _ in 0..<60 { message.answers.append(random.record()) }
        let bytes = message.bytes(limit: 512)
        #expect(bytes.count <= 512)
        let short = try parse(bytes).get()
        #expect(short.isTruncated && short.answers.isEmpty && short.questions == message.questions && short.identifier == 7)
    }

    @Test func `too many entries are refused`() {
        #expect(parse([0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 4000)) == .failure(.invalid))
        var message = DNSMessage(identifier: 1)
        message.questions = Array(repeating: DNSQuestion(name: .root, type: .a), count: DNSMessage.entryLimit)
        #expect(parse(message.bytes()) == .success(message))
    }

    @Test func `a lifetime with the highest bit is zero, as in RFC 2181`() throws {
        var message = DNSMessage(identifier: 1)
        message.answers = [DNSRecord(name: .root, timeToLive: .seconds(1), data: .a(.loopback))]
        var bytes = message.bytes()
        bytes[17] = 0x80
        #expect(try parse(bytes).get().answers[0].timeToLive == .zero)
    }

    @Test func `no bytes make a message trap`() throws {
        var random = SplitMix(state: 0xd5)
        let samples = (0..<64).map { _ in random.message().bytes() }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(1)
        while clock.now < end {
            var bytes = samples.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = random.next() & 1 == 0 ? UInt8(truncatingIfNeeded: random.next()) : 0xc0
            }
            if random.next() % 4 == 0 { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            guard case .success(let message) = parse(bytes) else { continue }
            #expect(parse(message.bytes()) == .success(message), "seed 0xd5")
        }
    }
}
