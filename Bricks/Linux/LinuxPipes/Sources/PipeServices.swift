import CLinuxFormat
import LinuxProcess
import VFS

/// What the calls of this brick keep of a process: it hangs on the process.
final class PipeServices {
    private var lastNumber: UInt64 = 0
    private var signalSource: ProcessSignalSource?

    /// Inode numbers of pipes.
    func nextNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    func signals(of process: LinuxProcess) -> SignalSource {
        if let signalSource { return signalSource }
        let source = ProcessSignalSource(process)
        process.signalWatchers.append { source.observers.notify(.input) }
        signalSource = source
        return source
    }
}

extension LinuxProcess {
    var pipeServices: PipeServices {
        for attachment in attachments { if let services = attachment as? PipeServices { return services } }
        let services = PipeServices()
        attachments.append(services)
        return services
    }
}

/// Signals as signalfd(2) tells them: of the process, and of the thread that asks.
final class ProcessSignalSource: SignalSource {
    // Lives as long as the process, on which it hangs.
    private let process: LinuxProcess

    init(_ process: LinuxProcess) {
        self.process = process
        super.init()
    }

    override func isPending(_ mask: UInt64) -> Bool {
        (process.signals.pending.set | (LinuxThread.current?.signals.pending.set ?? 0)) & mask != 0
    }

    override func take(_ mask: UInt64, into bytes: inout MutableRawSpan) -> Bool {
        guard let thread = LinuxThread.current, let signal = process.takeSignal(mask, for: thread) else { return false }
        var record = linux_signalfd_information()
        record.ssi_signo = UInt32(bitPattern: signal.si_signo)
        record.ssi_errno = signal.si_errno
        record.ssi_code = signal.si_code
        let first = UInt32(truncatingIfNeeded: signal.words.0), second = UInt32(truncatingIfNeeded: signal.words.0 >> 32)
        switch (signal.si_signo, signal.si_code) {
        // SI_TIMER
        case (_, -2):
            record.ssi_tid = first
            record.ssi_overrun = second
            record.ssi_ptr = signal.words.1
            record.ssi_int = Int32(truncatingIfNeeded: signal.words.1)
        // Faults tell where.
        case (4, 1...), (5, 1...), (7, 1...), (8, 1...), (11, 1...): record.ssi_addr = signal.words.0
        case (17, _):
            record.ssi_pid = first
            record.ssi_uid = second
            record.ssi_status = Int32(truncatingIfNeeded: signal.words.1)
        default:
            record.ssi_pid = first
            record.ssi_uid = second
            record.ssi_ptr = signal.words.1
            record.ssi_int = Int32(truncatingIfNeeded: signal.words.1)
        }
        bytes.storeBytes(of: record, toByteOffset: 0, as: linux_signalfd_information.self)
        return true
    }
}
