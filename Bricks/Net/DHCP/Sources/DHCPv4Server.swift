import DHCPFormat
import DNSFormat
import NetFormats
import Time

/// An answer, to be sent from the server's port to the client's.
public struct DHCPv4Reply: Equatable, Sendable {
    public var message: DHCPv4Message
    public var destination: IPv4Address
    /// The client cannot answer ARP yet: the frame goes here.
    public var hardware: MACAddress
}

/// A server with a small pool, for one link without relays: RFC 2131 §4.3.
public struct DHCPv4Server: Sendable {
    public struct Configuration: Sendable {
        public var address: IPv4Address
        public var prefix: IPv4Prefix
        /// The first address given away; the others follow it.
        public var firstAddress: IPv4Address
        /// 1 to `addressLimit`.
        public var addressCount: Int
        public var leaseTime = Duration.seconds(86_400)
        public var routers: [IPv4Address] = []
        public var nameServers: [IPv4Address] = []
        public var searchDomains: [DNSName] = []
        public var interfaceMTU: UInt16?

        public init(address: IPv4Address, prefix: IPv4Prefix, firstAddress: IPv4Address, addressCount: Int) {
            self.address = address
            self.prefix = prefix
            self.firstAddress = firstAddress
            self.addressCount = addressCount
        }
    }

    struct Binding {
        var client: [UInt8]
        var expiry: Instant
    }

    public static let addressLimit = 64
    /// An offer holds its address for this long.
    static let offerTime = Duration.seconds(60)

    let configuration: Configuration
    /// By the address' place in the pool.
    private var bindings: [Binding?]

    /// Traps unless the pool has 1 to `addressLimit` addresses.
    public init(configuration: Configuration) {
        precondition((1...Self.addressLimit).contains(configuration.addressCount))
        self.configuration = configuration
        bindings = Array(repeating: nil, count: configuration.addressCount)
    }

    /// A message that came to the server's port.
    public mutating func handle(_ message: DHCPv4Message, now: Instant) -> DHCPv4Reply? {
        guard message.relay.isUnspecified else { return nil }
        let client = Self.client(message)
        switch message.kind {
        case .discover:
            guard let index = place(for: client, wanting: message.options.requestedAddress, now) else { return nil }
            // A longer lease that the client still has is not shortened.
            let expiry = max(now.advanced(by: Self.offerTime), bindings[index]?.expiry ?? .start)
            bindings[index] = Binding(client: client, expiry: expiry)
            return reply(.offer, to: message, address(index))
        case .request: return request(message, client, now)
        case .inform: return reply(.acknowledge, to: message, nil)
        case .release, .decline:
            if let index = bindings.firstIndex(where: { $0?.client == client }) { bindings[index] = nil }
            return nil
        case .offer, .acknowledge, .refuse: return nil
        }
    }

    /// §4.3.2: for an offer of ours; or for an address that the client has or believes to have.
    private mutating func request(_ message: DHCPv4Message, _ client: [UInt8], _ now: Instant) -> DHCPv4Reply? {
        if let server = message.options.serverIdentifier, server != configuration.address { return nil }
        let wanted = message.options.requestedAddress ?? message.clientAddress
        guard let index = place(for: client, wanting: wanted, now), address(index) == wanted else {
            return reply(.refuse, to: message, nil)
        }
        bindings[index] = Binding(client: client, expiry: now.advanced(by: configuration.leaseTime))
        return reply(.acknowledge, to: message, wanted)
    }

    /// §4.3.1: the client's own address, then the one it wants, then a free one.
    private func place(for client: [UInt8], wanting wanted: IPv4Address?, _ now: Instant) -> Int? {
        if let own = bindings.firstIndex(where: { $0?.client == client }) { return own }
        if let wanted {
            let index = Int(wanted.rawValue) - Int(configuration.firstAddress.rawValue)
            if bindings.indices.contains(index), isFree(index, now) { return index }
        }
        return bindings.indices.first { isFree($0, now) }
    }

    private func isFree(_ index: Int, _ now: Instant) -> Bool { bindings[index].map { $0.expiry <= now } ?? true }

    private func address(_ index: Int) -> IPv4Address {
        IPv4Address(rawValue: configuration.firstAddress.rawValue &+ UInt32(truncatingIfNeeded: index))
    }

    /// §4.2: its identifier, else its hardware address.
    private static func client(_ message: DHCPv4Message) -> [UInt8] {
        message.options.clientIdentifier.isEmpty
            ? [1] + (0..<MACAddress.byteCount).map { message.clientHardware.octet($0) } : message.options.clientIdentifier
    }

    private func reply(_ kind: DHCPv4Message.Kind, to message: DHCPv4Message, _ granted: IPv4Address?) -> DHCPv4Reply {
        var answer = DHCPv4Message(kind, transactionIdentifier: message.transactionIdentifier, clientHardware: message.clientHardware)
        answer.isBroadcast = message.isBroadcast
        answer.options.serverIdentifier = configuration.address
        if kind != .refuse {
            if let granted {
                answer.yourAddress = granted
                answer.options.leaseTime = configuration.leaseTime
            }
            answer.clientAddress = message.clientAddress
            answer.options.subnetMask = configuration.prefix.mask
            answer.options.routers = configuration.routers
            answer.options.nameServers = configuration.nameServers
            answer.options.searchDomains = configuration.searchDomains
            answer.options.interfaceMTU = configuration.interfaceMTU
        }
        // §4.1: where the client can hear it.
        let unicast = message.clientAddress.isUnspecified ? granted : message.clientAddress
        let isBroadcast = kind == .refuse || message.isBroadcast && message.clientAddress.isUnspecified
        return DHCPv4Reply(
            message: answer, destination: isBroadcast ? .broadcast : unicast ?? .broadcast,
            hardware: isBroadcast ? .broadcast : message.clientHardware)
    }
}
