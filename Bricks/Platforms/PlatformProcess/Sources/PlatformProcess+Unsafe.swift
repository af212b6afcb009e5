import BootFormat
import CHypercalls

/// The process monitor's platform: a hypercall is a call of the monitor's own function, in the same process.
public enum PlatformProcess {
    /// `gate` is the address that the monitor gave in the boot information.
    public static func start(gate: UInt64) {
        // SAFETY: the monitor states the address of a `brique_gate`; it started this image, so it is trusted to.
        unsafe brique_gate_set(unsafeBitCast(UInt(gate), to: brique_gate.self))
    }
}
