import _Volatile

/// Bytes that a device may read or change at any moment: each access is one load or store, within bounds.
///
/// An offset out of bounds is the driver's bug, and traps; nothing a device writes may be used as an offset unchecked.
@safe public struct SharedMemory: Sendable {
    private let base: UInt
    /// Where the device finds the first byte.
    public let deviceAddress: UInt64
    public let byteCount: Int

    /// The caller owns [base, base + byteCount), mapped and writable, for as long as this or a slice of it is used.
    @unsafe public init(base: UInt, deviceAddress: UInt64, byteCount: Int) {
        self.base = base
        self.deviceAddress = deviceAddress
        self.byteCount = byteCount
    }

    /// No bytes: every access traps.
    public init() {
        base = 0
        deviceAddress = 0
        byteCount = 0
    }

    public func slice(at offset: Int, byteCount: Int) -> SharedMemory {
        precondition(offset >= 0 && byteCount >= 0 && offset <= self.byteCount && byteCount <= self.byteCount - offset)
        return unsafe SharedMemory(
            base: base &+ UInt(bitPattern: offset), deviceAddress: deviceAddress &+ UInt64(bitPattern: Int64(offset)), byteCount: byteCount)
    }

    // SAFETY (all below): `address` has checked the whole access, and `init`'s caller owns the bytes.
    /// Of an offset inside, or at the end.
    func address(of offset: Int) -> UInt { base &+ UInt(bitPattern: offset) }

    private func address(of offset: Int, _ count: Int) -> UInt {
        // As unsigned numbers, so that a negative offset is a great one; `count` is at most 8, and no region is that near to the top.
        precondition(UInt(bitPattern: offset) &+ UInt(bitPattern: count) <= UInt(bitPattern: byteCount) && offset >= 0)
        return base &+ UInt(bitPattern: offset)
    }

    public func load8(at offset: Int) -> UInt8 {
        unsafe VolatileMappedRegister<UInt8>(unsafeBitPattern: address(of: offset, 1)).load()
    }
    public func load16(at offset: Int) -> UInt16 {
        unsafe VolatileMappedRegister<UInt16>(unsafeBitPattern: address(of: offset, 2)).load()
    }
    public func load32(at offset: Int) -> UInt32 {
        unsafe VolatileMappedRegister<UInt32>(unsafeBitPattern: address(of: offset, 4)).load()
    }
    public func load64(at offset: Int) -> UInt64 {
        unsafe VolatileMappedRegister<UInt64>(unsafeBitPattern: address(of: offset, 8)).load()
    }
    public func store8(_ value: UInt8, at offset: Int) {
        unsafe VolatileMappedRegister<UInt8>(unsafeBitPattern: address(of: offset, 1)).store(value)
    }
    public func store16(_ value: UInt16, at offset: Int) {
        unsafe VolatileMappedRegister<UInt16>(unsafeBitPattern: address(of: offset, 2)).store(value)
    }
    public func store32(_ value: UInt32, at offset: Int) {
        unsafe VolatileMappedRegister<UInt32>(unsafeBitPattern: address(of: offset, 4)).store(value)
    }
    public func store64(_ value: UInt64, at offset: Int) {
        unsafe VolatileMappedRegister<UInt64>(unsafeBitPattern: address(of: offset, 8)).store(value)
    }
}
