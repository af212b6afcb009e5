import Bytes

/// An Ethernet address: the low 48 bits, the first octet highest.
public struct MACAddress: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = 6
    public static let broadcast = MACAddress(rawValue: 0xffff_ffff_ffff)

    public var rawValue: UInt64

    /// Bits above the lowest 48 are dropped.
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue & 0xffff_ffff_ffff }

    /// "52:54:00:12:34:56"; nil for any other form.
    public init?(parsing utf8: Span<UInt8>) {
        var reader = TextReader(utf8)
        var value: UInt64 = 0
        for index in 0..<Self.byteCount {
            if index > 0, !reader.skip(":") { return nil }
            guard let octet = reader.hexadecimal(digitLimit: 2) else { return nil }
            value = value << 8 | UInt64(octet)
        }
        guard reader.isAtEnd else { return nil }
        rawValue = value
    }

    public init?(_ text: String) { self.init(parsing: Array(text.utf8).span) }

    @inlinable
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        let high = try reader.read(UInt16.self, .big)
        rawValue = UInt64(high) << 32 | UInt64(try reader.read(UInt32.self, .big))
    }

    @inlinable
    public func write(into writer: inout ByteWriter) throws(FormatError) {
        try writer.write(UInt16(truncatingIfNeeded: rawValue >> 32), .big)
        try writer.write(UInt32(truncatingIfNeeded: rawValue), .big)
    }

    /// The I/G bit: a group address, broadcast included (IEEE 802-2014 §8.2.2).
    @inlinable public var isMulticast: Bool { rawValue >> 40 & 1 != 0 }
    /// The U/L bit: given by the one who runs the network.
    @inlinable public var isLocallyAdministered: Bool { rawValue >> 40 & 2 != 0 }
    @inlinable public var isBroadcast: Bool { rawValue == 0xffff_ffff_ffff }
    @inlinable public var isUnspecified: Bool { rawValue == 0 }

    /// The octet at `index`, the first one sent being 0.
    @inlinable public func octet(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < Self.byteCount)
        return UInt8(truncatingIfNeeded: rawValue >> UInt64(40 - index * 8))
    }

    public var description: String {
        var text: [UInt8] = []
        for index in 0..<Self.byteCount {
            if index > 0 { text.append(UInt8(ascii: ":")) }
            text.append(hexadecimal: UInt64(octet(index)), digitCount: 2)
        }
        return text.asText
    }
}

extension MACAddress {
    /// The group's Ethernet address (RFC 1112 §6.4).
    public init(multicast group: IPv4Address) { self.init(rawValue: 0x0100_5e00_0000 | UInt64(group.rawValue & 0x7f_ffff)) }

    /// The group's Ethernet address (RFC 2464 §7).
    public init(multicast group: IPv6Address) { self.init(rawValue: 0x3333_0000_0000 | (group.low & 0xffff_ffff)) }
}
