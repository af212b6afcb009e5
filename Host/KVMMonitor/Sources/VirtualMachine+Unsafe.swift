import LinuxCalls
import MonitorSupport

/// One virtual machine with one virtual processor (Linux's Documentation/virt/kvm/api.rst).
@safe
struct VirtualMachine {
    let processor: FileDescriptor
    /// 0 if the kernel does not know.
    let timestampKilohertz: UInt64
    private let run: UnsafeMutablePointer<kvm_run>
    private let runByteCount: Int

    /// Opens /dev/kvm, gives the machine `memory` at physical `GuestMemory.physicalBase` and the layers where the map has them, and
    /// keeps only the processor open. `layers` are addresses of mappings that stay, 0 for none.
    init(memory: GuestMemory, layers: InlineArray<2, UInt64>, map: InstanceMap) throws(Refusal) {
        let device = try Self.openDevice()
        guard Self.call(device, brique_kvm_get_api_version) == 12 else { throw Refusal(.unavailable, "unknown version of /dev/kvm") }
        let synchronized = Self.call(device, brique_kvm_check_extension, UInt64(KVM_CAP_SYNC_REGS))
        guard synchronized >= 0, synchronized & Int64(brique_kvm_sync_regs) == Int64(brique_kvm_sync_regs) else {
            throw Refusal(.unavailable, "this version of /dev/kvm cannot share registers")
        }
        var machine = Self.call(device, brique_kvm_create_vm)
        // A signal may interrupt the creation.
        while machine == ErrorNumber.interrupted { machine = Self.call(device, brique_kvm_create_vm) }
        let machineFile = try FileDescriptor(machine, otherwise: .hostRefused, "KVM refuses a machine")
        try Self.setRegion(
            machineFile,
            kvm_userspace_memory_region(
                slot: 0, flags: 0, guest_phys_addr: GuestMemory.physicalBase, memory_size: UInt64(memory.byteCount),
                userspace_addr: memory.address))
        let canBeReadOnly = Self.call(device, brique_kvm_check_extension, UInt64(KVM_CAP_READONLY_MEM)) > 0
        for index in 0..<InstanceMap.layerCount where layers[index] != 0 {
            try Self.setRegion(
                machineFile,
                kvm_userspace_memory_region(
                    slot: UInt32(1 + index), flags: canBeReadOnly ? UInt32(brique_kvm_mem_readonly) : 0,
                    guest_phys_addr: InstanceMap.layerStart(index), memory_size: map.layerPageByteCount(index),
                    userspace_addr: layers[index]))
        }
        processor = try FileDescriptor(
            Self.call(machineFile, brique_kvm_create_vcpu), otherwise: .hostRefused, "KVM refuses a processor")
        if layers[0] != 0 || layers[1] != 0 { try Self.describeProcessor(device, processor) }
        let byteCount = Self.call(device, brique_kvm_get_vcpu_mmap_size)
        guard byteCount >= Int64(MemoryLayout<kvm_run>.size) else {
            throw Refusal(.hostRefused, "KVM tells no size", errno: min(byteCount, 0))
        }
        runByteCount = Int(byteCount)
        unsafe run = try Self.mapRun(processor, byteCount: UInt64(byteCount))
        // A machine of an older kernel does not tell: then its processor does.
        var rate = Self.call(machineFile, brique_kvm_get_tsc_khz)
        if rate < 0 { rate = Self.call(processor, brique_kvm_get_tsc_khz) }
        timestampKilohertz = UInt64(max(rate, 0))
        // The processor keeps the machine.
        machineFile.close()
        device.close()
    }

    /// Gives the processor the host's CPUID. Without it physical addresses end at 64 GiB, below the layers; and programs read it.
    private static func describeProcessor(_ device: FileDescriptor, _ processor: FileDescriptor) throws(Refusal) {
        // struct kvm_cpuid2: a count, and as many entries of 40 bytes.
        var table = InlineArray<1281, UInt64>(repeating: 0)
        table[0] = 256
        // SAFETY: the kernel writes at most as many entries as the count says, which is what the table has room for, and reads those.
        let result = unsafe withUnsafeMutablePointer(to: &table) { pointer in
            let address = UInt64(UInt(bitPattern: pointer))
            let result = call(device, brique_kvm_get_supported_cpuid, address)
            return result == 0 ? call(processor, brique_kvm_set_cpuid2, address) : result
        }
        guard result == 0 else { throw Refusal(.hostRefused, "KVM refuses to describe the processor", errno: result) }
    }

    private static func setRegion(_ machine: FileDescriptor, _ region: kvm_userspace_memory_region) throws(Refusal) {
        var region = region
        // SAFETY: the kernel reads the structure during the call.
        let result = unsafe withUnsafePointer(to: &region) {
            call(machine, brique_kvm_set_user_memory_region, unsafe address(of: $0))
        }
        guard result == 0 else { throw Refusal(.hostRefused, "KVM refuses the memory", errno: result) }
    }

    private static func openDevice() throws(Refusal) -> FileDescriptor {
        let result = FileDescriptor.open("/dev/kvm")
        switch result {
        case ErrorNumber.access, ErrorNumber.permission: throw Refusal(.permission, "cannot open /dev/kvm", errno: result)
        default: return try FileDescriptor(result, otherwise: .unavailable, "cannot open /dev/kvm")
        }
    }

    private static func mapRun(_ processor: FileDescriptor, byteCount: UInt64) throws(Refusal) -> UnsafeMutablePointer<kvm_run> {
        // SAFETY: a new mapping of byteCount bytes, at least the size of kvm_run, that is never unmapped.
        guard let address = FileDescriptor.mapShared(processor, byteCount: byteCount),
            let run = unsafe UnsafeMutablePointer<kvm_run>(bitPattern: address)
        else { throw Refusal(.hostRefused, "cannot map the processor") }
        return unsafe run
    }

    private static func call(_ file: FileDescriptor, _ request: UInt32, _ argument: UInt64 = 0) -> Int64 {
        file.control(UInt64(request), argument)
    }

    /// Runs the guest until it needs something. Minus an errno if it did not run.
    func enter() -> Int64 { Self.call(processor, brique_kvm_run) }

    /// Why the guest stopped: KVM_EXIT_…
    var exitReason: Int32 {
        // SAFETY: `run` stays mapped; the kernel writes to it only while this thread is in `enter`.
        unsafe Int32(bitPattern: run.pointee.exit_reason)
    }

    /// The value of a single 32-bit OUT to `port`, if that is what the guest did.
    func output(port: Int32) -> UInt32? {
        // SAFETY: as above; the offset of the data is the kernel's, and is checked all the same.
        let access = unsafe run.pointee.io
        guard Int32(access.direction) == KVM_EXIT_IO_OUT, Int32(access.port) == port, access.size == 4, access.count == 1,
            access.data_offset <= UInt64(runByteCount - 4)
        else { return nil }
        return unsafe UnsafeRawPointer(run).loadUnaligned(fromByteOffset: Int(access.data_offset), as: UInt32.self)
    }

    /// Sets all registers through the run page: the kernel takes them with the next `enter`, which saves two calls (KVM_CAP_SYNC_REGS).
    func setRegisters(_ registers: kvm_regs, _ systemRegisters: kvm_sregs) {
        // SAFETY: as above; the kernel does not look before `enter`.
        unsafe run.pointee.s.regs.regs = registers
        unsafe run.pointee.s.regs.sregs = systemRegisters
        unsafe run.pointee.kvm_dirty_regs = UInt64(brique_kvm_sync_regs)
    }

    /// Zeros if the kernel does not tell.
    var registers: kvm_regs {
        var registers = kvm_regs()
        // SAFETY: the kernel writes exactly one structure.
        _ = unsafe withUnsafeMutablePointer(to: &registers) { Self.call(processor, brique_kvm_get_regs, UInt64(UInt(bitPattern: $0))) }
        return registers
    }

    var systemRegisters: kvm_sregs {
        var registers = kvm_sregs()
        // SAFETY: as above.
        _ = unsafe withUnsafeMutablePointer(to: &registers) { Self.call(processor, brique_kvm_get_sregs, UInt64(UInt(bitPattern: $0))) }
        return registers
    }
}

private func address<T>(of pointer: UnsafePointer<T>) -> UInt64 { UInt64(UInt(bitPattern: pointer)) }
