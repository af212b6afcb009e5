#if hasFeature(Embedded)
    import MachineX86_64

    /// What a tool outside listens to: the debug console, or the serial port of a machine that has none. See docs/qemu.md.
    struct ControlChannel: RecordSink {
        private static var debugConsole: UInt16 { 0xe9 }
        private static var debugExit: UInt16 { 0xf4 }

        func put(_ byte: UInt8) {
            // QEMU's debug console reads as its own port number.
            if brique_in8(Self.debugConsole) == 0xe9 { return brique_out8(Self.debugConsole, byte) }
            if let serial = SerialPort() { serial.write(byte) }
        }

        /// Ends the machine, by the first of these that it has: debug exit, keyboard controller, triple fault.
        func end(_ status: UInt8) -> Never {
            brique_out8(Self.debugExit, status)
            brique_out8(0x64, 0xfe)
            _ = brique_core_call(UInt64(BRIQUE_CORE_RESET), 0, 0, 0)
            fatalError()
        }

        /// The record `error STATUS TEXT`, and the end.
        func refuse(_ status: UInt8, _ text: StaticString) -> Never {
            put("error ")
            put(decimal: UInt64(status))
            put(" ")
            put(text)
            put("\n")
            end(status)
        }
    }

    /// The first serial port: a 16550 at its traditional place, with whatever rate the firmware set.
    struct SerialPort {
        private static var base: UInt16 { 0x3f8 }
        static var interrupt: UInt32 { 4 }

        /// Nil: there is none.
        init?() { guard status != 0xff else { return nil } }

        private var status: UInt8 { brique_in8(Self.base + 5) }

        var hasInput: Bool { status & 1 != 0 }
        func read() -> UInt8 { brique_in8(Self.base) }

        func write(_ byte: UInt8) {
            // A port that is not ready after this long has nobody behind it.
            var patience = 1_000_000
            while status & 0x20 == 0, patience > 0 { patience -= 1 }
            brique_out8(Self.base, byte)
        }

        /// Interrupts for input: received data, and the pin's gate (OUT2).
        func enableInterrupt() {
            brique_out8(Self.base + 1, 1)
            brique_out8(Self.base + 4, 0x0b)
        }
    }
#endif
