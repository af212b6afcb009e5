#if hasFeature(Embedded)
    import DMAMemory
    import MachineX86_64
    import RegisterBank
    import Time

    /// The time-stamp counter as a clock, and the local APIC's timer beside it.
    struct Clock {
        let rate: TickRate
        let start: UInt64
        /// Counts of the local APIC's timer in a millisecond.
        let timerKilohertz: UInt64
        /// KVM's: nanoseconds since 1970 at `start`.
        var wallStart: UInt64?

        var nanoseconds: UInt64 { rate.nanoseconds(of: brique_timestamp() &- start) }

        /// Asks KVM, or measures against the PC's timer for ten milliseconds; nil if there is neither.
        ///
        /// - Parameter shared: 64 bytes that KVM may write, for ever.
        init?(apic: LocalAPIC<VolatileRegisterBank>, shared: SharedMemory) {
            // "KVMK"; KVM_FEATURE_CLOCKSOURCE2.
            if brique_cpuid(0x4000_0000, 1) == 0x4b4d_564b, brique_cpuid(0x4000_0001, 0) & 8 != 0 {
                self.init(kvm: shared)
            } else {
                self.init(measuring: apic)
            }
        }

        // struct pvclock_wall_clock at 0, struct pvclock_vcpu_time_info at 32.
        private init?(kvm shared: SharedMemory) {
            start = brique_timestamp()
            _ = brique_core_call(UInt64(BRIQUE_CORE_WRITE_MSR), 0x4b56_4d00, shared.deviceAddress, 0)
            _ = brique_core_call(UInt64(BRIQUE_CORE_WRITE_MSR), 0x4b56_4d01, shared.deviceAddress + 32 | 1, 0)
            let multiplier = UInt64(shared.load32(at: 32 + 24))
            let shift = Int8(bitPattern: shared.load8(at: 32 + 28))
            guard multiplier != 0, shift.magnitude < 32 else { return nil }
            // Nanoseconds are ticks * 2^shift * multiplier / 2^32. Swift's shifts take negative counts the other way.
            let kilohertz = ((1_000_000 as UInt64) << 32 / multiplier) >> shift
            guard kilohertz > 0 else { return nil }
            rate = TickRate(kilohertz: kilohertz)
            // KVM's bus clock is 1 GHz, and the timer counts a sixteenth of it.
            timerKilohertz = 62_500
            wallStart = UInt64(shared.load32(at: 4)) &* 1_000_000_000 &+ UInt64(shared.load32(at: 8)) &+ shared.load64(at: 32 + 16)
        }

        private init?(measuring apic: LocalAPIC<VolatileRegisterBank>) {
            // Channel 0, both bytes, mode 0: counts down from 65,535 at 1.193182 MHz (8254 data sheet). Its interrupt is masked.
            brique_out8(0x43, 0x30)
            brique_out8(0x40, 0xff)
            brique_out8(0x40, 0xff)
            apic.arm(count: .max)
            let from = Sample(apic)
            var to = from
            var patience = 100_000
            while from.timer &- to.timer < 11_932 {
                patience -= 1
                guard patience > 0 else { return nil }
                to = Sample(apic)
            }
            let ticks = UInt64(from.timer &- to.timer) * 1000
            rate = TickRate(kilohertz: max(1, (to.timestamp &- from.timestamp) * 1_193_182 / ticks))
            timerKilohertz = max(1, UInt64(from.apic &- to.apic) * 1_193_182 / ticks)
            start = from.timestamp
        }

        private struct Sample {
            let timer: UInt16
            let timestamp: UInt64
            let apic: UInt32

            init(_ apic: LocalAPIC<VolatileRegisterBank>) {
                brique_out8(0x43, 0)
                let low = brique_in8(0x40)
                timer = UInt16(low) | UInt16(brique_in8(0x40)) << 8
                timestamp = brique_timestamp()
                self.apic = apic.count
            }
        }
    }
#endif
