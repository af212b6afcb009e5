#if hasFeature(Embedded)
    extension PlatformPC {
        /// What the local APIC's timer counts in `nanoseconds`, at most a minute: even, so that a tick is never taken for a deadline.
        public static func timerCount(nanoseconds: UInt64) -> UInt32 {
            // SAFETY: the machine was started before any app runs, never moves, and its functions do not nest.
            guard nanoseconds > 0, let machine = unsafe machine else { return 0 }
            _ = unsafe machine.pointee.nanoseconds()
            let kilohertz = unsafe machine.pointee.clock.timerKilohertz
            let counts = min(nanoseconds, 60_000_000_000) &* kilohertz / 1_000_000
            return UInt32(clamping: max(counts, 2)) & ~1
        }
    }
#endif
