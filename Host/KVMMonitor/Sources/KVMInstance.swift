import BootFormat
import LinuxCalls
import MonitorSupport

/// One instance as a virtual machine: this process is its monitor, and its only thread is the processor.
public struct KVMInstance {
    let machine: VirtualMachine
    let control: HostControl
    var server: HypercallServer<LinuxHost>
    /// What ticks programs, if the image has any: that is what a root is for.
    let timer: TickTimer?

    /// Runs the instance that the command line names, to its end, which is this process's end.
    public static func main() -> Never {
        let arguments: MonitorArguments
        do throws(Refusal) {
            arguments = try MonitorArguments.ofThisProcess()
        } catch {
            HostControl(control: nil).refuse(error)
        }
        let control = HostControl(control: arguments.control)
        do throws(Refusal) {
            var instance = try KVMInstance(arguments, control)
            instance.runWithSignals()
        } catch {
            control.refuse(error)
        }
    }

    private init(_ arguments: MonitorArguments, _ control: HostControl) throws(Refusal) {
        self.control = control
        FileDescriptor.closeAll(except: arguments)
        let loader = try InstanceLoader(arguments, needsTables: true)
        let (memory, file) = try loader.mapMemory(at: 0)
        file.close()
        let layers = try loader.mapLayers(inDirectMap: false)
        machine = try VirtualMachine(memory: memory, layers: layers, map: loader.map)
        loader.populate(memory)
        try loader.loadImage(into: memory)
        // What is mapped stays mapped.
        loader.imageFile?.close()
        loader.layerFile?.close()
        let platform = InstanceLoader.Platform(number: BRIQUE_PLATFORM_KVM, timestampKilohertz: machine.timestampKilohertz)
        let information = try loader.writeBootInformation(platform, into: memory)
        let tables = PageTables.write(loader.map, into: memory)
        Descriptors.write(loader.map, into: memory)
        machine.setRegisters(
            ProcessorState.general(loader.map, bootInformation: information),
            ProcessorState.system(loader.map, tables: tables, features: machine.features))
        timer = loader.map.hasPrograms ? try TickTimer() : nil
        let host = LinuxHost(protectedView: nil, links: arguments.links, timer: timer)
        server = HypercallServer(host: host, memory: memory, view: memory, map: loader.map)
    }

    /// What is left for this process to ask of the kernel: nothing that opens, maps or starts anything.
    static func filter(processor: FileDescriptor, control: HostControl, links: HostLinks, timer: TickTimer?) -> SystemCallFilter {
        var filter = SystemCallFilter(forMonitor: .killProcess)
        let requests = SystemCallFilter.Condition.oneOf(
            1, UInt32(brique_kvm_run), UInt32(brique_kvm_get_regs), UInt32(brique_kvm_get_sregs))
        let number = UInt32(bitPattern: processor.number)
        filter.allow(__NR_ioctl, where: .oneOf(0, number, number, number), requests)
        filter.allowHost(control: control, links: links)
        if let timer { filter.allow(timer) }
        filter.finish()
        return filter
    }

    mutating func run() -> Never {
        control.dieWithTool()
        let result = Self.filter(processor: machine.processor, control: control, links: server.host.links, timer: timer).install()
        guard result == 0 else { control.refuse(Refusal(.hostRefused, "the kernel refuses the system call filter", errno: result)) }
        while true {
            let result = machine.enter()
            if result == ErrorNumber.interrupted || result == ErrorNumber.again {
                if machine.takeExitRequest() { tick() }
                continue
            }
            guard result == 0 else { end("KVM cannot run the instance") }
            switch machine.exitReason {
            case KVM_EXIT_IO:
                guard let block = machine.output(port: BRIQUE_HYPERCALL_PORT) else { end("an access to an unknown port") }
                answer(blockAt: UInt64(block))
            case KVM_EXIT_SHUTDOWN: end("a fault while a fault was handled")
            case KVM_EXIT_MMIO: end("an access outside of memory")
            case KVM_EXIT_INTERNAL_ERROR: end("an instruction that KVM cannot execute")
            default: end("an exit that the monitor does not know")
            }
        }
    }

    private mutating func answer(blockAt physical: UInt64) {
        switch server.answer(blockAt: physical) {
        case nil: end("a hypercall block outside of memory")
        case .result: if server.program != nil { machine.shareRegisters() }
        case .exit(let status): Linux.exit(status)
        case .crash(var report):
            // Only the monitor can read CR2.
            if report.kind == .exception && report.vector == 14 { report.faultAddress = machine.systemRegisters.cr2 }
            control.end(report)
        }
    }

    /// Interrupts the program, as an exception does; the library OS, and whatever the processor is about to interrupt, only takes note.
    private mutating func tick() {
        guard let program = server.program else { return }
        let memory = server.memory
        func store(_ value: UInt64, _ field: ProgramField) { memory.store(value, physical: program.physical + field.rawValue) }
        func load(_ field: ProgramField) -> UInt64 {
            memory.word(virtual: GuestMemory.virtualBase + program.physical + field.rawValue) ?? 0
        }
        var state = machine.synchronizedRegisters
        guard state.rip < UInt64(BRIQUE_VIRTUAL_BASE), !machine.hasPendingException else { return store(1, .tickPending) }
        store(state.rip, .rip)
        store(state.rsp, .rsp)
        store(state.rflags, .rflags)
        store(UInt64(BRIQUE_VECTOR_TICK), .vector)
        store(0, .error)
        state.rip = load(.interruptionEntry)
        state.rsp = load(.kernelStack)
        state.rflags = ProcessorState.flags
        machine.setRegisters(state)
    }

    /// Offsets in `struct brique_program`.
    private enum ProgramField: UInt64 {
        case interruptionEntry = 8, kernelStack = 16, tickPending = 24, rip = 32, rsp = 40, rflags = 48, vector = 56, error = 64
    }

    /// An end that the guest did not report itself.
    private func end(_ text: StaticString) -> Never {
        var report = snapshot(.exception)
        report.vector = 8
        report.faultAddress = machine.systemRegisters.cr2
        report.setMessage(text)
        control.end(report)
    }

    /// Where the guest is now.
    func snapshot(_ kind: CrashReport.Kind) -> CrashReport {
        let state = machine.registers
        var report = CrashReport()
        report.kind = kind
        report.registers.rip = state.rip
        report.registers.rsp = state.rsp
        report.registers.rbp = state.rbp
        report.registers.rflags = state.rflags
        report.registers.rax = state.rax
        report.registers.rbx = state.rbx
        report.registers.rcx = state.rcx
        report.registers.rdx = state.rdx
        report.registers.rsi = state.rsi
        report.registers.rdi = state.rdi
        report.registers.r8 = state.r8
        report.registers.r9 = state.r9
        report.registers.r10 = state.r10
        report.registers.r11 = state.r11
        report.registers.r12 = state.r12
        report.registers.r13 = state.r13
        report.registers.r14 = state.r14
        report.registers.r15 = state.r15
        report.walk(server.memory, server.map)
        return report
    }
}
