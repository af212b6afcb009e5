import _Volatile

/// Registers in memory.
@safe public struct VolatileRegisterBank: RegisterBank {
    private let base: UInt

    /// The caller states that device registers are mapped from `base` as far as any offset used with this bank.
    @unsafe public init(base: UInt) { self.base = base }

    // SAFETY (both): `init`'s caller keeps the registers mapped; the drivers' offsets lie inside their device's window.
    public func read(_ offset: Int, _ width: RegisterWidth) -> UInt32 {
        let address = base &+ UInt(bitPattern: offset)
        return switch width {
        case .byte: UInt32(unsafe VolatileMappedRegister<UInt8>(unsafeBitPattern: address).load())
        case .word: UInt32(unsafe VolatileMappedRegister<UInt16>(unsafeBitPattern: address).load())
        case .long: unsafe VolatileMappedRegister<UInt32>(unsafeBitPattern: address).load()
        }
    }

    public func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth) {
        let address = base &+ UInt(bitPattern: offset)
        switch width {
        case .byte: unsafe VolatileMappedRegister<UInt8>(unsafeBitPattern: address).store(UInt8(truncatingIfNeeded: value))
        case .word: unsafe VolatileMappedRegister<UInt16>(unsafeBitPattern: address).store(UInt16(truncatingIfNeeded: value))
        case .long: unsafe VolatileMappedRegister<UInt32>(unsafeBitPattern: address).store(value)
        }
    }
}
