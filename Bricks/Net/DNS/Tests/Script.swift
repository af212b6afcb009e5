import Bytes
import DNS
import DNSFormat
import NetFormats
import Random
import Testing
import Time

func at(_ seconds: Double) -> Instant { Instant(nanoseconds: UInt64(seconds * 1e9)) }

/// `#require` for values that a mutating call returns.
func need<Value>(_ value: Value?, sourceLocation: SourceLocation = #_sourceLocation) throws -> Value {
    try #require(value, sourceLocation: sourceLocation)
}

func name(_ text: String) -> DNSName { DNSName(text)! }

let firstServer = SocketAddress("10.0.0.1:53")!
let secondServer = SocketAddress("[fd00::1]:53")!

func record(_ owner: String, _ data: DNSData, lifetime: Int = 60) -> DNSRecord {
    DNSRecord(name: name(owner), timeToLive: .seconds(lifetime), data: data)
}

func a(_ owner: String, _ address: String, lifetime: Int = 60) -> DNSRecord { record(owner, .a(IPv4Address(address)!), lifetime: lifetime) }
func aaaa(_ owner: String, _ address: String) -> DNSRecord { record(owner, .aaaa(IPv6Address(address)!)) }
func cname(_ owner: String, _ target: String) -> DNSRecord { record(owner, .cname(name(target))) }
func soa(_ owner: String, minimum: Int) -> DNSRecord {
    let data = DNSStartOfAuthority(
        primary: name("ns"), mailbox: name("root"), serial: 1, refresh: .zero, retry: .zero, expire: .zero, minimum: .seconds(minimum))
    return record(owner, .soa(data), lifetime: 3600)
}

/// A resolver with what it has sent and what lookups have come to.
struct Script {
    struct Sent {
        var transmission: ResolverTransmission
        var message: DNSMessage
        var question: DNSQuestion { message.questions[0] }
    }

    var resolver: Resolver
    var now = at(0)
    var results: [LookUpIdentifier: Result<[IPAddress], ResolverError>] = [:]

    init(servers: [SocketAddress] = [firstServer], search: [String] = [], usesMulticast: Bool = false, seed: UInt64 = 1) {
        var configuration = Resolver.Configuration(servers: servers, searchDomains: search.map(name))
        configuration.usesMulticast = usesMulticast
        resolver = Resolver(configuration: configuration, key: SipHash.Key(low: seed, high: 2))
    }

    mutating func lookUp(_ text: String, _ families: AddressFamilies = [.ipv4, .ipv6]) -> LookUpOutcome {
        let bytes = Array(text.utf8)
        return resolver.lookUp(bytes.span, families, now: now)
    }

    mutating func pending(_ text: String, _ families: AddressFamilies = [.ipv4, .ipv6]) throws -> LookUpIdentifier {
        guard case .pending(let identifier) = lookUp(text, families) else { throw FormatError.invalid }
        return identifier
    }

    /// What is sent now.
    mutating func sent() throws -> [Sent] {
        var all: [Sent] = []
        while let transmission = resolver.nextTransmission(now: now) {
            var bytes = transmission.bytes
            if case .stream = transmission.transport {
                #expect(Int(bytes[0]) << 8 | Int(bytes[1]) == bytes.count - 2)
                bytes.removeFirst(2)
            }
            var reader = ByteReader(bytes.span)
            all.append(Sent(transmission: transmission, message: try DNSMessage(parsing: &reader)))
        }
        return all
    }

    func answer(_ sent: Sent, _ answers: [DNSRecord], code: DNSResponseCode = .success, authorities: [DNSRecord] = []) -> DNSMessage {
        var message = DNSMessage(identifier: sent.message.identifier)
        message.isResponse = true
        message.questions = sent.message.questions
        message.responseCode = code
        message.answers = answers
        message.authorities = authorities
        return message
    }

    mutating func deliver(_ message: DNSMessage, to sent: Sent, from source: SocketAddress? = nil) {
        let bytes = message.bytes()
        switch sent.transmission.transport {
        case .datagram(let port):
            resolver.handle(
                ByteReader(bytes.span).unread, from: source ?? sent.transmission.destination, toPort: port, now: now)
        case .multicast:
            resolver.handle(ByteReader(bytes.span).unread, from: source ?? SocketAddress("10.0.0.7:5353")!, toPort: 5353, now: now)
        case .stream(let identifier): resolver.handle(stream: ByteReader(bytes.span).unread, of: identifier, now: now)
        }
        collect()
    }

    mutating func reply(_ sent: Sent, _ answers: [DNSRecord], code: DNSResponseCode = .success, authorities: [DNSRecord] = []) {
        deliver(answer(sent, answers, code: code, authorities: authorities), to: sent)
    }

    mutating func collect() {
        while let completion = resolver.nextCompletion() { results[completion.identifier] = completion.result }
    }

    /// Moves to the next deadline.
    mutating func wait() throws {
        now = try need(resolver.nextDeadline)
        resolver.tick(now: now)
        collect()
    }
}

func addresses(_ outcome: LookUpOutcome) -> [String]? {
    if case .addresses(let addresses) = outcome { addresses.map(\.description) } else { nil }
}

func failure(_ outcome: LookUpOutcome) -> ResolverError? {
    if case .failed(let error) = outcome { error } else { nil }
}

extension Result<[IPAddress], ResolverError> {
    var texts: [String]? { if case .success(let addresses) = self { addresses.map(\.description) } else { nil } }
    var error: ResolverError? { if case .failure(let error) = self { error } else { nil } }
}
