import BootFormat
import LinuxCalls
import MonitorSupport

/// Handlers for an instance that runs programs: what happens below the library OS is for the library OS to answer. No other signal is
/// taken meanwhile, and the handlers stay.
func handleProgramSignals() {
    let mask = EndingSignal.mask | FaultSignal.mask | 1 << UInt64(TickTimer.signal - 1)
    let flags = UInt64(BRIQUE_SIGNAL_ON_STACK) | UInt64(BRIQUE_SIGNAL_RESTART)
    for signal in FaultSignal.range where FaultSignal.contains(signal) {
        _ = unsafe brique_signal_handle(signal, interrupted, flags, mask)
    }
    _ = unsafe brique_signal_handle(FaultSignal.refusedCall, called, flags, mask)
    _ = unsafe brique_signal_handle(TickTimer.signal, ticked, flags, mask)
}

/// Where the kernel put the interrupted registers, and takes them from when the handler returns (rt_sigreturn(2)).
private typealias Registers = UnsafeMutablePointer<brique_signal_context>

/// The guest's `struct brique_program`, in a view of guest memory that never traps.
private struct Program {
    /// Offsets.
    enum Field: UInt64 {
        case callEntry = 0, interruptionEntry = 8, kernelStack = 16, tickPending = 24, rip = 32, rsp = 40, rflags = 48, vector = 56,
            error = 64, address = 72
    }

    private let memory: GuestMemory
    private let start: UInt64

    /// nil: the guest named none.
    init?() {
        // SAFETY: the context was set to an instance that lives as long as the guest.
        guard let instance = unsafe brique_context()?.assumingMemoryBound(to: ProcessInstance.self),
            let range = unsafe instance.pointee.server.program
        else { return nil }
        memory = unsafe instance.pointee.server.memory
        start = range.physical
    }

    subscript(field: Field) -> UInt64 {
        get { memory.word(virtual: GuestMemory.virtualBase + start + field.rawValue) ?? 0 }
        nonmutating set { memory.store(newValue, physical: start + field.rawValue) }
    }

    /// TF, DF, NT and AC, which a program may have set, are not the library OS's.
    private static let programFlags: UInt64 = 1 << 8 | 1 << 10 | 1 << 14 | 1 << 18

    /// The system-call instruction becomes a jump; what the processor leaves in rcx and r11 is there already.
    func call(_ registers: Registers) {
        unsafe registers.pointee.rcx = unsafe registers.pointee.rip
        unsafe registers.pointee.rip = self[.callEntry]
        unsafe registers.pointee.rflags &= ~Self.programFlags
    }

    /// False: the library OS has no stack to be interrupted on.
    func interrupt(_ registers: Registers, vector: UInt64, error: UInt64 = 0, address: UInt64 = 0) -> Bool {
        let stack = self[.kernelStack]
        guard stack != 0 else { return false }
        self[.rip] = unsafe registers.pointee.rip
        self[.rsp] = unsafe registers.pointee.rsp
        self[.rflags] = unsafe registers.pointee.rflags
        self[.vector] = vector
        self[.error] = error
        self[.address] = address
        unsafe registers.pointee.rip = self[.interruptionEntry]
        unsafe registers.pointee.rsp = stack
        unsafe registers.pointee.rflags &= ~Self.programFlags
        return true
    }
}

/// The program that was running, if one was: its code is below the library OS.
private func program(under registers: Registers) -> Program? {
    unsafe registers.pointee.rip < GuestMemory.virtualBase ? Program() : nil
}

/// A program's system call.
private func called(
    _ signal: Int32, _ information: UnsafePointer<brique_signal_information>?, _ context: UnsafePointer<brique_signal_context>?
) {
    // SAFETY: the kernel passes both to every handler, in a frame that is this handler's to change.
    if let registers = unsafe context.map({ unsafe Registers(mutating: $0) }), let information = unsafe information?.pointee,
        information.code > 0, let program = unsafe program(under: registers)
    {
        if information.architecture == UInt32(brique_audit_arch_x86_64) { return unsafe program.call(registers) }
        // A 32-bit call, by int 0x80: nobody answers those, so it is the exception of an interrupt that a program may not raise.
        unsafe registers.pointee.rip -= 2
        if unsafe program.interrupt(registers, vector: 13, error: 0x80 * 8 + 2) { return }
        unsafe registers.pointee.rip += 2
    }
    unsafe faulted(signal, information, context)
}

/// A program's exception.
private func interrupted(
    _ signal: Int32, _ information: UnsafePointer<brique_signal_information>?, _ context: UnsafePointer<brique_signal_context>?
) {
    // SAFETY: as in called.
    if let registers = unsafe context.map({ unsafe Registers(mutating: $0) }),
        unsafe information.map({ unsafe $0.pointee.code > 0 }) == true,
        let program = unsafe program(under: registers)
    {
        let vector = unsafe registers.pointee.vector
        let isPageFault = vector == 14
        let error = unsafe registers.pointee.error, address = unsafe registers.pointee.cr2
        if unsafe program.interrupt(registers, vector: vector, error: error, address: isPageFault ? address : 0) { return }
    }
    unsafe faulted(signal, information, context)
}

/// Time is up for a program; the library OS only takes note.
private func ticked(
    _ signal: Int32, _ information: UnsafePointer<brique_signal_information>?, _ context: UnsafePointer<brique_signal_context>?
) {
    // SAFETY: as in called.
    guard let registers = unsafe context.map({ unsafe Registers(mutating: $0) }), let program = Program() else { return }
    let isProgram = unsafe registers.pointee.rip < GuestMemory.virtualBase
    if isProgram, unsafe program.interrupt(registers, vector: UInt64(BRIQUE_VECTOR_TICK)) { return }
    program[.tickPending] = 1
}
