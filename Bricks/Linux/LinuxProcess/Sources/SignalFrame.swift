import CHypercalls
import CLinuxFormat
import Errno
import LinuxMemory

// Handlers: the frame on the program's stack, there and back (sigaction(2), sigreturn(2), System V AMD64 ABI §3.4).
extension LinuxThread {
    private static var onStack: UInt64 { 0x0800_0000 }
    private static var restarts: UInt64 { 0x1000_0000 }
    private static var doesNotMask: UInt64 { 0x4000_0000 }
    private static var resets: UInt64 { 0x8000_0000 }
    private static var hasRestorer: UInt64 { 0x0400_0000 }
    private static var redZone: UInt64 { 128 }
    /// FP_XSTATE_MAGIC1 and 2 of asm/sigcontext.h: tell that the extended state is whole.
    private static var magicStart: UInt32 { 0x4650_5853 }
    private static var magicEnd: UInt32 { 0x4650_5845 }

    /// Acts on what is pending; `result` is what the interrupted call gave, nil if no call was interrupted.
    func deliverSignals(afterCall result: Int64?) {
        var result = result
        // A call with a mask of its own that was not interrupted leaves signals to the mask that was before.
        if let result, result != -4, result != -512, result != -514, let mask = signals.savedMask {
            signals.savedMask = nil
            changeMask(mask)
        }
        while !isEnding {
            guard let information = process.takeSignal(~signals.mask, for: self) else { break }
            let signal = information.si_signo
            let action = process.signals.action(signal)
            process.observer?.signalled(self, information)
            if action.handler == 1 { continue }
            if action.handler == 0 {
                act(byDefault: signal, information)
                continue
            }
            settle(result, handled: action)
            result = nil
            do throws(Errno) {
                try pushFrame(information, action)
            } catch {
                // The stack cannot take it: as Linux does, SIGSEGV, which then must find a stack or end the program.
                if signal == Signal.segment { return process.endBySignal(information, of: self) }
                forceSignal(linux_signal_information(signal: Signal.segment, code: 0x80))
            }
        }
        settle(result, handled: nil)
        if let mask = signals.savedMask, !isEnding {
            signals.savedMask = nil
            setMask(mask)
        }
    }

    /// A call that a signal cut short starts again, or ends with EINTR.
    private func settle(_ result: Int64?, handled action: linux_signal_action?) {
        guard let result, result == -512 || result == -514 else { return }
        if let action, action.flags & Self.restarts == 0 || result == -514 {
            context.registers.rax = UInt64(bitPattern: -4)
        } else {
            context.registers.rax = currentCall
            context.registers.rip &-= 2
        }
    }

    private func act(byDefault signal: Int32, _ information: linux_signal_information) {
        switch Signal.defaultAction(signal) {
        case .ignore, .resume: return
        // Job control needs a shell, which needs fork: a stopped instance would never go on.
        case .stop: return
        case .end: process.endBySignal(information, of: self)
        }
    }

    /// A fault of the thread's own: blocked or ignored, it ends the program.
    public func forceSignal(_ information: linux_signal_information) {
        let signal = information.si_signo
        if signals.mask & Signal.bit(signal) != 0 || process.signals.isIgnored(signal) {
            process.signals.actions[Int(signal - 1)].handler = 0
            setMask(signals.mask & ~Signal.bit(signal))
        }
        signals.pending.add(information, limit: .max)
    }

    private func pushFrame(_ information: linux_signal_information, _ action: linux_signal_action) throws(Errno) {
        guard action.flags & Self.hasRestorer != 0 else { throw .efault }
        abortSequence()
        context.capture()
        let registers = context.registers
        var top = registers.rsp &- Self.redZone
        let stack = signals.stack
        let isOnStack = isOnSignalStack
        if action.flags & Self.onStack != 0, stack.ss_flags & 2 == 0, !isOnStack { top = stack.ss_sp &+ stack.ss_size }
        let stateCount = context.extendedByteCount
        let stateAt = (top &- UInt64(stateCount + 4)) & ~63
        let frameCount = UInt64(MemoryLayout<linux_signal_frame>.size)
        let frameAt = ((stateAt &- frameCount) & ~15) &- 8
        if isOnStack, frameAt < stack.ss_sp { throw .efault }
        try context.withExtended { (state) throws(Errno) in
            try self.memory.copyOut(state.bytes, to: stateAt)
        }
        // struct _fpx_sw_bytes, at 464 of the legacy part.
        try memory.write(Self.magicStart, at: stateAt + 464)
        try memory.write(UInt32(stateCount + 4), at: stateAt + 468)
        try memory.write(UInt64(7), at: stateAt + 472)
        try memory.write(UInt32(stateCount), at: stateAt + 480)
        try memory.write(Self.magicEnd, at: stateAt + UInt64(stateCount))
        var frame = linux_signal_frame()
        frame.return_address = action.restorer
        frame.information = information
        frame.context.uc_flags = 7  // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
        frame.context.uc_stack = stack
        if isOnStack { frame.context.uc_stack.ss_flags |= 1 }
        frame.context.uc_sigmask = signals.savedMask ?? signals.mask
        frame.context.uc_mcontext = machineContext(registers)
        frame.context.uc_mcontext.fpstate = stateAt
        try memory.write(frame, at: frameAt)
        signals.savedMask = nil
        var mask = signals.mask | action.mask
        if action.flags & Self.doesNotMask == 0 { mask |= Signal.bit(information.si_signo) }
        setMask(mask)
        if stack.ss_flags & Self.stackDisarms != 0 {
            signals.stack = linux_signal_stack(ss_sp: 0, ss_flags: Self.stackDisabled, padding: 0, ss_size: 0)
        }
        if action.flags & Self.resets != 0 { process.signals.actions[Int(information.si_signo - 1)].handler = 0 }
        try context.withExtended { (state) throws(Errno) in
            // A handler begins with the state of a program: no component of XSTATE_BV, the first control words.
            state.storeBytes(of: UInt16(0x37f), toByteOffset: 0, as: UInt16.self)
            state.storeBytes(of: UInt32(0x1f80), toByteOffset: 24, as: UInt32.self)
            state.storeBytes(of: UInt64(0), toByteOffset: 512, as: UInt64.self)
        }
        context.registers.rip = action.handler
        context.registers.rsp = frameAt
        context.registers.rdi = UInt64(UInt32(bitPattern: information.si_signo))
        context.registers.rsi = frameAt + 8 + UInt64(MemoryLayout<linux_user_context>.size)
        context.registers.rdx = frameAt + 8
        context.registers.rax = 0
        // The flags of a function's first instruction.
        context.registers.rflags &= ~0x1_0500
    }

    private func machineContext(_ registers: brique_user_context) -> linux_machine_context {
        var machine = linux_machine_context()
        machine.r8 = registers.r8
        machine.r9 = registers.r9
        machine.r10 = registers.r10
        machine.r11 = registers.r11
        machine.r12 = registers.r12
        machine.r13 = registers.r13
        machine.r14 = registers.r14
        machine.r15 = registers.r15
        machine.rdi = registers.rdi
        machine.rsi = registers.rsi
        machine.rbp = registers.rbp
        machine.rbx = registers.rbx
        machine.rdx = registers.rdx
        machine.rax = registers.rax
        machine.rcx = registers.rcx
        machine.rsp = registers.rsp
        machine.rip = registers.rip
        machine.eflags = registers.rflags
        machine.cs = 0x33
        machine.ss = 0x2b
        machine.err = lastError
        machine.trapno = lastVector
        machine.oldmask = signals.savedMask ?? signals.mask
        machine.cr2 = lastAddress
        return machine
    }

    /// rt_sigreturn(2): the context of the frame at the stack pointer. What it holds is the program's, so only what a program may
    /// have is taken.
    func returnFromHandler() {
        let frameAt = context.registers.rsp &- 8
        do throws(Errno) {
            let frame = try memory.read(linux_user_context.self, at: frameAt &+ 8)
            context.capture()
            try restoreState(frame.uc_mcontext.fpstate)
            restore(frame.uc_mcontext)
            setMask(frame.uc_sigmask)
            var stack = frame.uc_stack
            stack.ss_flags &= ~1
            if stack.ss_flags & ~(Self.stackDisabled | Self.stackDisarms) == 0 { signals.stack = stack }
        } catch {
            forceSignal(linux_signal_information(signal: Signal.segment, code: 0x80))
        }
        context.forget()
    }

    private func restoreState(_ address: UInt64) throws(Errno) {
        guard address != 0 else { return }
        let count = context.extendedByteCount
        guard address % 64 == 0 else { throw .efault }
        let isWhole = (try? memory.read(UInt32.self, at: address &+ 464)) == Self.magicStart
        try context.withExtended { (state) throws(Errno) in
            var part = state._mutatingExtracting(first: isWhole ? count : 512)
            try self.memory.copyIn(address, into: &part)
            // What XRSTOR would refuse: reserved bits of MXCSR, unknown components, reserved words of the header.
            let control = try state.word32(at: 24) & 0xffff
            state.storeBytes(of: control, toByteOffset: 24, as: UInt32.self)
            if isWhole {
                let features = try state.word64(at: 512) & self.process.features
                state.storeBytes(of: features, toByteOffset: 512, as: UInt64.self)
                for offset in stride(from: 520, to: 576, by: 8) { state.storeBytes(of: UInt64(0), toByteOffset: offset, as: UInt64.self) }
            } else {
                state.storeBytes(of: UInt64(3), toByteOffset: 512, as: UInt64.self)
            }
        }
    }

    private func restore(_ machine: linux_machine_context) {
        context.registers.r8 = machine.r8
        context.registers.r9 = machine.r9
        context.registers.r10 = machine.r10
        context.registers.r11 = machine.r11
        context.registers.r12 = machine.r12
        context.registers.r13 = machine.r13
        context.registers.r14 = machine.r14
        context.registers.r15 = machine.r15
        context.registers.rdi = machine.rdi
        context.registers.rsi = machine.rsi
        context.registers.rbp = machine.rbp
        context.registers.rbx = machine.rbx
        context.registers.rdx = machine.rdx
        context.registers.rax = machine.rax
        context.registers.rcx = machine.rcx
        context.registers.rsp = machine.rsp
        // An address that is none would fault inside of the way out; below the library OS it faults in the program.
        context.registers.rip = machine.rip < AddressSpace.highest ? machine.rip : 0
        context.registers.rflags = machine.eflags & 0x4_0dd5 | 0x202
        context.registers.is_full = 1
    }
}
