import DHCPFormat
import DNSFormat
import NetFormats
import Random
import Time

/// A message to send from the client's port to the server's.
public struct DHCPv4Transmission: Equatable, Sendable {
    public var bytes: [UInt8]
    public var source: IPv4Address
    public var destination: IPv4Address
}

/// What a client asks of its caller.
public struct DHCPv4Actions: Equatable, Sendable {
    public enum Change: Equatable, Sendable {
        /// Configure this; it replaces what was there. Also after a renewal.
        case acquired(DHCPv4Lease)
        /// The address may not be used any more.
        case lost
    }

    public var send: DHCPv4Transmission?
    public var change: Change?

    static let none = DHCPv4Actions()
}

/// RFC 2131 §4.4, figure 5, without INIT-REBOOT: a client that always begins anew.
public struct DHCPv4Client: Sendable {
    public struct Configuration: Sendable {
        public var hardware: MACAddress
        /// Told to the server, which may put it into DNS.
        public var hostName: [UInt8]
        /// Asked for; the server decides.
        public var requestedAddress: IPv4Address?

        public init(hardware: MACAddress, hostName: [UInt8] = [], requestedAddress: IPv4Address? = nil) {
            self.hardware = hardware
            self.hostName = hostName
            self.requestedAddress = requestedAddress
        }
    }

    /// DISCOVER has been sent.
    struct Selecting {
        var attempt = 0
    }
    /// REQUEST has been sent for an offer.
    struct Requesting {
        var address: IPv4Address
        var server: IPv4Address
        var requestedAt: Instant
        var attempt = 0
    }
    /// RENEWING and REBINDING: the lease still holds.
    struct Extending {
        var lease: DHCPv4Lease
        var requestedAt: Instant
    }

    enum State {
        case selecting(Selecting)
        case requesting(Requesting)
        case bound(DHCPv4Lease)
        case renewing(Extending)
        case rebinding(Extending)
        case stopped
    }

    /// §4.1: the first wait, doubled each time up to the last one, each a second more or less.
    static let firstWait = Duration.seconds(4)
    static let lastWait = Duration.seconds(64)
    /// §3.1.5: requests for one offer.
    static let requestLimit = 4
    /// §4.4.5: between two requests for the same lease.
    static let extensionMinimum = Duration.seconds(60)
    /// Codes of the options asked for: mask, routes, router, name servers, name, domain, MTU, search list (RFC 3442: routes before
    /// routers).
    static let parameterRequests: [UInt8] = [1, 121, 3, 6, 12, 15, 26, 119]

    let configuration: Configuration
    var state: State
    /// When to send again, or when the state ends.
    var deadline: Instant
    var transactionIdentifier: UInt32 = 0
    var begun: Instant
    var random: SplitMix

    /// `entropy` must differ from machine to machine and from start to start. The first `tick` sends.
    public init(configuration: Configuration, entropy: UInt64, now: Instant) {
        self.configuration = configuration
        state = .selecting(Selecting())
        deadline = now
        begun = now
        random = SplitMix(state: entropy)
    }

    public var nextDeadline: Instant? {
        if case .stopped = state { nil } else { deadline == .distantFuture ? nil : deadline }
    }

    /// The lease, as long as it holds.
    public var lease: DHCPv4Lease? {
        switch state {
        case .bound(let lease): lease
        case .renewing(let extending), .rebinding(let extending): extending.lease
        case .selecting, .requesting, .stopped: nil
        }
    }

    public mutating func tick(now: Instant) -> DHCPv4Actions {
        if case .stopped = state { return .none }
        guard now >= deadline else { return .none }
        switch state {
        case .selecting(let selecting): return discover(selecting.attempt, now)
        case .requesting(let requesting):
            guard requesting.attempt < Self.requestLimit else { return restart(now) }
            return request(requesting, now)
        case .bound(let lease):
            // The machine may have slept through all of it.
            guard now < lease.expiry else { return expire(now) }
            return extend(Extending(lease: lease, requestedAt: now), now)
        case .renewing(let extending), .rebinding(let extending):
            guard now < extending.lease.expiry else { return expire(now) }
            return extend(extending, now)
        case .stopped: return .none
        }
    }

    /// A message that came to the client's port.
    public mutating func handle(_ message: DHCPv4Message, now: Instant) -> DHCPv4Actions {
        guard !message.isRequest, message.transactionIdentifier == transactionIdentifier, message.clientHardware == configuration.hardware
        else { return .none }
        switch state {
        case .selecting(let selecting):
            guard selecting.attempt > 0, message.kind == .offer, let server = message.options.serverIdentifier,
                DHCPv4Lease.isHost(message.yourAddress)
            else { return .none }
            return request(Requesting(address: message.yourAddress, server: server, requestedAt: now), now)
        case .requesting(let requesting):
            guard message.options.serverIdentifier == requesting.server else { return .none }
            return conclude(message, requestedAt: requesting.requestedAt, had: nil, now)
        case .renewing(let extending), .rebinding(let extending):
            return conclude(message, requestedAt: extending.requestedAt, had: extending.lease, now)
        case .bound, .stopped: return .none
        }
    }

    /// Gives the lease back and stops. The message, if there is one, is worth one try (§4.4.6).
    public mutating func release() -> DHCPv4Transmission? {
        let held = lease
        state = .stopped
        guard let held else { return nil }
        transactionIdentifier = UInt32(truncatingIfNeeded: random.next())
        var message = DHCPv4Message(.release, transactionIdentifier: transactionIdentifier, clientHardware: configuration.hardware)
        message.clientAddress = held.address
        message.options.serverIdentifier = held.server
        return DHCPv4Transmission(bytes: message.bytes, source: held.address, destination: held.server)
    }
}

extension DHCPv4Client {
    private mutating func restart(_ now: Instant) -> DHCPv4Actions {
        begun = now
        return discover(0, now)
    }

    private mutating func expire(_ now: Instant) -> DHCPv4Actions {
        var actions = restart(now)
        actions.change = .lost
        return actions
    }

    private mutating func discover(_ attempt: Int, _ now: Instant) -> DHCPv4Actions {
        // The same for each try (§4.1), so that a slow server's offer still counts.
        if attempt == 0 { transactionIdentifier = UInt32(truncatingIfNeeded: random.next()) }
        state = .selecting(Selecting(attempt: attempt + 1))
        deadline = now.advanced(by: wait(attempt))
        var message = query(.discover, now)
        message.options.requestedAddress = configuration.requestedAddress
        return send(message)
    }

    private mutating func request(_ requesting: Requesting, _ now: Instant) -> DHCPv4Actions {
        var next = requesting
        deadline = now.advanced(by: wait(next.attempt))
        next.attempt += 1
        state = .requesting(next)
        var message = query(.request, now)
        message.options.requestedAddress = next.address
        message.options.serverIdentifier = next.server
        return send(message)
    }

    /// §4.4.5: to the server until T2, to all afterwards.
    private mutating func extend(_ extending: Extending, _ now: Instant) -> DHCPv4Actions {
        let lease = extending.lease
        let isRebinding = now >= lease.rebinding
        let end = isRebinding ? lease.expiry : lease.rebinding
        if case .bound = state {
            transactionIdentifier = UInt32(truncatingIfNeeded: random.next())
            begun = now
        }
        let next = Extending(lease: lease, requestedAt: now)
        state = isRebinding ? .rebinding(next) : .renewing(next)
        deadline = min(end, now.advanced(by: max(Self.extensionMinimum, now.duration(to: end) / 2)))
        var message = query(.request, now)
        message.clientAddress = lease.address
        message.isBroadcast = false
        return DHCPv4Actions(
            send: DHCPv4Transmission(bytes: message.bytes, source: lease.address, destination: isRebinding ? .broadcast : lease.server))
    }

    /// An acknowledgment or a refusal.
    private mutating func conclude(
        _ message: DHCPv4Message, requestedAt start: Instant, had: DHCPv4Lease?, _ now: Instant
    ) -> DHCPv4Actions {
        switch message.kind {
        case .acknowledge:
            guard let lease = DHCPv4Lease(message, requestedAt: start) else { return .none }
            state = .bound(lease)
            deadline = lease.renewal
            return DHCPv4Actions(change: .acquired(lease))
        case .refuse:
            // Not at once: a server that refuses what it offers would be asked without end.
            state = .selecting(Selecting())
            begun = now
            deadline = now.advanced(by: wait(0))
            return DHCPv4Actions(change: had == nil ? nil : .lost)
        case .discover, .offer, .request, .decline, .release, .inform: return .none
        }
    }

    private func query(_ kind: DHCPv4Message.Kind, _ now: Instant) -> DHCPv4Message {
        var message = DHCPv4Message(kind, transactionIdentifier: transactionIdentifier, clientHardware: configuration.hardware)
        message.elapsed = begun.duration(to: now)
        message.isBroadcast = true
        message.options.hostName = configuration.hostName
        message.options.clientIdentifier = [1] + (0..<MACAddress.byteCount).map { configuration.hardware.octet($0) }
        message.options.messageByteCountLimit = 1472
        message.options.parameterRequests = Self.parameterRequests
        return message
    }

    private func send(_ message: DHCPv4Message) -> DHCPv4Actions {
        DHCPv4Actions(send: DHCPv4Transmission(bytes: message.bytes, source: .unspecified, destination: .broadcast))
    }

    private mutating func wait(_ attempt: Int) -> Duration {
        let whole = min(Self.firstWait * (1 << min(attempt, 4)), Self.lastWait)
        return whole - .seconds(1) + .milliseconds(Int(random.next() % 2001))
    }
}
