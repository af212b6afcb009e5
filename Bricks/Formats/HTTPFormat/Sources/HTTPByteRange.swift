/// What a client asks for with `Range: bytes=…` (RFC 9110 §14.1.2), of a representation whose length is known.
public enum HTTPByteRange: Equatable, Sendable {
    /// All of it: no Range, another unit, several ranges, or one that makes no sense.
    case whole
    case part(Range<Int>)
    /// Nothing of it is there: 416.
    case unsatisfiable

    public init(_ fields: borrowing HTTPFieldSection, byteCount: Int) {
        guard let index = fields.index(of: "range") else {
            self = .whole
            return
        }
        self = Self.parse(fields, fields.valueRange(at: index), byteCount) ?? .whole
    }

    private static func parse(_ fields: borrowing HTTPFieldSection, _ value: Range<Int>, _ byteCount: Int) -> HTTPByteRange? {
        let unit = value.lowerBound..<min(value.lowerBound + 6, value.upperBound)
        guard fields.equal(unit, "bytes=".utf8.span) else { return nil }
        let set = fields.trimmed(unit.upperBound..<value.upperBound)
        var dash = set.lowerBound
        while dash < set.upperBound, fields.bytes[dash] != UInt8(ascii: "-") { dash += 1 }
        guard dash < set.upperBound else { return nil }
        let first = set.lowerBound..<dash
        let last = dash + 1..<set.upperBound
        if first.isEmpty {
            guard let count = decimal(fields.bytes, last) else { return nil }
            guard count > 0, byteCount > 0 else { return .unsatisfiable }
            return .part(max(0, byteCount - count)..<byteCount)
        }
        guard let start = decimal(fields.bytes, first) else { return nil }
        guard !last.isEmpty else { return start < byteCount ? .part(start..<byteCount) : .unsatisfiable }
        guard let end = decimal(fields.bytes, last), end >= start else { return nil }
        return start < byteCount ? .part(start..<min(end, byteCount - 1) + 1) : .unsatisfiable
    }
}

extension HTTPFieldSection {
    /// Whether `If-None-Match` names this entity tag, quotes included, or any (RFC 9110 §13.1.2: the weak comparison).
    public func matchesEntityTag(_ tag: String) -> Bool {
        let wanted = tag.utf8.span
        var next = 0
        while let index = index(of: "if-none-match", from: next) {
            let value = valueRange(at: index)
            var start = value.lowerBound
            for end in value.lowerBound...value.upperBound where end == value.upperBound || bytes[end] == HTTPCharacter.comma {
                var item = trimmed(start..<end)
                if item.count == 1, bytes[item.lowerBound] == UInt8(ascii: "*") { return true }
                if item.count > 2, bytes[item.lowerBound] == UInt8(ascii: "W"), bytes[item.lowerBound + 1] == UInt8(ascii: "/") {
                    item = item.lowerBound + 2..<item.upperBound
                }
                if isSame(item, wanted) { return true }
                start = end + 1
            }
            next = index + 1
        }
        return false
    }

    private func isSame(_ range: Range<Int>, _ wanted: Span<UInt8>) -> Bool {
        guard range.count == wanted.count else { return false }
        for offset in 0..<wanted.count where bytes[range.lowerBound + offset] != wanted[offset] { return false }
        return true
    }
}
