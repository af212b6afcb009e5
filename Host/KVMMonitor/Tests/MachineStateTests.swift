import BootFormat
@testable import KVMMonitor
import LinuxCalls
import MonitorSupport
import SampleImage
import Testing

@Test func `only the hypercall port is let through`() throws {
    let map = try SampleInstance.map(memoryByteCount: 1 << 20)
    let memory = try GuestMemory.anonymous(byteCount: 1 << 20)
    Descriptors.write(map, into: memory)
    let task = map.layout.machineArea + UInt64(BRIQUE_AREA_TSS)
    func byte(_ offset: UInt64) -> UInt8 {
        UInt8(
            truncatingIfNeeded: (memory.word(virtual: UInt64(BRIQUE_VIRTUAL_BASE) + (task + offset) & ~7) ?? 0) >> ((task + offset) % 8 * 8)
        )
    }
    // Intel SDM volume 1, §19.5.2: the processor reads two bytes of the bitmap, both within the limit, and wants zeros.
    let bitmap = UInt64(byte(0x66)) | UInt64(byte(0x67)) << 8
    func isAllowed(_ port: UInt64, byteCount: UInt64) -> Bool {
        let first = bitmap + port / 8
        guard first + 1 <= UInt64(Descriptors.taskLimit) else { return false }
        let bits = (UInt64(byte(first)) | UInt64(byte(first + 1)) << 8) >> (port % 8)
        return bits & (1 << byteCount - 1) == 0
    }
    for port in UInt64(0)...0xffff {
        #expect(isAllowed(port, byteCount: 4) == (port == UInt64(BRIQUE_HYPERCALL_PORT)), "port \(port)")
    }
}

@Test func `gates lead to the image's entries`() throws {
    let map = try SampleInstance.map(memoryByteCount: 1 << 20)
    let memory = try GuestMemory.anonymous(byteCount: 1 << 20)
    Descriptors.write(map, into: memory)
    let table = Descriptors.virtual(map, BRIQUE_AREA_DESCRIPTORS) + UInt64(BRIQUE_IDT_OFFSET)
    for vector in UInt64(0)..<32 {
        let low = try #require(memory.word(virtual: table + vector * 16)),
            high = try #require(memory.word(virtual: table + vector * 16 + 8))
        let address = low & 0xffff | low >> 32 & 0xffff_0000 | high << 32
        if vector == UInt64(BRIQUE_CORE_VECTOR) {
            #expect(address == map.layout.note.coreEntry)
            #expect(low >> 16 & 0xffff == 0x08 && low >> 32 & 7 == 2)
        } else {
            #expect(address == map.layout.note.exceptionEntries + vector * 16)
            #expect(low >> 16 & 0xffff == 0x33 && low >> 32 & 7 == 1)
        }
        #expect(low >> 47 & 1 == 1 && low >> 45 & 3 == 3)
    }
}

@Test func `the guest begins in user mode, with its tables and its stack`() throws {
    let map = try SampleInstance.map(memoryByteCount: 1 << 20)
    let system = ProcessorState.system(map, tables: map.tables)
    #expect(system.cs.dpl == 3 && system.ss.dpl == 3 && system.cs.l == 1)
    #expect(system.cr3 == map.tables)
    #expect(system.efer & 1 == 0)
    let general = ProcessorState.general(map, bootInformation: 77)
    #expect(general.rdi == 77 && general.rip == map.layout.note.start && general.rsp % 16 == 0)
}

@Test func `the monitor's filter lets only its own processor run`() {
    let control = HostControl(control: nil)
    let filter = KVMInstance.filter(processor: FileDescriptor(5), control: control, links: HostLinks(), timer: nil)
    func verdict(_ descriptor: UInt64, _ request: UInt32) -> SystemCallFilter.Verdict {
        filter.verdict(call: UInt32(__NR_ioctl), [descriptor, UInt64(request), 0, 0, 0, 0])
    }
    for request in [brique_kvm_run, brique_kvm_get_regs, brique_kvm_get_sregs] {
        #expect(verdict(5, request) == .allow)
        for other in [0, 1, 2, 4, 6, 1000] as [UInt64] { #expect(verdict(other, request) == .killProcess) }
    }
    for request in [brique_kvm_create_vm, brique_kvm_create_vcpu, brique_kvm_set_user_memory_region, 0x5401, 0] {
        #expect(verdict(5, request) == .killProcess)
    }
    for call in [__NR_open, __NR_openat, __NR_openat2, __NR_mmap, __NR_mprotect, __NR_socket, __NR_clone, __NR_execve, __NR_ptrace] {
        #expect(filter.verdict(call: UInt32(call), [0, 0, 0, 0, 0, 0]) == .killProcess)
    }
}

@Test func `an image without programs has no timer to set, one with programs has its own`() throws {
    let control = HostControl(control: nil)
    let without = KVMInstance.filter(processor: FileDescriptor(5), control: control, links: HostLinks(), timer: nil)
    let timer = try TickTimer()
    let with = KVMInstance.filter(processor: FileDescriptor(5), control: control, links: HostLinks(), timer: timer)
    let call = UInt32(__NR_timer_settime), number = UInt64(timer.number)
    #expect(without.verdict(call: call, [number, 0, 0, 0, 0, 0]) == .killProcess)
    #expect(with.verdict(call: call, [number, 0, 0x1000, 0, 0, 0]) == .allow)
    for hostile in [[number + 1, 0, 0x1000, 0, 0, 0], [number, 1, 0x1000, 0, 0, 0], [number, 0, 0x1000, 1, 0, 0]]
        as [InlineArray<6, UInt64>]
    {
        #expect(with.verdict(call: call, hostile) == .killProcess)
    }
    for other in [__NR_timer_create, __NR_timer_delete, __NR_setitimer] {
        #expect(with.verdict(call: UInt32(other), [number, 0, 0, 0, 0, 0]) == .killProcess)
    }
}

@Test func `programs get AVX and FSGSBASE where the processor has them, and control bits to match`() throws {
    let map = try SampleInstance.map(memoryByteCount: 1 << 20)
    let plain = ProcessorState.system(map, tables: map.tables)
    #expect(plain.cr4 == 0x620)
    let all = ProcessorState.system(map, tables: map.tables, features: ProcessorFeatures(hasFSGSBASE: true, extendedState: 7))
    #expect(all.cr4 == 0x620 | 1 << 16 | 1 << 18)
}

@Test func `register sets that XCR0 lacks are not in the table of features`() {
    func entry(_ function: UInt32, _ index: UInt32) -> kvm_cpuid_entry2 {
        var entry = kvm_cpuid_entry2()
        entry.function = function
        entry.index = index
        entry.eax = .max
        entry.ebx = .max
        entry.ecx = .max
        entry.edx = .max
        return entry
    }
    var table = ProcessorFeatures.Table([entry(1, 0), entry(7, 0), entry(7, 1), entry(0xd, 0), entry(0xd, 1), entry(0xd, 2), entry(0xd, 5)])
    #expect(table.restrict() == ProcessorFeatures(hasFSGSBASE: true, extendedState: 7))
    #expect(table[0].ecx == .max)
    // AVX2 and BMI2 stay, AVX-512 F and VL do not.
    #expect(table[1].ebx >> 5 & 1 == 1 && table[1].ebx >> 8 & 1 == 1 && table[1].ebx >> 16 & 1 == 0 && table[1].ebx >> 31 == 0)
    #expect(table[1].edx >> 24 & 1 == 0 && table[2].eax >> 5 & 1 == 0)
    #expect(table[3].eax == 7 && table[3].ecx == 832 && table[3].edx == 0)
    #expect(table[4].eax >> 3 & 1 == 0 && table[5].eax == .max && table[6].eax == 0)

    var old = entry(1, 0)
    old.ecx &= ~(1 << 26)
    var plain = ProcessorFeatures.Table([old])
    #expect(plain.restrict() == ProcessorFeatures())
    #expect(plain[0].ecx >> 28 & 1 == 0)
}
