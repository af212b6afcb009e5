import BootFormat
import CHypercalls
import CLinuxFormat
import Errno
import LinuxMemory

// What the machine calls: a system call, an exception, a tick (program.S).
extension LinuxThread {
    /// Answers a call, and what waits behind it. The result is what the program finds in rax.
    @inline(__always) func answer() -> Int64 {
        let number = context.registers.rax
        began(number)
        let arguments = Arguments([
            context.registers.rdi, context.registers.rsi, context.registers.rdx, context.registers.r10, context.registers.r8,
            context.registers.r9,
        ])
        if brique_program_take_trap() != 0 { rewrite(number) }
        if process.observer != nil { return answerObserved(number, arguments) }
        let result = call(number, arguments)
        if isPlain(result) { return result }
        return finish(result)
    }

    @inline(never) private func rewrite(_ number: UInt64) {
        guard let rewriter = process.rewriter else { return }
        if let next = rewriter.trapped(at: context.registers.rip &- 2, number: number) { context.registers.rip = next }
        // Changed code needs a serializing instruction before it runs: the whole way out is by one.
        context.capture()
    }

    @inline(__always) private func call(_ number: UInt64, _ arguments: borrowing Arguments) -> Int64 {
        guard let row = process.catalogue[number] else { return process.refuse(number) }
        do throws(Errno) {
            return Int64(try row.handler(self, arguments))
        } catch {
            return -Int64(error.rawValue)
        }
    }

    @inline(__always) private func isPlain(_ result: Int64) -> Bool {
        result != -512 && result != -514 && (signals.pending.set | process.signals.pending.set) & ~signals.mask == 0
            && signals.savedMask == nil
    }

    @inline(never) private func finish(_ result: Int64) -> Int64 {
        context.registers.rax = UInt64(bitPattern: result)
        // What rt_sigreturn(2) gives is a register of the program's, not a result.
        deliverSignals(afterCall: currentCall == 15 ? nil : result)
        return Int64(bitPattern: context.registers.rax)
    }

    @inline(never) private func answerObserved(_ number: UInt64, _ arguments: borrowing Arguments) -> Int64 {
        process.observer?.began(self, number, arguments)
        let result = call(number, arguments)
        process.observer?.ended(self, number, arguments, result)
        return isPlain(result) ? result : finish(result)
    }

    /// An exception of the program's own, or a tick.
    func interrupted(vector: UInt64, error: UInt64, address: UInt64) {
        switch vector {
        case UInt64(BRIQUE_VECTOR_TICK):
            tick()
            abortSequence()
            if hasSignal { deliverSignals(afterCall: nil) }
        case 14:
            let pageError = error
            do throws(MemoryFault) {
                try memory.fault(address, isWrite: error & 2 != 0, isExecution: error & 16 != 0)
            } catch {
                lastError = pageError & ~1 | (error == .protected && isPresent(address) ? 1 : 0)
                faulted(error, address)
            }
        default: excepted(vector, error)
        }
    }

    /// Whether the processor would find the page: it may have met one that was only not mapped yet.
    private func isPresent(_ address: UInt64) -> Bool {
        memory.isResident(address & ~(AddressSpace.pageByteCount - 1)) && memory.area(of: address)?.protection.isEmpty == false
    }

    private func faulted(_ fault: MemoryFault, _ address: UInt64) {
        lastVector = 14
        lastAddress = address
        var information: linux_signal_information
        switch fault {
        case .notMapped: information = linux_signal_information(signal: Signal.segment, code: 1)
        case .protected: information = linux_signal_information(signal: Signal.segment, code: 2)
        case .beyondFile: information = linux_signal_information(signal: Signal.bus, code: 2)
        case .outOfMemory: return process.endWithoutMemory()
        }
        information.words.0 = address
        forceSignal(information)
        deliverSignals(afterCall: nil)
    }

    /// FPE_FLTINV and its like: which exception of floating point happened that is not masked.
    private func arithmeticCode(isVector: Bool) -> Int32 {
        context.capture()
        var flags: UInt32 = 0
        _ = try? context.withExtended { (state) throws(Errno) in
            if isVector {
                let control = try state.word32(at: 24)
                flags = control & ~(control >> 7)
            } else {
                let words = try state.word32(at: 0)
                flags = words >> 16 & ~words
            }
        }
        if flags & 1 != 0 { return 7 }
        if flags & 4 != 0 { return 3 }
        if flags & 8 != 0 { return 4 }
        if flags & 0x12 != 0 { return 5 }
        return flags & 0x20 != 0 ? 6 : 0
    }

    /// The signals of Linux's exceptions (sigaction(2), si_code).
    private func excepted(_ vector: UInt64, _ error: UInt64) {
        lastVector = vector
        lastError = error
        lastAddress = 0
        var information: linux_signal_information
        switch vector {
        case 0: information = linux_signal_information(signal: Signal.arithmetic, code: 1)
        case 1: information = linux_signal_information(signal: Signal.trap, code: 2)
        case 3: information = linux_signal_information(signal: Signal.trap, code: 0x80)
        case 4, 5, 10, 11, 12, 13: information = linux_signal_information(signal: Signal.segment, code: 0x80)
        case 6:
            // Some hypervisors do not know `int n`, which is no program's to use.
            let isInterrupt = (try? memory.read(UInt8.self, at: context.registers.rip)) == 0xcd
            information = linux_signal_information(signal: isInterrupt ? Signal.segment : Signal.illegal, code: isInterrupt ? 0x80 : 2)
        case 16, 19: information = linux_signal_information(signal: Signal.arithmetic, code: arithmeticCode(isVector: vector == 19))
        case 17: information = linux_signal_information(signal: Signal.bus, code: 1)
        default: information = linux_signal_information(signal: Signal.segment, code: 0x80)
        }
        if vector == 0 || (vector == 6 && information.si_code == 2) || vector == 16 || vector == 19 || vector == 1 {
            information.words.0 = context.registers.rip
        }
        forceSignal(information)
        deliverSignals(afterCall: nil)
    }
}
