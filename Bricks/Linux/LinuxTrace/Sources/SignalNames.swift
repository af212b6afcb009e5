import Bytes
import CLinuxFormat
import LinuxProcess

/// signal(7).
public enum SignalNames {
    public static func text(_ signal: Int32) -> [UInt8] {
        if signal >= 32, signal <= 64 { return StaticString("SIGRT_").bytes + decimal(UInt64(signal - 32)) }
        var index: Int32 = 0
        var found: [UInt8]?
        names.forEachWord { word in
            index += 1
            if index == signal { found = StaticString("SIG").bytes + word }
        }
        return found ?? TraceLine.signed(Int64(signal))
    }

    /// The reason that sigaction(2) names.
    static func code(_ signal: Int32, _ code: Int32) -> [UInt8] {
        let name: StaticString? =
            switch (signal, code) {
            case (_, 0): "SI_USER"
            case (_, 0x80): "SI_KERNEL"
            case (_, -1): "SI_QUEUE"
            case (_, -2): "SI_TIMER"
            case (_, -6): "SI_TKILL"
            case (4, 2): "ILL_ILLOPN"
            case (5, 2): "TRAP_TRACE"
            case (7, 1): "BUS_ADRALN"
            case (7, 2): "BUS_ADRERR"
            case (8, 1): "FPE_INTDIV"
            case (8, 7): "FPE_FLTINV"
            case (11, 1): "SEGV_MAPERR"
            case (11, 2): "SEGV_ACCERR"
            default: nil
            }
        return name?.bytes ?? TraceLine.signed(Int64(code))
    }

    /// "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL}"
    public static func text(_ information: linux_signal_information) -> [UInt8] {
        let signal = information.si_signo
        var text = StaticString("{si_signo=").bytes + Self.text(signal)
        text += StaticString(", si_code=").bytes + code(signal, information.si_code)
        if information.si_code > 0, [4, 5, 7, 8, 11].contains(signal) {
            text += StaticString(", si_addr=").bytes + TraceLine.pointer(information.words.0)
        } else if information.si_code <= 0 {
            text += StaticString(", si_pid=").bytes + TraceLine.signed(Int64(Int32(truncatingIfNeeded: information.words.0)))
            text += StaticString(", si_uid=").bytes + decimal(information.words.0 >> 32)
        }
        return text + [0x7d]
    }

    private static var names: StaticString {
        """
        HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU \
        XFSZ VTALRM PROF WINCH IO PWR SYS
        """
    }
}
