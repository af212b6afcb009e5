/// Numbers as ASCII, without the unicode tables that `String`'s own ways need in an image.
extension [UInt8] {
    @usableFromInline
    mutating func append(decimal value: some FixedWidthInteger & UnsignedInteger) {
        if value >= 10 { append(decimal: value / 10) }
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }

    /// At least `digitCount` digits, lower case.
    mutating func append(hexadecimal value: UInt64, digitCount: Int = 1) {
        var shift = 60
        while shift > 0, shift >= digitCount * 4, value &>> UInt64(shift) == 0 { shift -= 4 }
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value &>> UInt64(shift) & 0xf)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            shift -= 4
        }
    }

    var asText: String { String(decoding: self, as: UTF8.self) }
}

/// A position in text that is parsed. Reads behind the end are zero, which no form allows.
struct TextReader: ~Escapable {
    let text: Span<UInt8>
    var offset = 0

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    var isAtEnd: Bool { offset >= text.count }
    var next: UInt8 { offset < text.count ? text[offset] : 0 }

    @_lifetime(self: copy self)
    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard !isAtEnd, next == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    /// One to `digitLimit` decimal digits, at most `limit`; no leading zero, since some read it as octal (RFC 6943 §3.1.1).
    @_lifetime(self: copy self)
    mutating func decimal(limit: Int, digitLimit: Int = 5) -> Int? {
        let start = offset
        var value = 0
        while offset - start < digitLimit, case let digit = next &- UInt8(ascii: "0"), digit < 10 {
            value = value * 10 + Int(digit)
            offset += 1
        }
        guard offset > start, value <= limit, offset == start + 1 || text[start] != UInt8(ascii: "0") else { return nil }
        guard next &- UInt8(ascii: "0") >= 10 else { return nil }
        return value
    }

    /// One to `digitLimit` hexadecimal digits of either case.
    @_lifetime(self: copy self)
    mutating func hexadecimal(digitLimit: Int) -> Int? {
        let start = offset
        var value = 0
        while let digit = Self.hexadecimalDigit(next) {
            guard offset - start < digitLimit else { return nil }
            value = value << 4 | Int(digit)
            offset += 1
        }
        return offset > start ? value : nil
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        let digit = byte &- UInt8(ascii: "0")
        if digit < 10 { return digit }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter &+ 10 : nil
    }
}
