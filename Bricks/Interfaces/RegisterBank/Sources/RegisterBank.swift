/// How much of a register one access moves.
public enum RegisterWidth: Sendable {
    case byte, word, long
}

/// The registers of a device, at byte offsets; an access reaches the device once, and in program order.
///
/// Little-endian; an offset is a multiple of its width. Offsets are the driver's own, or were checked by it.
public protocol RegisterBank {
    func read(_ offset: Int, _ width: RegisterWidth) -> UInt32
    func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth)
}
