import LinuxCalls

/// The system calls of the monitors that take no address. Results are the kernel's: minus an errno if refused.
public enum Linux {
    @inline(__always)
    static func call(
        _ number: Int32, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0, _ d: UInt64 = 0, _ e: UInt64 = 0, _ f: UInt64 = 0
    ) -> Int64 {
        brique_linux_call(Int64(number), a, b, c, d, e, f)
    }

    /// exit_group(2)
    public static func exit(_ status: UInt8) -> Never {
        while true { _ = call(__NR_exit_group, UInt64(status)) }
    }

    /// getpid(2)
    public static var processIdentifier: Int32 { Int32(truncatingIfNeeded: call(__NR_getpid)) }

    /// tgkill(2): a signal to the only thread of this process.
    public static func raise(_ signal: Int32, process: Int32) {
        let process = UInt64(UInt32(bitPattern: process))
        _ = call(__NR_tgkill, process, process, UInt64(UInt32(bitPattern: signal)))
    }

    /// prctl(2) with numbers only.
    public static func control(_ option: ProcessControl, _ argument: UInt64 = 0) -> Int64 {
        call(__NR_prctl, option.rawValue, argument)
    }

    public enum ProcessControl: UInt64 {
        /// PR_SET_PDEATHSIG
        case setParentDeathSignal = 1
        /// PR_SET_DUMPABLE
        case setDumpable = 4
        /// PR_SET_NO_NEW_PRIVS
        case setNoNewPrivileges = 38
    }
}
