extension IPv6Address: CustomStringConvertible {
    /// RFC 4291 §2.2, all three forms; no zone; nil for any other form.
    public init?(parsing utf8: Span<UInt8>) {
        var reader = TextReader(utf8)
        guard let address = reader.ipv6Address(), reader.isAtEnd else { return nil }
        self = address
    }

    public init?(_ text: String) { self.init(parsing: Array(text.utf8).span) }

    /// The canonical form, RFC 5952 §4.
    public var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return text.asText
    }

    func append(to text: inout [UInt8]) {
        if let address = mappedIPv4 {
            // RFC 5952 §5: a known prefix is followed by the dotted form.
            for character in "::ffff:".utf8 { text.append(character) }
            return address.append(to: &text)
        }
        let gap = longestZeroRun
        for index in 0..<8 {
            if gap.contains(index) {
                if index == gap.lowerBound { text.append(UInt8(ascii: ":")) }
                if index == 7 { text.append(UInt8(ascii: ":")) }
                continue
            }
            if index > 0 { text.append(UInt8(ascii: ":")) }
            text.append(hexadecimal: UInt64(group(index)))
        }
    }

    /// The first longest run of two zero groups or more, or an empty range behind the end (RFC 5952 §4.2).
    private var longestZeroRun: Range<Int> {
        var best = 8..<8
        var start = 0
        for index in 0..<8 {
            if group(index) != 0 { start = index + 1 }
            if index + 1 - start > max(best.count, 1) { best = start..<index + 1 }
        }
        return best
    }
}

extension TextReader {
    /// What stands here, up to a character that cannot belong to it.
    @_lifetime(self: copy self)
    mutating func ipv6Address() -> IPv6Address? {
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        var gap: Int?
        if next == UInt8(ascii: ":") {
            guard skip(":"), skip(":") else { return nil }
            gap = 0
        }
        while count < 8 {
            let start = offset
            guard let value = hexadecimal(digitLimit: 4) else {
                // Only "::" may end an address without a group.
                guard gap == count, offset == start else { return nil }
                break
            }
            if next == UInt8(ascii: "."), count <= 6 {
                offset = start
                guard let address = ipv4Address() else { return nil }
                groups[count] = UInt16(truncatingIfNeeded: address.rawValue >> 16)
                groups[count + 1] = UInt16(truncatingIfNeeded: address.rawValue)
                count += 2
                break
            }
            groups[count] = UInt16(truncatingIfNeeded: value)
            count += 1
            guard count < 8, next == UInt8(ascii: ":") else { break }
            offset += 1
            if skip(":") {
                guard gap == nil else { return nil }
                gap = count
            }
        }
        return Self.address(groups, count, gap)
    }

    private static func address(_ groups: InlineArray<8, UInt16>, _ count: Int, _ gap: Int?) -> IPv6Address? {
        // "::" stands for one group at least.
        guard gap == nil ? count == 8 : count < 8 else { return nil }
        let missing = 8 - count
        var address = IPv6Address.unspecified
        for index in 0..<count {
            let place = index < gap ?? 8 ? index : index + missing
            let value = UInt64(groups[index]) << UInt64(48 - (place & 3) * 16)
            if place < 4 { address.high |= value } else { address.low |= value }
        }
        return address
    }
}
