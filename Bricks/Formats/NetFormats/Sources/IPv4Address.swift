import Bytes

/// An IPv4 address; 127.0.0.1 is 0x7f000001.
public struct IPv4Address: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = 4
    public static let unspecified = IPv4Address(rawValue: 0)
    public static let loopback = IPv4Address(rawValue: 0x7f00_0001)
    public static let broadcast = IPv4Address(rawValue: 0xffff_ffff)

    public var rawValue: UInt32

    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        rawValue = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    /// "192.0.2.1", four decimal numbers without leading zeros; nil for any other form.
    public init?(parsing utf8: Span<UInt8>) {
        var reader = TextReader(utf8)
        guard let address = reader.ipv4Address(), reader.isAtEnd else { return nil }
        self = address
    }

    public init?(_ text: String) { self.init(parsing: Array(text.utf8).span) }

    @inlinable
    public init(parsing reader: inout ByteReader) throws(FormatError) { rawValue = try reader.read(UInt32.self, .big) }

    @inlinable
    public func write(into writer: inout ByteWriter) throws(FormatError) { try writer.write(rawValue, .big) }

    /// 127.0.0.0/8, RFC 1122 §3.2.1.3.
    @inlinable public var isLoopback: Bool { rawValue >> 24 == 127 }
    /// 224.0.0.0/4, RFC 5771.
    @inlinable public var isMulticast: Bool { rawValue >> 28 == 0xe }
    /// 169.254.0.0/16, RFC 3927.
    @inlinable public var isLinkLocal: Bool { rawValue >> 16 == 0xa9fe }
    @inlinable public var isUnspecified: Bool { rawValue == 0 }
    /// 255.255.255.255, RFC 919 §7. A network's own broadcast address is its prefix's.
    @inlinable public var isBroadcast: Bool { rawValue == 0xffff_ffff }
    /// RFC 1918 §3.
    public var isPrivate: Bool { rawValue >> 24 == 10 || rawValue >> 20 == 0xac1 || rawValue >> 16 == 0xc0a8 }
    /// 240.0.0.0/4 without 255.255.255.255, RFC 1112 §4.
    @inlinable public var isReserved: Bool { rawValue >> 28 == 0xf && !isBroadcast }

    public var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return text.asText
    }

    func append(to text: inout [UInt8]) {
        for index in 0..<4 {
            if index > 0 { text.append(UInt8(ascii: ".")) }
            text.append(decimal: rawValue >> UInt32(24 - index * 8) & 0xff)
        }
    }
}

extension TextReader {
    @_lifetime(self: copy self)
    mutating func ipv4Address() -> IPv4Address? {
        var value: UInt32 = 0
        for index in 0..<4 {
            if index > 0, !skip(".") { return nil }
            guard let octet = decimal(limit: 255, digitLimit: 3) else { return nil }
            value = value << 8 | UInt32(octet)
        }
        return IPv4Address(rawValue: value)
    }
}
