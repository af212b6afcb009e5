import BootFormat
import CHypercalls
import Instance
import MachinePrograms
import PlatformPC

/// Programs below the library OS on a processor of our own: map, program and tick, where the platform's own gate does not answer them.
public enum PlatformPrograms {
    /// Once, before the first of those calls. Nothing changes where the monitor answers them.
    public static func start() {
        #if hasFeature(Embedded)
            // SAFETY: the call reads one structure, which outlives it; one processor, and the start of day is over.
            guard !Instance.isProcess, unsafe platformGate == nil else { return }
            var boot = Instance.boot
            unsafe withUnsafePointer(to: &boot) { unsafe brique_programs_prepare($0) }
            unsafe platformGate = brique_gate_current()
            brique_gate_set(gate)
        #endif
    }
}

#if hasFeature(Embedded)
    // SAFETY (all of this file): set once, before any call that reads it, on the only processor.
    nonisolated(unsafe) private var platformGate: brique_gate?

    private let tryAgain: Int64 = -11

    private func gate(number: UInt64, a: UInt64, b: UInt64, c: UInt64) -> Int64 {
        switch Int32(truncatingIfNeeded: number) {
        case BRIQUE_CALL_MAP: return brique_programs_map(a, b, c)
        case BRIQUE_CALL_DONATE_TABLE:
            let result = brique_programs_donate(a)
            if result != tryAgain { return result }
        case BRIQUE_CALL_PROGRAM:
            // The caller names a structure that stays.
            let program = unsafe UnsafeMutablePointer<brique_program>(bitPattern: UInt(a))
            let result = unsafe brique_programs_set(program, Instance.isPC ? 1 : 0)
            if Instance.isPC || result != 0 { return result }
        case BRIQUE_CALL_TICK where Instance.isPC:
            brique_programs_tick(PlatformPC.timerCount(nanoseconds: a))
            return 0
        case BRIQUE_CALL_CONSOLE_WRITE, BRIQUE_CALL_CONSOLE_READ, BRIQUE_CALL_ENTROPY:
            if a < UInt64(BRIQUE_VIRTUAL_BASE) && b > 0 { return relay(number, a, b) }
        default: break
        }
        return unsafe platformGate!(number, a, b, c)
    }

    private typealias Relay = InlineArray<2048, UInt64>
    /// Bytes of a program on their way: a platform takes addresses of the library OS alone, and a monitor none of a layer.
    nonisolated(unsafe) private var bytes = Relay(repeating: 0)

    private func relay(_ number: UInt64, _ address: UInt64, _ count: UInt64) -> Int64 {
        // SAFETY: the caller made the program's bytes accessible, as for any use of its own, and `part` of them are there.
        unsafe withUnsafeMutablePointer(to: &bytes) { bytes in
            let part = Int(min(count, UInt64(MemoryLayout<Relay>.size)))
            let own = UnsafeMutableRawPointer(bytes), program = unsafe UnsafeMutableRawPointer(bitPattern: UInt(address))!
            let isWrite = Int32(truncatingIfNeeded: number) == BRIQUE_CALL_CONSOLE_WRITE
            if isWrite { unsafe own.copyMemory(from: program, byteCount: part) }
            let result = unsafe platformGate!(number, UInt64(UInt(bitPattern: own)), UInt64(part), 0)
            if !isWrite && result > 0 { unsafe program.copyMemory(from: own, byteCount: min(Int(result), part)) }
            return result
        }
    }
#endif
