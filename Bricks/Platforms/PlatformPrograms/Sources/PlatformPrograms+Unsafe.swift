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
        default: break
        }
        return unsafe platformGate!(number, a, b, c)
    }
#endif
