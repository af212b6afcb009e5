#if hasFeature(Embedded)
    import ClockPage
    import Errno
    import Instance
    import LinuxProcess
    import MachineVDSO
    import MachineX86_64
    import PageFrames
    import Scheduler
    import Time

    /// The platform's clock beside the processor's counter.
    final class InstanceClock: ClockSource {
        override var counter: UInt64 { brique_timestamp() }
        override var monotonic: UInt64 { Instant.now.nanoseconds }
        override var wall: UInt64 { WallTime.now.nanosecondsSince1970 }

        /// Elsewhere the platform's own clock is that counter. CPUID leaf 8000_0007h, edx bit 8: the rate is always the same.
        private static var isSteady: Bool { !Instance.isProcess || brique_cpuid(0x8000_0007, 3) & 0x100 != 0 }

        static func page(_ frames: PageFrames) throws(Errno) -> ClockPage {
            try ClockPage(InstanceClock(), frames: frames, isSteady: isSteady)
        }

        static func sharedObject(_ clock: ClockPage, _ frames: PageFrames) throws(Errno) -> VDSO {
            var bytes: [UInt8] = []
            for index in 0..<brique_vdso_byte_count() { bytes.append(brique_vdso_byte(index)) }
            return try VDSO(bytes, clockPage: clock.frame, frames: frames)
        }
    }
#endif
