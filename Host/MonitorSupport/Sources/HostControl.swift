import LinuxCalls

/// Where a monitor reports to, and how it ends.
public struct HostControl: Sendable {
    public let descriptor: FileDescriptor
    private let process: Int32

    private let hasTool: Bool

    /// `control` nil: there is no tool, records go to standard error.
    public init(control: FileDescriptor?) {
        descriptor = control ?? .standardError
        hasTool = control != nil
        process = Linux.processIdentifier
    }

    /// From now on this process is killed when the tool dies; if it is dead already, this process ends. A change of user undoes this
    /// (prctl(2)).
    public func dieWithTool() {
        guard hasTool else { return }
        // SIGKILL
        _ = Linux.control(.setParentDeathSignal, 9)
        // A tool that died before that sends no signal, but nobody reads the records any more: poll(2) tells without being asked.
        if Poll.wait(descriptor, for: 0, nanoseconds: 0) != 0 { Linux.exit(RefusalStatus.hostRefused.rawValue) }
    }

    public var processIdentifier: UInt32 { UInt32(bitPattern: process) }

    /// Dies of `signal`, whose action is the default one by now.
    public func die(of signal: Int32) -> Never {
        Linux.raise(signal, process: process)
        Linux.exit(UInt8(truncatingIfNeeded: 128 + signal))
    }

    public func refuse(_ refusal: Refusal) -> Never {
        var text = TextBuffer()
        text.append("error ")
        text.append(decimal: UInt64(refusal.status.rawValue))
        text.append(" ")
        text.append(refusal.text)
        if refusal.errno < 0 {
            text.append(": ")
            if let reason = ErrorNumber.text(refusal.errno) {
                text.append(reason)
            } else {
                text.append("errno ")
                text.append(decimal: refusal.errno.magnitude)
            }
        }
        text.append(byte: 0x0a)
        descriptor.writeAll(text)
        Linux.exit(refusal.status.rawValue)
    }

    public func end(_ report: CrashReport) -> Never {
        descriptor.writeAll(report.record)
        Linux.exit(report.exitStatus)
    }
}

/// Signals that end an instance (signal(7)).
public enum EndingSignal {
    public static let hangup: Int32 = 1, interrupt: Int32 = 2, quit: Int32 = 3, terminate: Int32 = 15
    /// All four, as a signal mask.
    public static let mask: UInt64 = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14
    public static let range: ClosedRange<Int32> = 1...15
    public static func contains(_ signal: Int32) -> Bool { mask >> UInt64(signal - 1) & 1 == 1 }
}
