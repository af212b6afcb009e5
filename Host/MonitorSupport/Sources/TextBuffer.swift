/// One line of text in a buffer of fixed size: what does not fit is left out.
public struct TextBuffer {
    public static let capacity = 4096
    var storage = InlineArray<4096, UInt8>(repeating: 0)
    public internal(set) var byteCount = 0

    public init() {}

    public var bytes: Span<UInt8> {
        @_lifetime(borrow self) get { storage.span.extracting(first: byteCount) }
    }

    public mutating func append(byte: UInt8) {
        guard byteCount < Self.capacity else { return }
        storage[byteCount] = byte
        byteCount += 1
    }

    public mutating func append(decimal value: UInt64) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(byte: UInt8(truncatingIfNeeded: 0x30 + value / divisor % 10))
            divisor /= 10
        }
    }

    /// With 0x, without leading zeros.
    public mutating func append(hexadecimal value: UInt64) {
        append("0x")
        var shift = 60
        while shift > 0 && value >> shift == 0 { shift -= 4 }
        while shift >= 0 {
            append(digit: UInt8(truncatingIfNeeded: value >> shift) & 15)
            shift -= 4
        }
    }

    /// RFC 3986 §2.1: all but the unreserved characters are encoded.
    public mutating func append(percentEncoded byte: UInt8) {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: append(byte: byte)
        default:
            append(byte: 0x25)
            append(digit: byte >> 4)
            append(digit: byte & 15)
        }
    }

    private mutating func append(digit: UInt8) {
        append(byte: digit < 10 ? 0x30 + digit : 0x61 - 10 + digit)
    }
}
