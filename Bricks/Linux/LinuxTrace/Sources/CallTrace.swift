import Bytes
import CLinuxFormat
import LinuxFormat
import LinuxProcess
import Time

/// `--trace`: a line for each call, as strace(1) writes it; `--stats`: how often each was made, and for how long.
public final class CallTrace: CallObserver {
    private let isTraced: Bool
    private var statistics: CallStatistics?
    private let write: ([UInt8]) -> Void
    /// From the first thread on, every line says whose it is.
    private var hadThreads = false

    public init(isTraced: Bool, hasStatistics: Bool, write: @escaping (_ line: [UInt8]) -> Void) {
        self.isTraced = isTraced
        statistics = hasStatistics ? CallStatistics() : nil
        self.write = write
        super.init()
    }

    /// exit, exit_group and rt_sigreturn do not come back.
    private static func returns(_ number: UInt64) -> Bool { number != 60 && number != 231 && number != 15 }
    /// mmap, brk, mremap, shmat.
    private static func isAddress(_ number: UInt64) -> Bool { number == 9 || number == 12 || number == 25 || number == 30 }

    public override func began(_ thread: LinuxThread, _ number: UInt64, _ arguments: borrowing Arguments) {
        if statistics != nil { thread.callStart = thread.process.system.now }
        guard isTraced, !Self.returns(number) else { return }
        var line = head(thread)
        line.add(call: number, arguments, result: nil)
        line.pad(to: 39)
        line.add(" = ?")
        write(line.bytes)
    }

    public override func ended(_ thread: LinuxThread, _ number: UInt64, _ arguments: borrowing Arguments, _ result: Int64) {
        if statistics != nil {
            let nanoseconds = thread.process.system.now.nanoseconds - thread.callStart.nanoseconds
            statistics?.add(number, isError: result < 0 && result >= -4095, nanoseconds)
        }
        guard isTraced, Self.returns(number) else { return }
        var line = head(thread)
        line.add(call: number, arguments, result: result)
        line.add(result: result, isAddress: Self.isAddress(number))
        write(line.bytes)
    }

    public override func signalled(_ thread: LinuxThread, _ information: linux_signal_information) {
        guard isTraced else { return }
        var line = head(thread)
        line.add("--- ")
        line.bytes += SignalNames.text(information.si_signo) + [0x20] + SignalNames.text(information)
        line.add(" ---")
        write(line.bytes)
    }

    public override func ended(_ thread: LinuxThread) {
        guard isTraced else { return }
        var line = head(thread)
        if let signal = thread.process.endingSignal {
            line.add("+++ killed by ")
            line.bytes += SignalNames.text(signal)
        } else {
            line.add("+++ exited with ")
            line.add(signed: Int64(thread.process.exitStatus ?? 0))
        }
        line.add(" +++")
        write(line.bytes)
    }

    public override func exited(_ process: LinuxProcess) {
        guard let statistics else { return }
        for line in statistics.lines() { write(line) }
    }

    private func head(_ thread: LinuxThread) -> TraceLine {
        var line = TraceLine(thread)
        if thread.process.threads.count > 1 { hadThreads = true }
        guard hadThreads else { return line }
        line.add("[pid ")
        line.add(signed: Int64(thread.identifier))
        line.add("] ")
        return line
    }
}
