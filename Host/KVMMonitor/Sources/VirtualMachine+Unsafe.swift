import LinuxCalls
import MonitorSupport

/// One virtual machine with one virtual processor (Linux's Documentation/virt/kvm/api.rst).
@safe
struct VirtualMachine {
    let processor: FileDescriptor
    /// 0 if the kernel does not know.
    let timestampKilohertz: UInt64
    /// What programs may use; nothing in an image without any.
    let features: ProcessorFeatures
    private let run: UnsafeMutablePointer<kvm_run>
    private let runByteCount: Int

    /// Opens /dev/kvm, gives the machine `memory` at physical `GuestMemory.physicalBase` and the layers where the map has them, and
    /// keeps only the processor open. `layers` are addresses of mappings that stay, 0 for none.
    init(memory: GuestMemory, layers: InlineArray<2, UInt64>, map: InstanceMap) throws(Refusal) {
        let device = try Self.openDevice()
        guard Self.call(device, brique_kvm_get_api_version) == 12 else { throw Refusal(.unavailable, "unknown version of /dev/kvm") }
        let synchronized = Self.call(device, brique_kvm_check_extension, UInt64(KVM_CAP_SYNC_REGS))
        let wanted = Int64(brique_kvm_sync_regs) | Int64(brique_kvm_sync_events)
        guard synchronized >= 0, synchronized & wanted == wanted else {
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
        features = map.hasPrograms ? try Self.setFeatures(processor, of: device) : ProcessorFeatures()
        // The processor keeps the machine.
        machineFile.close()
        device.close()
    }

    private static func setRegion(_ machine: FileDescriptor, _ region: kvm_userspace_memory_region) throws(Refusal) {
        var region = region
        // SAFETY: the kernel reads the structure during the call.
        let result = unsafe withUnsafePointer(to: &region) {
            call(machine, brique_kvm_set_user_memory_region, unsafe address(of: $0))
        }
        guard result == 0 else { throw Refusal(.hostRefused, "KVM refuses the memory", errno: result) }
    }

    /// Gives the processor all that KVM can give a guest, but for register sets that only an operating system of its own would enable.
    /// Without it physical addresses end at 64 GiB, below the layers.
    private static func setFeatures(_ processor: FileDescriptor, of device: FileDescriptor) throws(Refusal) -> ProcessorFeatures {
        var table = ProcessorFeatures.Table()
        // SAFETY: the kernel writes at most `count` entries, which the table has room for, and then reads them.
        let asked = unsafe withUnsafeMutablePointer(to: &table) {
            call(device, brique_kvm_get_supported_cpuid, UInt64(UInt(bitPattern: $0)))
        }
        guard asked == 0 else { throw Refusal(.hostRefused, "KVM does not tell the processor's features", errno: asked) }
        let features = table.restrict()
        // SAFETY: as above.
        let set = unsafe withUnsafePointer(to: &table) { call(processor, brique_kvm_set_cpuid2, unsafe address(of: $0)) }
        guard set == 0 else { throw Refusal(.hostRefused, "KVM refuses the processor's features", errno: set) }
        guard features.extendedState != 0 else { return features }
        var registers = kvm_xcrs()
        registers.nr_xcrs = 1
        registers.xcrs.0.value = features.extendedState
        // SAFETY: the kernel reads one structure.
        let extended = unsafe withUnsafePointer(to: &registers) { call(processor, brique_kvm_set_xcrs, unsafe address(of: $0)) }
        guard extended == 0 else { throw Refusal(.hostRefused, "KVM refuses the extended registers", errno: extended) }
        return features
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

    /// The guest leaves at once, also one that is only about to run. For a signal handler.
    func requestExit() {
        // SAFETY: as above: one byte, which the kernel reads when it enters the guest.
        unsafe run.pointee.immediate_exit = 1
    }

    /// Whether somebody requested an exit since the last time.
    func takeExitRequest() -> Bool {
        // SAFETY: as above. A request between the two lines is lost: it asked for what is happening.
        let isRequested = unsafe run.pointee.immediate_exit != 0
        unsafe run.pointee.immediate_exit = 0
        return isRequested
    }

    /// From now on the run page has the registers after every exit.
    func shareRegisters() {
        // SAFETY: as above; the kernel was asked whether it can.
        unsafe run.pointee.kvm_valid_regs = UInt64(brique_kvm_sync_general) | UInt64(brique_kvm_sync_events)
    }

    /// After `shareRegisters` and an exit.
    var synchronizedRegisters: kvm_regs {
        // SAFETY: as above.
        unsafe run.pointee.s.regs.regs
    }

    /// An exception that the processor takes before the next instruction.
    var hasPendingException: Bool {
        // SAFETY: as above.
        let exception = unsafe run.pointee.s.regs.events.exception
        return exception.injected != 0 || exception.pending != 0
    }

    /// Sets the general registers, with the next `enter`.
    func setRegisters(_ registers: kvm_regs) {
        // SAFETY: as above.
        unsafe run.pointee.s.regs.regs = registers
        unsafe run.pointee.kvm_dirty_regs |= UInt64(brique_kvm_sync_general)
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
