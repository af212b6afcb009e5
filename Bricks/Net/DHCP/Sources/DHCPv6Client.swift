import DHCPFormat
import DNSFormat
import NetFormats
import Random
import Time

/// What a stateless server tells.
public struct DHCPv6Information: Equatable, Sendable {
    public var nameServers: [IPv6Address]
    public var searchDomains: [DNSName]
}

/// Asks for configuration without addresses, and again when it gets old: RFC 8415 §18.2.6.
///
/// Messages go from the link-local address to `DHCPv6Message.servers`.
public struct DHCPv6Client: Sendable {
    /// §7.6: INF_TIMEOUT, INF_MAX_RT.
    static let firstWait = Duration.seconds(1)
    static let lastWait = Duration.seconds(3600)
    /// §7.6: IRT_DEFAULT, IRT_MINIMUM.
    static let refreshDefault = Duration.seconds(86_400)
    static let refreshMinimum = Duration.seconds(600)

    enum State {
        /// The wait after the last request, zero before the first.
        case asking(wait: Duration)
        case informed
    }

    let identifier: [UInt8]
    var state = State.asking(wait: .zero)
    var transactionIdentifier: UInt32 = 0
    var begun: Instant
    var random: SplitMix
    public private(set) var nextDeadline: Instant

    /// The first `tick` sends; the random delay of §18.2.6 is left out, one instance starts alone.
    public init(hardware: MACAddress, entropy: UInt64, now: Instant) {
        identifier = DHCPv6Message.identifier(hardware)
        begun = now
        nextDeadline = now
        random = SplitMix(state: entropy)
    }

    /// The message to send now, if there is one.
    public mutating func tick(now: Instant) -> [UInt8]? {
        guard now >= nextDeadline else { return nil }
        var wait = Duration.zero
        switch state {
        case .informed: begun = now
        case .asking(let last): wait = last
        }
        if wait == .zero {
            begun = now
            transactionIdentifier = UInt32(truncatingIfNeeded: random.next()) & 0xff_ffff
        }
        // §15: doubled, with a tenth more or less.
        let whole = wait == .zero ? Self.firstWait : min(wait * 2, Self.lastWait)
        state = .asking(wait: whole)
        nextDeadline = now.advanced(by: whole / 1000 * Int(900 + random.next() % 201))
        var message = DHCPv6Message(.informationRequest, transactionIdentifier: transactionIdentifier)
        message.clientIdentifier = identifier
        message.elapsed = begun.duration(to: now)
        // Name servers, search list, refresh time.
        message.optionRequests = [23, 24, 32]
        return message.bytes
    }

    /// A message that came to the client's port.
    public mutating func handle(_ message: DHCPv6Message, now: Instant) -> DHCPv6Information? {
        guard case .asking = state, message.kind == .reply, message.transactionIdentifier == transactionIdentifier,
            message.clientIdentifier == identifier, !message.serverIdentifier.isEmpty, message.status == 0
        else { return nil }
        state = .informed
        nextDeadline = now.advanced(by: max(message.informationRefreshTime ?? Self.refreshDefault, Self.refreshMinimum))
        return DHCPv6Information(nameServers: message.nameServers, searchDomains: message.searchDomains)
    }
}
