import LinuxCalls
import MonitorSupport

extension ProcessInstance {
    /// Programs' FS and GS are set without a system call (AT_HWCAP2, bit 1; Linux 5.9).
    static func checkProcessor() throws(Refusal) {
        // SAFETY: it reads what the kernel passed to this process.
        guard unsafe brique_host_program().capabilities & 2 != 0 else {
            throw Refusal(.unavailable, "the kernel does not let a process set its FS, which programs need")
        }
    }

    /// Runs with the gate and all signal handlers in place.
    mutating func runWithSignals() throws(Refusal) -> Never {
        let stack = brique_signal_stack_prepare()
        guard stack == 0 else { throw Refusal(.hostRefused, "cannot prepare for signals", errno: stack) }
        // SAFETY: enter() does not return but by throwing, before the guest runs; so the pointer is good for every call and signal of
        // the guest. The only thread is in the guest, in the gate or in a handler.
        try unsafe withUnsafeMutablePointer(to: &self) { (pointer) throws(Refusal) -> Void in
            unsafe brique_context_set(pointer)
            brique_gate_prepare(answered)
            let flags = UInt64(BRIQUE_SIGNAL_ON_STACK) | UInt64(BRIQUE_SIGNAL_RESET) | UInt64(BRIQUE_SIGNAL_NOT_MASKED)
            for signal in EndingSignal.range where EndingSignal.contains(signal) {
                _ = unsafe brique_signal_handle(signal, ended, flags, EndingSignal.mask)
            }
            if unsafe pointer.pointee.server.map.hasPrograms {
                handleProgramSignals()
            } else {
                for signal in FaultSignal.range where FaultSignal.contains(signal) {
                    _ = unsafe brique_signal_handle(signal, faulted, flags, EndingSignal.mask)
                }
            }
            try unsafe pointer.pointee.enter()
        }
        Linux.exit(RefusalStatus.hostRefused.rawValue)
    }

    /// Where the guest was: in its own code, or in a call of the gate.
    func snapshot(_ kind: CrashReport.Kind, _ context: brique_signal_context) -> CrashReport {
        var report = CrashReport()
        report.kind = kind
        report.registers.rip = context.rip
        report.registers.rsp = context.rsp
        report.registers.rbp = context.rbp
        report.registers.rflags = context.rflags
        report.registers.rax = context.rax
        report.registers.rbx = context.rbx
        report.registers.rcx = context.rcx
        report.registers.rdx = context.rdx
        report.registers.rsi = context.rsi
        report.registers.rdi = context.rdi
        report.registers.r8 = context.r8
        report.registers.r9 = context.r9
        report.registers.r10 = context.r10
        report.registers.r11 = context.r11
        report.registers.r12 = context.r12
        report.registers.r13 = context.r13
        report.registers.r14 = context.r14
        report.registers.r15 = context.r15
        let stack = brique_gate_guest_stack()
        if stack != 0, let frame = server.memory.word(virtual: stack), let address = server.memory.word(virtual: stack &+ 8) {
            report.registers.rip = address
            report.registers.rbp = frame
            report.registers.rsp = stack &+ 16
        }
        report.walk(server.memory, server.map)
        return report
    }
}

/// Signals by which the kernel tells of an exception (signal(7)), and of a refused system call.
enum FaultSignal {
    static let illegalInstruction: Int32 = 4, trap: Int32 = 5, bus: Int32 = 7, arithmetic: Int32 = 8, segment: Int32 = 11,
        refusedCall: Int32 = 31
    static let range: ClosedRange<Int32> = 4...31
    /// All six, as a signal mask.
    static let mask: UInt64 = 1 << 3 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 30
    static func contains(_ signal: Int32) -> Bool {
        switch signal {
        case illegalInstruction, trap, bus, arithmetic, segment, refusedCall: true
        default: false
        }
    }
}

private func answered(_ number: UInt64, _ a: UInt64, _ b: UInt64, _ c: UInt64) -> Int64 {
    // SAFETY: the context was set to an instance that lives as long as the guest.
    guard let instance = unsafe brique_context()?.assumingMemoryBound(to: ProcessInstance.self) else { return ErrorNumber.noCall }
    return unsafe instance.pointee.answer(number: number, a, b, c)
}

/// Reports where the guest was, and dies of the signal: its action is the default one again (SA_RESETHAND).
private func ended(
    _ signal: Int32, _ information: UnsafePointer<brique_signal_information>?, _ context: UnsafePointer<brique_signal_context>?
) {
    // SAFETY: as in answered; the kernel passes a context to every handler.
    guard let instance = unsafe brique_context()?.assumingMemoryBound(to: ProcessInstance.self), let context = unsafe context?.pointee
    else { return }
    if brique_idle() == 0 || signal == EndingSignal.quit {
        let report = unsafe instance.pointee.snapshot(.interrupted, context)
        unsafe instance.pointee.control.descriptor.writeAll(report.record)
    }
    unsafe instance.pointee.control.die(of: signal)
}

/// An exception of the library OS, or a system call that the filter refused.
func faulted(
    _ signal: Int32, _ information: UnsafePointer<brique_signal_information>?, _ context: UnsafePointer<brique_signal_context>?
) {
    // SAFETY: as in ended; the kernel passes information too.
    guard let instance = unsafe brique_context()?.assumingMemoryBound(to: ProcessInstance.self), let context = unsafe context?.pointee,
        let information = unsafe information?.pointee
    else { return }
    // Not from the kernel: somebody sent it (sigaction(2), si_code).
    if information.code <= 0 { unsafe instance.pointee.control.die(of: signal) }
    var report = unsafe instance.pointee.snapshot(.exception, context)
    if signal == FaultSignal.refusedCall {
        unsafe instance.pointee.control.descriptor.writeAll(report.refusedRecord(call: information.call))
        Linux.exit(UInt8(128 + signal))
    }
    report.vector = context.vector
    report.error = context.error
    report.faultAddress = context.vector == 14 ? context.cr2 : 0
    unsafe instance.pointee.control.end(report)
}
