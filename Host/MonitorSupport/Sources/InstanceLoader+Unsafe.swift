import ELFFormat
import LinuxCalls

extension InstanceLoader {
    /// The first bytes of the image: as many as there are, up to the buffer's size.
    static func read(_ image: FileDescriptor, into prefix: inout InlineArray<4096, UInt8>) throws(Refusal) -> Int {
        var elements = prefix.mutableSpan
        // SAFETY: any byte is a valid element.
        var bytes = unsafe elements.mutableBytes
        let result = image.read(at: 0, into: &bytes)
        guard result >= 0 else { throw Refusal(.imageUnreadable, "cannot read the image", errno: result) }
        return Int(result)
    }

    static func fillEntropy(_ words: inout InlineArray<4, UInt64>) throws(Refusal) {
        var elements = words.mutableSpan
        // SAFETY: any bytes are a valid word.
        var bytes = unsafe elements.mutableBytes
        let result = Random.fill(&bytes)
        guard result == Int64(bytes.byteCount) else { throw Refusal(.hostRefused, "the host has no entropy", errno: min(result, 0)) }
    }

    /// Guest memory: one memfd, mapped once, shared. `address` 0: anywhere.
    public func mapMemory(at address: UInt64) throws(Refusal) -> (memory: GuestMemory, file: FileDescriptor) {
        let file = try Self.createMemoryFile(byteCount: map.memoryByteCount)
        // MAP_SHARED, and MAP_FIXED_NOREPLACE if the address matters.
        let memory = try Self.map(file, byteCount: map.memoryByteCount, at: address, protection: 3, flags: address == 0 ? 1 : 0x100001)
        return (memory, file)
    }

    /// A second view of the same memory, out of the guest's reach: whatever the guest protects, an access of this one never traps.
    public func mapAgain(_ file: FileDescriptor, isWritable: Bool) throws(Refusal) -> GuestMemory {
        try Self.map(file, byteCount: map.memoryByteCount, at: 0, protection: isWritable ? 3 : 1, flags: 1)
    }

    /// Maps the layers that there are, read-only: each where the direct map has it, or anywhere.
    ///
    /// - Returns: addresses in this process; 0: no such layer.
    public func mapLayers(inDirectMap: Bool) throws(Refusal) -> InlineArray<2, UInt64> {
        var addresses = InlineArray<2, UInt64>(repeating: 0)
        for index in 0..<InstanceMap.layerCount where map.layerByteCounts[index] > 0 {
            let isRoot = index == 0
            guard let file = isRoot ? imageFile : layerFile else { continue }
            let offset = isRoot ? UInt64(map.layout.root?.fileOffset ?? 0) : 0
            let address = inDirectMap ? GuestMemory.virtualBase + InstanceMap.layerStart(index) : 0
            // PROT_READ; MAP_SHARED, so that it stays so, and MAP_FIXED_NOREPLACE if the address matters.
            let result = Linux.call(
                __NR_mmap, address, map.layerPageByteCount(index), 1, address == 0 ? 1 : 0x100001, file.word, offset)
            guard result > 0, address == 0 || UInt64(result) == address else {
                throw Refusal(.hostRefused, "cannot map the image's files", errno: result < 0 ? result : ErrorNumber.exists)
            }
            addresses[index] = UInt64(result)
        }
        return addresses
    }

    private static func createMemoryFile(byteCount: UInt64) throws(Refusal) -> FileDescriptor {
        let name: StaticString = "brique-memory"
        // SAFETY: a string literal ends with a zero.
        let address = unsafe UInt64(UInt(bitPattern: name.utf8Start))
        // MFD_CLOEXEC|MFD_NOEXEC_SEAL: the file can never be run. Kernels before 6.3 know only the first.
        var result = Linux.call(__NR_memfd_create, address, 1 | 8)
        if result == ErrorNumber.invalid { result = Linux.call(__NR_memfd_create, address, 1) }
        let file = try FileDescriptor(result, otherwise: .hostRefused, "cannot create guest memory")
        let size = Linux.call(__NR_ftruncate, file.word, byteCount)
        guard size == 0 else { throw Refusal(.hostRefused, "cannot size guest memory", errno: size) }
        return file
    }

    private static func map(
        _ file: FileDescriptor, byteCount: UInt64, at address: UInt64, protection: UInt64, flags: UInt64
    ) throws(Refusal) -> GuestMemory {
        let result = Linux.call(__NR_mmap, address, byteCount, protection, flags, file.word, 0)
        guard result > 0 || result < -4095, address == 0 || UInt64(bitPattern: result) == address,
            // SAFETY: the kernel answered with the start of a new mapping of byteCount bytes, which is never unmapped.
            let start = unsafe UnsafeMutableRawPointer(bitPattern: Int(result))
        else { throw Refusal(.hostRefused, "cannot map guest memory", errno: result < 0 ? result : ErrorNumber.exists) }
        return unsafe GuestMemory(start: start, byteCount: Int(byteCount))
    }
}

extension GuestMemory {
    /// Fresh memory of this process alone: for tests, and for the fuzzer.
    public static func anonymous(byteCount: UInt64) throws(Refusal) -> GuestMemory {
        // PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE
        let result = Linux.call(__NR_mmap, 0, byteCount, 3, 0x4022, UInt64(UInt32.max), 0)
        // SAFETY: a new mapping of byteCount bytes, which is only unmapped by unmap().
        guard result > 0, let start = unsafe UnsafeMutableRawPointer(bitPattern: Int(result)) else {
            throw Refusal(.hostRefused, "cannot map memory", errno: result)
        }
        return unsafe GuestMemory(start: start, byteCount: Int(byteCount))
    }

    /// Ends the mapping: no copy of this value is used any more.
    @unsafe public func unmap() { _ = Linux.call(__NR_munmap, address, UInt64(byteCount)) }
}
