#if hasFeature(Embedded)
    import MachineX86_64

    /// What a tool outside listens to: the debug console, or the serial port of a machine that has none. See docs/qemu.md.
    struct ControlChannel: RecordSink {
        private static var debugConsole: UInt16 { 0xe9 }
        private static var debugExit: UInt16 { 0xf4 }

        @inline(never) func put(_ byte: UInt8) {
            // QEMU's debug console reads as its own port number.
            if brique_in8(Self.debugConsole) == 0xe9 { return brique_out8(Self.debugConsole, byte) }
            if SerialPort.isPresent { SerialPort.write(byte) }
        }

        /// Ends the machine, by the first of these that it has: debug exit, keyboard controller, triple fault.
        @inline(never) func end(_ status: UInt64) -> Never {
            brique_out8(Self.debugExit, UInt8(truncatingIfNeeded: status))
            brique_out8(0x64, 0xfe)
            _ = brique_core_call(UInt64(BRIQUE_CORE_RESET), 0, 0, 0)
            fatalError()
        }

        /// A whole record `error STATUS …`, and the end.
        @inline(never) func end(_ status: UInt64, _ record: StaticString) -> Never {
            put(record)
            end(status)
        }
    }

    /// The first serial port: a 16550 at its traditional place, with whatever rate the firmware set.
    enum SerialPort {
        private static var base: UInt16 { 0x3f8 }
        static var interrupt: UInt32 { 4 }

        private static var status: UInt8 { brique_in8(base + 5) }
        static var isPresent: Bool { status != 0xff }
        static var hasInput: Bool { status & 1 != 0 }
        static func read() -> UInt8 { brique_in8(base) }

        @inline(never) static func write(_ byte: UInt8) {
            // A port that is not ready after this long has nobody behind it.
            var patience = 1_000_000
            while status & 0x20 == 0, patience > 0 { patience &-= 1 }
            brique_out8(base, byte)
        }

        /// Interrupts for input: received data, and the pin's gate (OUT2).
        static func enableInterrupt() {
            brique_out8(base + 1, 1)
            brique_out8(base + 4, 0x0b)
        }
    }
#endif
