import Bytes

/// An IPv6 address (RFC 4291), the first 64 bits in `high`.
public struct IPv6Address: Hashable, Sendable {
    public static let byteCount = 16
    public static let unspecified = IPv6Address(high: 0, low: 0)
    public static let loopback = IPv6Address(high: 0, low: 1)
    /// ff02::1, RFC 4291 §2.7.1.
    public static let allNodes = IPv6Address(high: 0xff02_0000_0000_0000, low: 1)
    /// ff02::2, RFC 4291 §2.7.1.
    public static let allRouters = IPv6Address(high: 0xff02_0000_0000_0000, low: 2)

    public var high: UInt64
    public var low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    @inlinable
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        high = try reader.read(UInt64.self, .big)
        low = try reader.read(UInt64.self, .big)
    }

    @inlinable
    public func write(into writer: inout ByteWriter) throws(FormatError) {
        try writer.write(high, .big)
        try writer.write(low, .big)
    }

    @inlinable public var isUnspecified: Bool { high == 0 && low == 0 }
    @inlinable public var isLoopback: Bool { high == 0 && low == 1 }
    /// ff00::/8, RFC 4291 §2.7.
    @inlinable public var isMulticast: Bool { high >> 56 == 0xff }
    /// fe80::/10, RFC 4291 §2.5.6.
    @inlinable public var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }
    /// fc00::/7, RFC 4193 §3.1.
    @inlinable public var isUniqueLocal: Bool { high >> 57 == 0xfc >> 1 }
    /// A group that never leaves the link or the node (scope 1 or 2, RFC 4291 §2.7).
    @inlinable public var isLinkLocalMulticast: Bool { isMulticast && (1...2).contains(high >> 48 & 0xf) }

    /// The address inside ::ffff:0:0/96, RFC 4291 §2.5.5.2.
    public var mappedIPv4: IPv4Address? {
        high == 0 && low >> 32 == 0xffff ? IPv4Address(rawValue: UInt32(truncatingIfNeeded: low)) : nil
    }

    /// ::ffff:a.b.c.d, RFC 4291 §2.5.5.2.
    public init(mapped address: IPv4Address) { self.init(high: 0, low: 0xffff_0000_0000 | UInt64(address.rawValue)) }

    /// The group whose members share this address's low 24 bits: ff02::1:ff00:0/104, RFC 4291 §2.7.1.
    public var solicitedNodeMulticast: IPv6Address {
        IPv6Address(high: 0xff02_0000_0000_0000, low: 0x1_ff00_0000 | (low & 0xff_ffff))
    }

    /// Modified EUI-64 (RFC 4291 appendix A) behind a 64-bit prefix.
    public init(prefix: UInt64, interface: MACAddress) {
        let mac = interface.rawValue
        self.init(high: prefix, low: ((mac >> 24) << 40 | 0xff_fe00_0000 | (mac & 0xff_ffff)) ^ 1 << 57)
    }

    /// fe80::/64 with the link's modified EUI-64, RFC 4291 §2.5.6.
    public init(linkLocal interface: MACAddress) { self.init(prefix: 0xfe80_0000_0000_0000, interface: interface) }

    /// The 16 bits at `index` of eight.
    @inlinable
    public func group(_ index: Int) -> UInt16 {
        precondition(index >= 0 && index < 8)
        return UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - (index & 3) * 16))
    }
}
