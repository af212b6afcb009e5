import LinuxCalls

/// What programs find in the processor, by CPUID and CR4.
struct ProcessorFeatures: Equatable {
    var hasFSGSBASE = false
    /// XCR0: x87, SSE, AVX. 0: no XSAVE.
    var extendedState: UInt64 = 0

    /// struct kvm_cpuid2, with room for more entries than any processor has.
    struct Table {
        private(set) var count: UInt32 = 256
        private var padding: UInt32 = 0
        private var entries = InlineArray<256, kvm_cpuid_entry2>(repeating: kvm_cpuid_entry2())

        init() {}

        init(_ entries: [kvm_cpuid_entry2]) {
            count = UInt32(entries.count)
            for index in entries.indices { self.entries[index] = entries[index] }
        }

        /// Register sets beyond AVX are taken out: XCR0 will not have them. What is left.
        mutating func restrict() -> ProcessorFeatures {
            var features = ProcessorFeatures()
            for index in 0..<min(Int(count), entries.count) {
                switch (entries[index].function, entries[index].index) {
                case (1, _):
                    // XSAVE, or nothing of what depends on it.
                    if entries[index].ecx & 1 << 26 == 0 { entries[index].ecx &= ~(1 << 28 | 1 << 12 | 1 << 29) }
                case (7, 0):
                    features.hasFSGSBASE = entries[index].ebx & 1 != 0
                    // AVX-512 F DQ IFMA PF ER CD BW VL.
                    entries[index].ebx &= ~(1 << 16 | 1 << 17 | 1 << 21 | 1 << 26 | 1 << 27 | 1 << 28 | 1 << 30 | 1 << 31)
                    // AVX-512 VBMI VBMI2 VNNI BITALG VPOPCNTDQ, protection keys.
                    entries[index].ecx &= ~(1 << 1 | 1 << 6 | 1 << 11 | 1 << 12 | 1 << 14 | 1 << 3 | 1 << 4)
                    // AVX-512 4VNNIW 4FMAPS VP2INTERSECT FP16, AMX BF16 TILE INT8.
                    entries[index].edx &= ~(1 << 2 | 1 << 3 | 1 << 8 | 1 << 23 | 1 << 22 | 1 << 24 | 1 << 25)
                case (7, 1):
                    // AVX-512 BF16, AMX FP16; AVX10.
                    entries[index].eax &= ~(1 << 5 | 1 << 21)
                    entries[index].edx &= ~(1 << 19)
                case (0xd, 0):
                    features.extendedState = UInt64(entries[index].eax) & 7
                    entries[index].eax &= 7
                    entries[index].edx = 0
                    // Legacy area and header, then the upper halves of the AVX registers.
                    entries[index].ecx = features.extendedState & 4 == 0 ? 576 : 832
                case (0xd, 1):
                    // XSAVES is for an operating system.
                    entries[index].eax &= ~(1 << 3)
                    entries[index].ecx = 0
                    entries[index].edx = 0
                case (0xd, 3...): Self.clear(&entries[index])
                default: break
                }
            }
            return features
        }

        subscript(index: Int) -> kvm_cpuid_entry2 { entries[index] }

        private static func clear(_ entry: inout kvm_cpuid_entry2) {
            entry.eax = 0
            entry.ebx = 0
            entry.ecx = 0
            entry.edx = 0
        }
    }
}
