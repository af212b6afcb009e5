import Bytes
import DNSFormat
import NetFormats
import Time

/// What a responder sends, always from port 5353.
public struct ResponderTransmission: Equatable, Sendable {
    /// Nil: to the group of the family on the link that the question came from, or on all links if there was none.
    public var destination: SocketAddress?
    public var bytes: [UInt8]
}

/// Answers multicast DNS for one host name: RFC 6762 §6. It does not probe and defends nothing.
public struct MulticastResponder: Sendable {
    /// §10: records with a host name.
    static let lifetime = Duration.seconds(120)
    /// §6.7: for those who do not know multicast DNS.
    static let legacyLifetime = Duration.seconds(10)
    /// §6: a record is not sent to the group more often.
    static let multicastInterval = Duration.seconds(1)
    /// §8.3.
    static let announcementCount = 2

    public let name: DNSName
    /// Of the link; others are answered with the change.
    public private(set) var addresses: [IPAddress]
    private var announcementsLeft = 0
    private var nextAnnouncement = Instant.distantFuture
    private var lastMulticast: Instant?

    /// `HOST.local`; nil if `host` is not one label.
    public init?(host: Span<UInt8>) {
        guard let label = DNSName(parsing: host), label.labelCount == 1, let local = DNSName("local"), let name = label.appending(local)
        else { return nil }
        self.name = name
        addresses = []
    }

    /// New addresses are announced.
    public mutating func setAddresses(_ addresses: [IPAddress], now: Instant) {
        guard addresses != self.addresses else { return }
        self.addresses = addresses
        announcementsLeft = addresses.isEmpty ? 0 : Self.announcementCount
        nextAnnouncement = addresses.isEmpty ? .distantFuture : now
    }

    public var nextDeadline: Instant? { nextAnnouncement == .distantFuture ? nil : nextAnnouncement }

    /// An announcement that is due.
    public mutating func tick(now: Instant) -> ResponderTransmission? {
        guard now >= nextAnnouncement, announcementsLeft > 0 else { return nil }
        announcementsLeft -= 1
        nextAnnouncement = announcementsLeft > 0 ? now.advanced(by: .seconds(1)) : .distantFuture
        lastMulticast = now
        var message = response()
        message.answers = addresses.map { record($0, Self.lifetime) }
        return ResponderTransmission(destination: nil, bytes: message.bytes())
    }

    /// A datagram that came to port 5353. Responses, those of others with the same name too, are of no concern.
    public mutating func handle(_ datagram: RawSpan, from source: SocketAddress, now: Instant) -> ResponderTransmission? {
        var reader = ByteReader(datagram)
        guard let query = try? DNSMessage(parsing: &reader), !query.isResponse, query.opcode == 0, !addresses.isEmpty else { return nil }
        let mine = query.questions.filter { question in
            question.name == name && (question.recordClass == .internet || question.recordClass == .any)
        }
        guard !mine.isEmpty else { return nil }
        let isLegacy = source.port != DNSMessage.multicastPort
        let isUnicast = isLegacy || mine.allSatisfy { $0.prefersUnicast }
        var message = response()
        let lifetime = isLegacy ? Self.legacyLifetime : Self.lifetime
        for address in addresses {
            var answer = record(address, lifetime)
            if isLegacy { answer.isCacheFlush = false }
            let isAsked = mine.contains { $0.type == answer.type || $0.type == .any }
            if isAsked, !Self.isKnown(answer, query) { message.answers.append(answer) }
            if !isAsked { message.additionals.append(answer) }
        }
        if mine.contains(where: { question in [.a, .aaaa].contains(question.type) && !addresses.contains { question.type == type($0) } }) {
            message.answers.append(denial(lifetime, isCacheFlush: !isLegacy))
        }
        guard !message.answers.isEmpty else { return nil }
        if isLegacy {
            message.identifier = query.identifier
            message.questions = Array(mine.prefix(1))
        }
        if !isUnicast {
            if let lastMulticast, lastMulticast.duration(to: now) < Self.multicastInterval { return nil }
            lastMulticast = now
        }
        return ResponderTransmission(destination: isUnicast ? source : nil, bytes: message.bytes())
    }

    private func type(_ address: IPAddress) -> DNSType { address.isIPv6 ? .aaaa : .a }

    private func response() -> DNSMessage {
        var message = DNSMessage(identifier: 0)
        message.isResponse = true
        message.isAuthoritative = true
        return message
    }

    private func record(_ address: IPAddress, _ lifetime: Duration) -> DNSRecord {
        let data: DNSData =
            switch address {
            case .v4(let address): .a(address)
            case .v6(let address): .aaaa(address)
            }
        return DNSRecord(name: name, timeToLive: lifetime, data: data, isCacheFlush: true)
    }

    private func denial(_ lifetime: Duration, isCacheFlush: Bool) -> DNSRecord {
        let bytes = NegativeAnswer.bytes(name, hasA: addresses.contains { !$0.isIPv6 }, hasAAAA: addresses.contains { $0.isIPv6 })
        return DNSRecord(name: name, timeToLive: lifetime, data: .other(.nsec, bytes), isCacheFlush: isCacheFlush)
    }

    /// §7.1: the one who asks has it for half of its life at least.
    private static func isKnown(_ answer: DNSRecord, _ query: DNSMessage) -> Bool {
        query.answers.contains { $0.name == answer.name && $0.data == answer.data && $0.timeToLive * 2 >= answer.timeToLive }
    }
}
