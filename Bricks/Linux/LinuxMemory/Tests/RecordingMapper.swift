import LinuxMemory

/// Remembers what the processor would see.
final class RecordingMapper: PageMapper {
    var pages: [UInt64: (physical: UInt64, protection: Protection)] = [:]
    /// The platform has no room.
    var isFull = false
    override func map(_ address: UInt64, byteCount: UInt64, to physical: UInt64, _ protection: Protection) -> Bool {
        if isFull && !protection.isEmpty { return false }
        for offset in stride(from: 0, to: byteCount, by: 4096) {
            pages[address + offset] = protection.isEmpty ? nil : (physical + offset, protection)
        }
        return true
    }
}
