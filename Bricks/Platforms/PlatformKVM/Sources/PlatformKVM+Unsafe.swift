import BootFormat
import CHypercalls
import MachineX86_64
import Time

/// The KVM monitor's platform: a hypercall is an OUT of the physical address of a block that holds it.
public enum PlatformKVM {
    /// `tscKilohertz` is the rate of the time-stamp counter, zero if the monitor does not know it.
    public static func start(tscKilohertz: UInt64) {
        #if hasFeature(Embedded)
            // SAFETY: set once, before any other code of the one processor runs.
            unsafe clockStart = brique_timestamp()
            if tscKilohertz > 0 { unsafe clockRate = TickRate(kilohertz: tscKilohertz) }
            brique_gate_set(gate)
        #endif
    }
}

#if hasFeature(Embedded)
    // All zero at first, like every global of the guest: initialised data would keep its whole object file in the image.
    nonisolated(unsafe) private var clockRate = TickRate.unknown
    nonisolated(unsafe) private var clockStart: UInt64 = 0

    /// Time is read off the processor, page tables belong to the image's own ring-0 core; all else is the monitor's.
    private func gate(number: UInt64, a: UInt64, b: UInt64, c: UInt64) -> Int64 {
        switch Int32(truncatingIfNeeded: number) {
        case BRIQUE_CALL_MONOTONIC_TIME:
            guard unsafe clockRate.isKnown else { return brique_port_call(number, a, b, c) }
            return Int64(truncatingIfNeeded: unsafe clockRate.nanoseconds(of: brique_timestamp() &- clockStart))
        case BRIQUE_CALL_PROTECT: return brique_core_call(UInt64(BRIQUE_CORE_PROTECT), a, b, c)
        case BRIQUE_CALL_DONATE_TABLE: return brique_core_call(UInt64(BRIQUE_CORE_DONATE_TABLE), a, 0, 0)
        default: return brique_port_call(number, a, b, c)
        }
    }
#endif
