/// A device named on the kernel's command line: `virtio_mmio.device=SIZE@BASE:IRQ[:ID]`, as Linux has it
/// (Documentation/admin-guide/kernel-parameters.txt).
public struct MMIODeviceParameter: Equatable, Sendable {
    public let base: UInt64
    public let interrupt: UInt32

    public static let prefix: StaticString = "virtio_mmio.device="

    /// What stands in `token` from `start` on, or nil if it is not well-formed. Of SIZE, whose unit may be K, M or G, only
    /// its form is looked at: a driver maps what it uses.
    public init?(parsing token: borrowing Span<UInt8>, from start: Int) {
        var at = start
        guard Self.number(token, &at) != nil else { return nil }
        switch Self.byte(token, at) | 0x20 {
        case UInt8(ascii: "k"), UInt8(ascii: "m"), UInt8(ascii: "g"): at &+= 1
        default: break
        }
        guard Self.byte(token, at) == UInt8(ascii: "@") else { return nil }
        at &+= 1
        guard let base = Self.number(token, &at), Self.byte(token, at) == UInt8(ascii: ":") else { return nil }
        at &+= 1
        guard let interrupt = Self.number(token, &at), interrupt <= 0xffff else { return nil }
        guard at == token.count || Self.byte(token, at) == UInt8(ascii: ":") else { return nil }
        self.base = base
        self.interrupt = UInt32(truncatingIfNeeded: interrupt)
    }

    /// Zero behind the end.
    private static func byte(_ token: borrowing Span<UInt8>, _ at: Int) -> UInt8 { at < token.count ? token[at] : 0 }

    /// Decimal, or hexadecimal after `0x`; below 2^60.
    @inline(never) private static func number(_ token: borrowing Span<UInt8>, _ at: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var base: UInt8 = 10
        if byte(token, at) == UInt8(ascii: "0"), byte(token, at &+ 1) | 0x20 == UInt8(ascii: "x") {
            base = 16
            at &+= 2
        }
        let first = at
        while let digit = hexadecimalDigit(byte(token, at)), digit < base {
            guard value >> 56 == 0 else { return nil }
            value = value &* UInt64(base) &+ UInt64(digit)
            at &+= 1
        }
        return at > first ? value : nil
    }
}

/// The value of an ASCII hexadecimal digit of either case, or nil.
@inline(never) public func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    let digit = byte &- UInt8(ascii: "0")
    if digit < 10 { return digit }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter &+ 10 : nil
}
