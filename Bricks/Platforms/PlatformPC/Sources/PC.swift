#if hasFeature(Embedded)
    import BootFormat
    import DMAMemory
    import MachineX86_64
    import RegisterBank
    import VirtioConsole
    import VirtioFormat
    import VirtioTransport

    /// The one machine: its console, its clock, its interrupts.
    struct PC: ~Copyable {
        typealias Console = VirtioConsoleDriver<VolatileRegisterBank>
        private enum ConsoleKind { case none, virtio, serial }
        /// What ends a sleep before its deadline.
        private enum Wake { case input, sent, nothing }

        private static var clockByteCount: Int { 64 }
        static var memoryByteCount: Int { clockByteCount &+ Console.memoryByteCount }
        private static var inputOutputError: Int64 { -5 }
        static var interrupted: Int64 { -4 }
        private static var badAddress: Int64 { -14 }
        private static var notSupported: Int64 { -38 }
        static var inputOutputAPIC: UInt64 { 0xfec0_0000 }
        static var localAPIC: UInt64 { 0xfee0_0000 }

        private var memory = SharedMemory()
        /// Where the raw command line is.
        var commandLine: UInt64 = 0
        /// The physical address where guest memory ends.
        private var memoryEnd: UInt64 = 0
        private var consoleKind = ConsoleKind.none
        var console = Console()
        /// The pin of the console's interrupt; zero: it comes by message.
        private var consoleInterrupt: UInt32 = 0
        private var input = InputFilter()
        var clock = Clock()

        var apic: LocalAPIC<VolatileRegisterBank> { LocalAPIC(bank: mappedRegisters(at: Self.localAPIC)) }

        /// - Parameter memory: `memoryByteCount` zeroed bytes, or more.
        mutating func start(_ memory: SharedMemory, memoryEnd: UInt64) {
            self.memory = memory
            self.memoryEnd = memoryEnd
            apic.start()
        }

        // MARK: - Finding the console

        @inline(never) private mutating func take(_ probed: consuming ProbedDevice<VolatileRegisterBank>, interrupt: UInt32) {
            guard probed.type == VirtioDeviceType.console else { return }
            do throws(NegotiationError) {
                try console.attach(probed, memory: memory.slice(at: Self.clockByteCount, byteCount: Console.memoryByteCount))
            } catch { ControlChannel().end(69, "error 69 the console cannot be driven\n") }
            consoleKind = .virtio
            consoleInterrupt = interrupt
        }

        /// The first of the command line's devices that is a console.
        mutating func findConsole(_ commandLine: CommandLine, _ information: inout brique_boot_information) {
            var at = 0
            while consoleKind == .none, let device = commandLine.nextDevice(&at) {
                guard mapDevice(device.base, UInt64(VirtioMMIO.byteCount), &information),
                    let probed = ProbedDevice(mmio: mappedRegisters(at: device.base))
                else { continue }
                take(probed, interrupt: device.interrupt)
            }
        }

        /// What the command line did not name: the first virtio console of PCI bus 0, else the serial port.
        mutating func findOtherConsole(_ information: inout brique_boot_information) {
            var slot: UInt32 = 0
            while slot < 32, consoleKind == .none {
                let function = PCIFunction(bus: 0, device: slot)
                slot &+= 1
                guard let found = VirtioPCIStructures(configuration: function), found.type == VirtioDeviceType.console,
                    mapDevice(found.common.address, UInt64(found.common.byteCount), &information),
                    mapDevice(found.notification.address, 0x10000 &* UInt64(found.notificationMultiplier) &+ 2, &information),
                    mapDevice(found.vectorTable.address, UInt64(found.vectorTable.byteCount), &information)
                else { continue }
                enable(function, found)
                take(
                    ProbedDevice(
                        pci: mappedRegisters(at: found.common.address), notification: mappedRegisters(at: found.notification.address),
                        multiplier: Int(found.notificationMultiplier), type: found.type), interrupt: 0)
            }
            guard consoleKind == .none, SerialPort.isPresent else { return }
            consoleKind = .serial
            consoleInterrupt = SerialPort.interrupt
        }

        /// The device's memory, its DMA, and its interrupts by message to the console's vector (PCI 3.0 §6.8.2).
        private func enable(_ function: PCIFunction, _ found: VirtioPCIStructures) {
            function.set(VirtioPCI.commandEnable, in: VirtioPCI.commandOffset)
            let entry = mappedRegisters(at: found.vectorTable.address)
            entry.write(UInt32(Self.localAPIC) | apic.destination >> 12, to: 0, .long)
            entry.write(0, to: 4, .long)
            entry.write(LocalAPIC<VolatileRegisterBank>.consoleVector, to: 8, .long)
            entry.write(0, to: 12, .long)
            // MSI-X Enable; the function mask is clear after a reset.
            function.set(0x8000_0000, in: found.vectorCapability)
        }

        // MARK: - Console

        /// `address` is physical.
        mutating func write(_ address: UInt64, _ count: UInt64) -> Int64 {
            guard address >= UInt64(BRIQUE_MEMORY_BASE), address < memoryEnd, count <= memoryEnd &- address else { return Self.badAddress }
            switch consoleKind {
            case .none: return Self.inputOutputError
            case .serial:
                let bytes = guestMemory(at: address, byteCount: Int(truncatingIfNeeded: count))
                var index = 0
                while index < bytes.byteCount {
                    SerialPort.write(bytes.load8(at: index))
                    index &+= 1
                }
                return Int64(truncatingIfNeeded: count)
            case .virtio:
                let count = UInt32(truncatingIfNeeded: min(count, 1 << 20))
                if count == 0 { return 0 }
                console.send(address: address, byteCount: count)
                var patience = 10_000
                while console.isSending() {
                    brique_pause()
                    patience &-= 1
                    // The reader is slow: sleep until the device interrupts.
                    if patience <= 0, sleep(until: .max, for: .sent) < 0 { return Self.interrupted }
                }
                return console.isBroken ? Self.inputOutputError : Int64(count)
            }
        }

        @inline(never) mutating func hasInput() -> Bool {
            switch consoleKind {
            case .none: false
            case .serial: input.isEnded || SerialPort.hasInput
            case .virtio: input.isEnded || console.hasInput()
            }
        }

        private mutating func nextByte() -> UInt8? {
            if consoleKind == .virtio { return console.read() }
            return SerialPort.hasInput ? SerialPort.read() : nil
        }

        /// Blocks until there is input, or its end.
        mutating func read(into bytes: inout MutableSpan<UInt8>) -> Int64 {
            var count = 0
            while bytes.count > 0, consoleKind != .none {
                while count < bytes.count, !input.isEnded, let raw = nextByte() {
                    guard let byte = input.take(raw) else { continue }
                    bytes[count] = byte
                    count &+= 1
                }
                if count > 0 || input.isEnded { break }
                if console.isBroken { return Self.inputOutputError }
                if wait(timeout: .max, mask: UInt64(BRIQUE_EVENT_CONSOLE_INPUT)) < 0 { return Self.interrupted }
            }
            return Int64(truncatingIfNeeded: count)
        }

        // MARK: - Waiting

        mutating func wait(timeout: UInt64, mask: UInt64) -> Int64 {
            let wantsInput = mask & UInt64(BRIQUE_EVENT_CONSOLE_INPUT) != 0
            if wantsInput, hasInput() { return Int64(BRIQUE_EVENT_CONSOLE_INPUT) }
            if timeout == 0 { return 0 }
            let deadline = timeout == .max ? .max : nanoseconds() &+ min(timeout, .max >> 1)
            return sleep(until: deadline, for: wantsInput ? .input : .nothing)
        }

        private mutating func isAwake(_ wake: Wake) -> Bool {
            switch wake {
            case .input: hasInput()
            case .sent: !console.isSending()
            case .nothing: false
            }
        }

        /// Sleeps until `wake`, when it returns one, or the deadline, when it returns zero. Below zero: the user interrupted
        /// the machine.
        @inline(never) private mutating func sleep(until deadline: UInt64, for wake: Wake) -> Int64 {
            routeConsole()
            while true {
                // Acknowledged before the look, so that what comes after the look ends the halt.
                console.acknowledgeInterrupt()
                if isAwake(wake) { return Int64(BRIQUE_EVENT_CONSOLE_INPUT) }
                if deadline != .max {
                    let now = nanoseconds()
                    if now >= deadline { return 0 }
                    // A minute at most, so that the product stays small; the loop goes on after it. Odd: a deadline, no tick of programs.
                    let counts = min(deadline &- now, 60_000_000_000) &* clock.timerKilohertz / 1_000_000 | 1
                    apic.arm(count: UInt32(clamping: counts))
                }
                let result = brique_core_call(UInt64(BRIQUE_CORE_HALT), 0, 0, 0)
                apic.acknowledge()
                if result < 0 { return Self.interrupted }
            }
        }

        @inline(never) func routeConsole() {
            if consoleKind == .serial { SerialPort.enableInterrupt() }
            guard consoleInterrupt != 0 else { return }
            // QEMU's microvm has pins 24 and up on a second controller.
            let isSecond = consoleInterrupt >= 24
            routeInterrupt(
                isSecond ? consoleInterrupt &- 24 : consoleInterrupt,
                of: mappedRegisters(at: isSecond ? Self.inputOutputAPIC &+ 0x10000 : Self.inputOutputAPIC),
                destination: apic.destination, vector: LocalAPIC<VolatileRegisterBank>.consoleVector)
        }

        // MARK: - Time and entropy

        @inline(never) mutating func nanoseconds() -> UInt64 {
            if !clock.isRunning, !clock.run(apic, memory.slice(at: 0, byteCount: Self.clockByteCount)) {
                ControlChannel().end(69, "error 69 no clock\n")
            }
            return clock.nanoseconds
        }

        @inline(never) mutating func wallTime() -> Int64 {
            let now = nanoseconds()
            if clock.wallStart == 0 {
                guard let seconds = realTimeClockSeconds(RealTimeClockPorts()) else { return Self.notSupported }
                clock.wallStart = seconds &* 1_000_000_000 &- now
            }
            return Int64(truncatingIfNeeded: clock.wallStart &+ now)
        }

        @inline(never) static func entropy(into bytes: inout MutableSpan<UInt8>) -> Int64 {
            // CPUID 1, ecx bit 30: RDRAND.
            guard brique_cpuid(1, 2) & 1 << 30 != 0 else { return notSupported }
            var index = 0
            while index < bytes.count {
                let value = brique_random()
                if value == 0 { return inputOutputError }
                bytes[index] = UInt8(truncatingIfNeeded: value)
                index &+= 1
            }
            return Int64(truncatingIfNeeded: index)
        }
    }

    /// The configuration space of function 0 of a device, by ports (PCI 3.0 §3.2.2.3.2). Whole registers only.
    struct PCIFunction: RegisterBank {
        private let address: UInt32

        init(bus: UInt32, device: UInt32) { address = 0x8000_0000 | bus << 16 | device << 11 }

        @inline(never) func read(_ offset: Int, _ width: RegisterWidth) -> UInt32 {
            brique_out32(0xcf8, address | UInt32(truncatingIfNeeded: offset & 0xfc))
            return brique_in32(0xcfc)
        }

        func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth) {
            brique_out32(0xcf8, address | UInt32(truncatingIfNeeded: offset & 0xfc))
            brique_out32(0xcfc, value)
        }

        @inline(never) func set(_ bits: UInt32, in offset: Int) { write(read(offset, .long) | bits, to: offset, .long) }
    }
#endif
