import Bytes
import NetFormats

extension DNSName {
    /// The name at `offset` of `message`, which is moved behind it. Pointers (RFC 1035 §4.1.4) must lead backwards, each before
    /// the part it was found in: so there are no loops, and 255 bytes end the name in any case.
    public init(parsing message: RawSpan, at offset: inout Int) throws(FormatError) {
        var wire: [UInt8] = []
        var at = offset
        var partStart = offset
        var end: Int?
        while true {
            let length = try Self.byte(message, at)
            at += 1
            switch length >> 6 {
            case 0:
                guard wire.count + 1 + Int(length) <= Self.byteCountLimit - (length == 0 ? 0 : 1) else { throw .invalid }
                wire.append(length)
                if length == 0 {
                    offset = end ?? at
                    self.init(wire: wire)
                    return
                }
                for _ in 0..<Int(length) {
                    wire.append(try Self.byte(message, at))
                    at += 1
                }
            case 3:
                let target = Int(length & 0x3f) << 8 | Int(try Self.byte(message, at))
                if end == nil { end = at + 1 }
                guard target < partStart else { throw .invalid }
                partStart = target
                at = target
            default: throw .invalid
            }
        }
    }

    private static func byte(_ message: RawSpan, _ offset: Int) throws(FormatError) -> UInt8 {
        guard offset >= 0, offset < message.byteCount else { throw .truncated }
        var reader = ByteReader(message.extracting(offset..<offset + 1))
        return try reader.read(UInt8.self, .big)
    }

    /// Writes the name without compression.
    public func write(into writer: inout ByteWriter) throws(FormatError) {
        guard writer.remainingByteCount >= wire.count else { throw .full }
        for byte in wire { try writer.write(byte, .big) }
    }

    /// Names one after another without compression, then only zeros (RFC 8106 §5.2, RFC 8415 §10); at most `limit` are read.
    public static func list(_ bytes: [UInt8], limit: Int) throws(FormatError) -> [DNSName] {
        var names: [DNSName] = []
        var offset = 0
        while offset < bytes.count, names.count < limit {
            if bytes[offset] == 0 {
                offset += 1
                continue
            }
            names.append(try DNSName(parsing: ByteReader(bytes.span).unread, at: &offset))
        }
        return names
    }

    /// The name under which `address` is looked up: in-addr.arpa (RFC 1035 §3.5), ip6.arpa (RFC 3596 §2.5).
    public init(reverse address: IPAddress) {
        var wire: [UInt8] = []
        switch address {
        case .v4(let address):
            for index in 0..<4 {
                let octet = UInt8(truncatingIfNeeded: address.rawValue >> UInt32(index * 8))
                let digits = octet >= 100 ? 3 : octet >= 10 ? 2 : 1
                wire.append(UInt8(digits))
                for divisor in ([100, 10, 1] as [UInt8]).suffix(digits) { wire.append(UInt8(ascii: "0") + octet / divisor % 10) }
            }
            wire += [7] + Array("in-addr".utf8)
        case .v6(let address):
            for index in 0..<32 {
                let half = index < 16 ? address.low : address.high
                let digit = UInt8(truncatingIfNeeded: half >> UInt64(index % 16 * 4)) & 0xf
                wire.append(1)
                wire.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
            wire += [3] + Array("ip6".utf8)
        }
        self.init(wire: wire + [4] + Array("arpa".utf8) + [0])
    }
}

/// Names already written to a message, so that later ones can point at them (RFC 1035 §4.1.4).
struct DNSNameCompressor {
    /// More names than this are not remembered.
    static let nameLimit = 32

    private var names: [(name: DNSName, offset: Int)] = []

    /// Writes `name` at the place of `writer`, whose start is the message's.
    mutating func write(_ name: DNSName, into writer: inout ByteWriter) throws(FormatError) {
        let start = writer.offset
        var at = 0
        while name.wire[at] != 0 {
            if let target = place(of: name.wire[at...]) {
                guard writer.remainingByteCount >= at + 2 else { throw .full }
                for byte in name.wire[..<at] { try writer.write(byte, .big) }
                try writer.write(0xc000 | UInt16(target), .big)
                remember(name, start)
                return
            }
            at += 1 + Int(name.wire[at])
        }
        try name.write(into: &writer)
        remember(name, start)
    }

    private mutating func remember(_ name: DNSName, _ offset: Int) {
        if !name.isRoot, names.count < Self.nameLimit { names.append((name, offset)) }
    }

    /// Where a name that ends in `suffix` has it. A place beyond the first part of a remembered name that was itself compressed
    /// is not there as bytes, but then the suffix is found in the name it points at, which came earlier.
    private func place(of suffix: ArraySlice<UInt8>) -> Int? {
        for (name, offset) in names {
            let skipped = name.wire.count - suffix.count
            guard skipped >= 0, offset + skipped < 0x4000, isLabelStart(name, skipped),
                DNSName.areEqual(name.wire[skipped...], suffix)
            else { continue }
            return offset + skipped
        }
        return nil
    }

    private func isLabelStart(_ name: DNSName, _ place: Int) -> Bool {
        var at = 0
        while at < place { at += 1 + Int(name.wire[at]) }
        return at == place
    }
}
