/// A device named on the kernel's command line: `virtio_mmio.device=SIZE@BASE:IRQ[:ID]`, as Linux has it
/// (Documentation/admin-guide/kernel-parameters.txt).
public struct MMIODeviceParameter: Equatable, Sendable {
    public let base: UInt64
    public let interrupt: UInt32

    public static let prefix: StaticString = "virtio_mmio.device="

    /// The parameter in `token`, or nil if it is not well-formed. SIZE (K, M and G allowed) must hold the registers.
    public init?(parsing token: borrowing Span<UInt8>, from start: Int) {
        var at = start
        guard var byteCount = Self.number(token, &at) else { return nil }
        if at < token.count {
            switch token[at] | 0x20 {
            case UInt8(ascii: "k"): byteCount &<<= 10
            case UInt8(ascii: "m"): byteCount &<<= 20
            case UInt8(ascii: "g"): byteCount &<<= 30
            default: at -= 1
            }
            at += 1
        }
        guard byteCount >= UInt64(VirtioMMIO.byteCount), Self.skip(UInt8(ascii: "@"), token, &at) else { return nil }
        guard let base = Self.number(token, &at), Self.skip(UInt8(ascii: ":"), token, &at) else { return nil }
        guard let interrupt = Self.number(token, &at), interrupt <= 0xffff else { return nil }
        guard at == token.count || token[at] == UInt8(ascii: ":") else { return nil }
        self.base = base
        self.interrupt = UInt32(truncatingIfNeeded: interrupt)
    }

    private static func skip(_ byte: UInt8, _ token: borrowing Span<UInt8>, _ at: inout Int) -> Bool {
        guard at < token.count, token[at] == byte else { return false }
        at += 1
        return true
    }

    /// Decimal, or hexadecimal after `0x`; below 2^60.
    private static func number(_ token: borrowing Span<UInt8>, _ at: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var base: UInt64 = 10
        if at + 2 < token.count, token[at] == UInt8(ascii: "0"), token[at + 1] | 0x20 == UInt8(ascii: "x") {
            base = 16
            at += 2
        }
        let first = at
        while at < token.count, let digit = hexadecimalDigit(token[at]), digit < base {
            guard value >> 56 == 0 else { return nil }
            value = value * base + UInt64(digit)
            at += 1
        }
        return at > first ? value : nil
    }
}

/// The value of an ASCII hexadecimal digit of either case, or nil.
public func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    let digit = byte &- UInt8(ascii: "0")
    if digit < 10 { return digit }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter + 10 : nil
}
