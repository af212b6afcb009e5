/// A domain name: labels of any bytes, compared without regard to the case of ASCII letters (RFC 1035 §2.3.3, RFC 4343 §3).
public struct DNSName: Sendable {
    /// With the length bytes and the root's, RFC 1035 §3.1.
    public static let byteCountLimit = 255
    public static let labelByteCountLimit = 63
    public static let root = DNSName(wire: [0])

    /// The encoding of RFC 1035 §3.1, without compression: each label behind its length, then a zero.
    public let wire: [UInt8]

    init(wire: [UInt8]) { self.wire = wire }

    /// "www.example.org", with or without a last dot; "." is the root. Nil if a label is empty or too long, and for a backslash:
    /// escapes (RFC 1035 §5.1) are not understood.
    public init?(parsing utf8: Span<UInt8>) {
        var end = utf8.count
        if end > 0, utf8[end - 1] == UInt8(ascii: ".") { end -= 1 }
        guard utf8.count > 0, end < Self.byteCountLimit - 1 else { return nil }
        var wire: [UInt8] = []
        wire.reserveCapacity(end + 2)
        var start = 0
        while start < end {
            var stop = start
            while stop < end, utf8[stop] != UInt8(ascii: ".") {
                if utf8[stop] == UInt8(ascii: "\\") { return nil }
                stop += 1
            }
            guard stop > start, stop - start <= Self.labelByteCountLimit else { return nil }
            wire.append(UInt8(stop - start))
            for index in start..<stop { wire.append(utf8[index]) }
            start = stop + 1
        }
        // A dot at the end of what is left was the second one.
        if end > 0, utf8[end - 1] == UInt8(ascii: ".") { return nil }
        wire.append(0)
        self.wire = wire
    }

    public init?(_ text: String) { self.init(parsing: Array(text.utf8).span) }

    public var byteCount: Int { wire.count }
    public var isRoot: Bool { wire.count == 1 }

    public var labelCount: Int {
        var count = 0
        var at = 0
        while wire[at] != 0 {
            at += 1 + Int(wire[at])
            count += 1
        }
        return count
    }

    /// `self.suffix`; nil if that is too long.
    public func appending(_ suffix: DNSName) -> DNSName? {
        guard wire.count - 1 + suffix.wire.count <= Self.byteCountLimit else { return nil }
        return DNSName(wire: wire.dropLast() + suffix.wire)
    }

    /// Without the first label; nil for the root.
    public var parent: DNSName? { isRoot ? nil : DNSName(wire: Array(wire[(1 + Int(wire[0]))...])) }

    /// Whether this name is `suffix` or below it.
    public func isWithin(_ suffix: DNSName) -> Bool {
        var at = 0
        while wire.count - at > suffix.wire.count { at += 1 + Int(wire[at]) }
        return Self.areEqual(wire[at...], suffix.wire[...])
    }

    /// ASCII letters in lower case; length bytes are below them.
    static func lower(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }

    static func areEqual(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        for offset in 0..<a.count where lower(a[a.startIndex + offset]) != lower(b[b.startIndex + offset]) { return false }
        return true
    }
}

extension DNSName: Hashable {
    public static func == (a: DNSName, b: DNSName) -> Bool { areEqual(a.wire[...], b.wire[...]) }

    public func hash(into hasher: inout Hasher) {
        for byte in wire { hasher.combine(Self.lower(byte)) }
    }
}

extension DNSName: CustomStringConvertible {
    /// Without a last dot; bytes that are not visible ASCII, dots and backslashes as in RFC 1035 §5.1.
    public var description: String {
        guard !isRoot else { return "." }
        var text: [UInt8] = []
        var at = 0
        while wire[at] != 0 {
            if at > 0 { text.append(UInt8(ascii: ".")) }
            for byte in wire[(at + 1)...(at + Int(wire[at]))] { Self.append(byte, to: &text) }
            at += 1 + Int(wire[at])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func append(_ byte: UInt8, to text: inout [UInt8]) {
        if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "\\") {
            text.append(UInt8(ascii: "\\"))
            text.append(byte)
        } else if byte > 0x20 && byte < 0x7f {
            text.append(byte)
        } else {
            text.append(UInt8(ascii: "\\"))
            for divisor in [100, 10, 1] as [UInt8] { text.append(UInt8(ascii: "0") + byte / divisor % 10) }
        }
    }
}
