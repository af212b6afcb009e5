#if hasFeature(Embedded)
    import Backtrace
    import Bytes
    import CLinuxFormat
    import LinuxProcess
    import LinuxTrace

    /// What is told of a program that ends by a fault: why, with which registers, where it was, and who had called it.
    enum ProgramReport {
        static func lines(_ thread: LinuxThread, _ information: linux_signal_information) -> [[UInt8]] {
            // What a call left in the processor.
            thread.context.capture()
            var first =
                StaticString("the program ended by ").bytes + SignalNames.text(information.si_signo) + [0x20]
                + SignalNames.text(information)
            first += StaticString(", thread ").bytes + decimal(UInt64(thread.identifier))
            var backtrace = Backtrace(thread)
            return [first] + backtrace.registerLines() + backtrace.lines()
        }
    }
#endif
