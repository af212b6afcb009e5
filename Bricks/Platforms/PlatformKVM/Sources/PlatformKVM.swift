import BootFormat
import CHypercalls
import MachineX86_64

/// The KVM monitor's platform: a hypercall is an OUT of the physical address of a block that holds it.
public enum PlatformKVM {
    public static func start() {
        #if hasFeature(Embedded)
            brique_gate_set(gate)
        #endif
    }
}

#if hasFeature(Embedded)
    /// Page tables belong to the image's own ring-0 core; all else is the monitor's.
    private func gate(number: UInt64, a: UInt64, b: UInt64, c: UInt64) -> Int64 {
        switch Int32(truncatingIfNeeded: number) {
        case BRIQUE_CALL_PROTECT: brique_core_call(UInt64(BRIQUE_CORE_PROTECT), a, b, c)
        case BRIQUE_CALL_DONATE_TABLE: brique_core_call(UInt64(BRIQUE_CORE_DONATE_TABLE), a, 0, 0)
        default: brique_port_call(number, a, b, c)
        }
    }
#endif
