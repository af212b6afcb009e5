import DMAMemory

/// Zeroed memory for a driver and a device in one process.
@safe final class TestMemory {
    private let buffer: UnsafeMutableRawBufferPointer
    let memory: SharedMemory
    /// Where the device finds it: not where the driver does.
    static let deviceAddress: UInt64 = 0x10_0000

    init(byteCount: Int) {
        // SAFETY: the memory lives as long as this object, which every test keeps until its end.
        unsafe buffer = .allocate(byteCount: byteCount, alignment: 4096)
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
        memory = unsafe SharedMemory(base: UInt(bitPattern: buffer.baseAddress), deviceAddress: Self.deviceAddress, byteCount: byteCount)
    }

    deinit { unsafe buffer.deallocate() }
}
