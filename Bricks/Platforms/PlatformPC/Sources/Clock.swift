#if hasFeature(Embedded)
    import DMAMemory
    import MachineX86_64
    import RegisterBank
    import Time

    /// The time-stamp counter as a clock, and the local APIC's timer beside it.
    struct Clock {
        private var rate = TickRate.unknown
        private var start: UInt64 = 0
        /// Counts of the local APIC's timer in a millisecond.
        private(set) var timerKilohertz: UInt64 = 0
        /// Nanoseconds since 1970 at the clock's zero, zero if it is not known.
        var wallStart: UInt64 = 0

        var isRunning: Bool { rate.isKnown }
        var nanoseconds: UInt64 { rate.nanoseconds(of: brique_timestamp() &- start) }

        /// KVM's own clock, or one measured for ten milliseconds against the PC's timer; false if there is neither.
        ///
        /// - Parameter shared: 64 bytes that KVM may write, for ever.
        @inline(never) mutating func run(_ apic: LocalAPIC<VolatileRegisterBank>, _ shared: SharedMemory) -> Bool {
            // "KVMK"; KVM_FEATURE_CLOCKSOURCE2.
            guard brique_cpuid(0x4000_0000, 1) == 0x4b4d_564b, brique_cpuid(0x4000_0001, 0) & 8 != 0 else { return measure(apic) }
            start = brique_timestamp()
            // struct pvclock_wall_clock at 0, struct pvclock_vcpu_time_info at 32.
            _ = brique_core_call(UInt64(BRIQUE_CORE_WRITE_MSR), 0x4b56_4d00, shared.deviceAddress, 0)
            _ = brique_core_call(UInt64(BRIQUE_CORE_WRITE_MSR), 0x4b56_4d01, shared.deviceAddress &+ 33, 0)
            let multiplier = UInt64(shared.load32(at: 32 + 24))
            let shift = Int8(bitPattern: shared.load8(at: 32 + 28))
            guard multiplier != 0, shift.magnitude < 32 else { return false }
            // Nanoseconds are ticks * 2^shift * multiplier / 2^32.
            let kilohertz = ((1_000_000 as UInt64) << 32) / multiplier
            wallStart = UInt64(shared.load32(at: 4)) &* 1_000_000_000 &+ UInt64(shared.load32(at: 8)) &+ shared.load64(at: 32 + 16)
            // KVM's bus clock is 1 GHz, and the timer counts a sixteenth of it.
            timerKilohertz = 62_500
            setRate(kilohertz: shift < 0 ? kilohertz &<< UInt64(shift.magnitude) : kilohertz &>> UInt64(shift.magnitude))
            return true
        }

        @inline(never) private mutating func setRate(kilohertz: UInt64) { rate = TickRate(kilohertz: max(1, kilohertz)) }

        private mutating func measure(_ apic: LocalAPIC<VolatileRegisterBank>) -> Bool {
            // Channel 0, both bytes, mode 0: counts down from 65,535 at 1.193182 MHz (8254 data sheet). Its interrupt is masked.
            brique_out8(0x43, 0x30)
            brique_out8(0x40, 0xff)
            brique_out8(0x40, 0xff)
            apic.arm(count: .max)
            let from = Sample(apic)
            var to = from
            var patience = 100_000
            while from.timer &- to.timer < 11_932 {
                patience &-= 1
                guard patience > 0 else { return false }
                to = Sample(apic)
            }
            // Not below the bound of the loop.
            let ticks = UInt64(from.timer &- to.timer) &* 1000 | 1
            start = from.timestamp
            timerKilohertz = UInt64(from.count &- to.count) &* 1_193_182 / ticks
            setRate(kilohertz: (to.timestamp &- from.timestamp) &* 1_193_182 / ticks)
            return true
        }

        /// Three counters at one moment: the fastest of a few readings, for a host may take the processor away within one.
        private struct Sample {
            private(set) var timer: UInt16 = 0
            private(set) var timestamp: UInt64 = 0
            private(set) var count: UInt32 = 0

            @inline(never) init(_ apic: LocalAPIC<VolatileRegisterBank>) {
                var fastest = UInt64.max
                var tries = 8
                while tries > 0 {
                    tries &-= 1
                    let before = brique_timestamp()
                    brique_out8(0x43, 0)
                    let count = apic.count
                    let low = brique_in8(0x40)
                    let high = brique_in8(0x40)
                    let duration = brique_timestamp() &- before
                    guard duration < fastest else { continue }
                    fastest = duration
                    timer = UInt16(low) | UInt16(high) << 8
                    timestamp = before
                    self.count = count
                }
            }
        }
    }

    /// CMOS memory, by ports.
    struct RealTimeClockPorts: RegisterBank {
        @inline(never) func read(_ offset: Int, _ width: RegisterWidth) -> UInt32 {
            brique_out8(0x70, UInt8(truncatingIfNeeded: offset))
            return UInt32(brique_in8(0x71))
        }

        func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth) {
            brique_out8(0x70, UInt8(truncatingIfNeeded: offset))
            brique_out8(0x71, UInt8(truncatingIfNeeded: value))
        }
    }
#endif
