import DNSFormat
import NetFormats

/// A port of the host that leads to the instance: `[HOST_IP:]HOST_PORT:GUEST_PORT[/tcp|/udp]`.
public struct PublishedPort: Equatable, Sendable {
    public enum Transport: Equatable, Sendable { case tcp, udp }

    /// Nil: all addresses, of IPv4 and IPv6.
    public var hostAddress: IPAddress?
    public var hostPort: UInt16
    public var guestPort: UInt16
    public var transport: Transport

    public init(hostAddress: IPAddress? = nil, hostPort: UInt16, guestPort: UInt16, transport: Transport = .tcp) {
        self.hostAddress = hostAddress
        self.hostPort = hostPort
        self.guestPort = guestPort
        self.transport = transport
    }

    /// An IPv6 address stands in brackets. Nil for any other form, and for port 0.
    public init?(_ text: String) {
        var rest = text[...]
        transport = .tcp
        if rest.hasSuffix("/udp") { transport = .udp }
        if rest.hasSuffix("/udp") || rest.hasSuffix("/tcp") { rest = rest.dropLast(4) }
        guard let last = rest.lastIndex(of: ":"), let guest = Self.port(rest[rest.index(after: last)...]) else { return nil }
        guestPort = guest
        rest = rest[..<last]
        guard let middle = rest.lastIndex(of: ":") else {
            guard let host = Self.port(rest) else { return nil }
            hostPort = host
            return
        }
        guard let host = Self.port(rest[rest.index(after: middle)...]) else { return nil }
        hostPort = host
        var name = rest[..<middle]
        let isBracketed = name.hasPrefix("[") && name.hasSuffix("]")
        if isBracketed { name = name.dropFirst().dropLast() }
        guard let address = IPAddress(String(name)), address.isIPv6 == isBracketed else { return nil }
        hostAddress = address
    }

    private static func port(_ text: Substring) -> UInt16? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { return nil }
        return UInt16(text).flatMap { $0 == 0 ? nil : $0 }
    }
}

/// How a frame travels on the instance's socket: one message each.
public enum InstanceFraming: Sendable {
    /// Behind a `VirtioNetHeader`; checksums are left to the other side and segments may be up to 64 KiB, both ways.
    case virtio
    /// Ethernet alone, complete, at most the MTU: QEMU's `-netdev dgram`.
    case plain
}

/// What a user network is to be.
public struct UserNetworkConfiguration: Sendable {
    /// Where an instance may send.
    public enum Reach: Sendable {
        case everywhere
        /// To this machine, by the gateway's address.
        case host
        /// To nobody: clients of published ports are answered.
        case nobody
    }

    public var reach = Reach.everywhere
    public var framing = InstanceFraming.virtio
    /// Of IP, on the instance's link.
    public var maximumTransmissionUnit = 1500
    /// Names answered here, before the host's servers are asked.
    public var hosts: [(name: DNSName, addresses: [IPAddress])] = []
    /// Told to the instance.
    public var searchDomains: [DNSName] = []
    /// The host's servers; empty: those of /etc/resolv.conf.
    public var nameServers: [SocketAddress] = []

    public init() {}
}

/// The addresses of a user network. Only the instance and the gateway are on it.
public enum UserNetworkLayout {
    /// Leads to the host's loopback.
    public static let gateway = IPv4Address(10, 0, 2, 2)
    public static let nameServer = IPv4Address(10, 0, 2, 3)
    public static let instance = IPv4Address(10, 0, 2, 15)
    public static let prefix = IPv4Prefix(address: IPv4Address(10, 0, 2, 0), length: 24)
    /// Unique local (RFC 4193); leads to the host's loopback.
    public static let gateway6 = IPv6Address(high: prefix6.address.high, low: 2)
    public static let nameServer6 = IPv6Address(high: prefix6.address.high, low: 3)
    public static let prefix6 = IPv6Prefix(address: IPv6Address(high: 0xfd42_0b12_6971_0000, low: 0), length: 64)
    /// The router's link-local address.
    public static let router6 = IPv6Address(high: 0xfe80_0000_0000_0000, low: 2)
    public static let gatewayHardware = MACAddress(rawValue: 0x0242_0a00_0202)
}
