import LinuxCalls
import MonitorSupport

extension KVMInstance {
    /// Runs with handlers for the signals that end an instance.
    mutating func runWithSignals() -> Never {
        // SAFETY: run() never returns, so the pointer is good for every signal. The only thread is either in run() or in the handler,
        // which reads what no longer changes.
        unsafe withUnsafeMutablePointer(to: &self) { pointer -> Void in
            unsafe brique_context_set(pointer)
            let flags = UInt64(BRIQUE_SIGNAL_RESET) | UInt64(BRIQUE_SIGNAL_NOT_MASKED)
            for signal in EndingSignal.range where EndingSignal.contains(signal) {
                _ = unsafe brique_signal_handle(signal, ended, flags, EndingSignal.mask)
            }
            if unsafe pointer.pointee.timer != nil {
                _ = unsafe brique_signal_handle(TickTimer.signal, ticked, UInt64(BRIQUE_SIGNAL_RESTART), EndingSignal.mask)
            }
            unsafe pointer.pointee.run()
        }
        Linux.exit(RefusalStatus.hostRefused.rawValue)
    }
}

/// Reports where the guest was, and dies of the signal: its action is the default one again (SA_RESETHAND).
private func ended(
    _ signal: Int32, _ information: UnsafePointer<brique_signal_information>?, _ context: UnsafePointer<brique_signal_context>?
) {
    // SAFETY: the context was set to an instance that lives as long as the process.
    guard let instance = unsafe brique_context()?.assumingMemoryBound(to: KVMInstance.self) else { return }
    if brique_idle() == 0 || signal == EndingSignal.quit {
        let report = unsafe instance.pointee.snapshot(.interrupted)
        unsafe instance.pointee.control.descriptor.writeAll(report.record)
    }
    unsafe instance.pointee.control.die(of: signal)
}

/// The guest leaves the processor, now or when it is about to enter it.
private func ticked(
    _ signal: Int32, _ information: UnsafePointer<brique_signal_information>?, _ context: UnsafePointer<brique_signal_context>?
) {
    // SAFETY: as above.
    unsafe brique_context()?.assumingMemoryBound(to: KVMInstance.self).pointee.machine.requestExit()
}
