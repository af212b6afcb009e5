/// An address of either family.
public enum IPAddress: Hashable, Sendable, CustomStringConvertible {
    case v4(IPv4Address)
    case v6(IPv6Address)

    public init?(parsing utf8: Span<UInt8>) {
        if let address = IPv4Address(parsing: utf8) {
            self = .v4(address)
        } else if let address = IPv6Address(parsing: utf8) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    public init?(_ text: String) { self.init(parsing: Array(text.utf8).span) }

    @inlinable public var isIPv6: Bool { if case .v6 = self { true } else { false } }

    @inlinable
    public var isLoopback: Bool {
        switch self {
        case .v4(let address): address.isLoopback
        case .v6(let address): address.isLoopback
        }
    }

    @inlinable
    public var isMulticast: Bool {
        switch self {
        case .v4(let address): address.isMulticast
        case .v6(let address): address.isMulticast
        }
    }

    @inlinable
    public var isLinkLocal: Bool {
        switch self {
        case .v4(let address): address.isLinkLocal
        case .v6(let address): address.isLinkLocal
        }
    }

    @inlinable
    public var isUnspecified: Bool {
        switch self {
        case .v4(let address): address.isUnspecified
        case .v6(let address): address.isUnspecified
        }
    }

    /// Bytes of the address: 4 or 16.
    @inlinable
    public var byteCount: Int {
        switch self {
        case .v4: IPv4Address.byteCount
        case .v6: IPv6Address.byteCount
        }
    }

    public var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }

    func append(to text: inout [UInt8]) {
        switch self {
        case .v4(let address): address.append(to: &text)
        case .v6(let address): address.append(to: &text)
        }
    }
}

/// One end of a connection.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    public var address: IPAddress
    public var port: UInt16
    /// The interface's index for a link-local IPv6 address, which more than one link may know; 0 elsewhere (RFC 4007 §6).
    public var zone: UInt32

    @inlinable
    public init(address: IPAddress, port: UInt16, zone: UInt32 = 0) {
        self.address = address
        self.port = port
        self.zone = zone
    }

    @inlinable
    public init(_ address: IPv4Address, port: UInt16) { self.init(address: .v4(address), port: port) }

    @inlinable
    public init(_ address: IPv6Address, port: UInt16, zone: UInt32 = 0) { self.init(address: .v6(address), port: port, zone: zone) }

    /// "192.0.2.1:80", "[2001:db8::1]:80" or "[fe80::1%2]:80" (RFC 3986 §3.2.2; the zone is a number); nil for any other form.
    public init?(parsing utf8: Span<UInt8>) {
        var reader = TextReader(utf8)
        var zone = 0
        let address: IPAddress
        if reader.skip("[") {
            guard let v6 = reader.ipv6Address() else { return nil }
            if reader.skip("%") {
                guard let number = reader.decimal(limit: Int(UInt32.max), digitLimit: 10) else { return nil }
                zone = number
            }
            guard reader.skip("]") else { return nil }
            address = .v6(v6)
        } else {
            guard let v4 = reader.ipv4Address() else { return nil }
            address = .v4(v4)
        }
        guard reader.skip(":"), let port = reader.decimal(limit: 0xffff), reader.isAtEnd else { return nil }
        self.init(address: address, port: UInt16(port), zone: UInt32(zone))
    }

    public init?(_ text: String) { self.init(parsing: Array(text.utf8).span) }

    public var description: String {
        var text: [UInt8] = []
        if address.isIPv6 { text.append(UInt8(ascii: "[")) }
        address.append(to: &text)
        if zone != 0 {
            text.append(UInt8(ascii: "%"))
            text.append(decimal: zone)
        }
        if address.isIPv6 { text.append(UInt8(ascii: "]")) }
        text.append(UInt8(ascii: ":"))
        text.append(decimal: port)
        return text.asText
    }
}
