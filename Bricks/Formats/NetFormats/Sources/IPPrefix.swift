/// An IPv4 network with its length, or an address with the length of its network (RFC 4632 §3.1).
public struct IPv4Prefix: Hashable, Sendable, CustomStringConvertible {
    public var address: IPv4Address
    /// 0 to 32.
    public private(set) var length: Int

    /// Traps unless `length` is 0 to 32.
    public init(address: IPv4Address, length: Int) {
        precondition((0...32).contains(length))
        self.address = address
        self.length = length
    }

    /// Nil unless `mask`'s ones come first.
    public init?(address: IPv4Address, mask: IPv4Address) {
        let length = (~mask.rawValue).leadingZeroBitCount
        self.init(address: address, length: length)
        guard self.mask == mask else { return nil }
    }

    /// "10.0.2.0/24"; nil for any other form.
    public init?(parsing utf8: Span<UInt8>) {
        var reader = TextReader(utf8)
        guard let address = reader.ipv4Address(), reader.skip("/"), let length = reader.decimal(limit: 32), reader.isAtEnd else {
            return nil
        }
        self.init(address: address, length: length)
    }

    public init?(_ text: String) { self.init(parsing: Array(text.utf8).span) }

    public var mask: IPv4Address { IPv4Address(rawValue: length == 0 ? 0 : ~0 << UInt32(32 - length)) }
    public var network: IPv4Address { IPv4Address(rawValue: address.rawValue & mask.rawValue) }
    /// The network's last address, RFC 919 §7. A network of two addresses or one has none (RFC 3021): nil.
    public var broadcast: IPv4Address? { length < 31 ? IPv4Address(rawValue: address.rawValue | ~mask.rawValue) : nil }

    public func contains(_ other: IPv4Address) -> Bool { (address.rawValue ^ other.rawValue) & mask.rawValue == 0 }

    public var description: String {
        var text: [UInt8] = []
        address.append(to: &text)
        text.append(UInt8(ascii: "/"))
        text.append(decimal: UInt(length))
        return text.asText
    }
}

/// An IPv6 network with its length, or an address with the length of its network (RFC 4291 §2.3).
public struct IPv6Prefix: Hashable, Sendable, CustomStringConvertible {
    public var address: IPv6Address
    /// 0 to 128.
    public private(set) var length: Int

    /// Traps unless `length` is 0 to 128.
    public init(address: IPv6Address, length: Int) {
        precondition((0...128).contains(length))
        self.address = address
        self.length = length
    }

    /// "2001:db8::/32"; nil for any other form.
    public init?(parsing utf8: Span<UInt8>) {
        var reader = TextReader(utf8)
        guard let address = reader.ipv6Address(), reader.skip("/"), let length = reader.decimal(limit: 128), reader.isAtEnd else {
            return nil
        }
        self.init(address: address, length: length)
    }

    public init?(_ text: String) { self.init(parsing: Array(text.utf8).span) }

    public var network: IPv6Address {
        IPv6Address(high: address.high & Self.mask(length), low: address.low & Self.mask(length - 64))
    }

    public func contains(_ other: IPv6Address) -> Bool {
        (address.high ^ other.high) & Self.mask(length) == 0 && (address.low ^ other.low) & Self.mask(length - 64) == 0
    }

    /// `count` ones, then zeros; below zero none, above 64 all.
    private static func mask(_ count: Int) -> UInt64 { count <= 0 ? 0 : ~0 << UInt64(64 - min(count, 64)) }

    public var description: String {
        var text: [UInt8] = []
        address.append(to: &text)
        text.append(UInt8(ascii: "/"))
        text.append(decimal: UInt(length))
        return text.asText
    }
}
