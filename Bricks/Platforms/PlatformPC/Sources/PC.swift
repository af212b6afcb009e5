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

        private static var clockByteCount: Int { 64 }
        static var memoryByteCount: Int { clockByteCount + Console.memoryByteCount }
        private static var inputOutputError: Int64 { -5 }
        static var interrupted: Int64 { -4 }
        private static var badAddress: Int64 { -14 }
        private static var notSupported: Int64 { -38 }

        private let memory: SharedMemory
        private let memoryEnd: UInt64
        private var console: Console?
        private var serial: SerialPort?
        /// The pin of the console's interrupt; nil: it comes by message.
        private var consoleInterrupt: UInt32?
        private var clock: Clock?
        private var hasInterrupts = false
        private let apic: LocalAPIC<VolatileRegisterBank>

        /// - Parameter memory: `memoryByteCount` zeroed bytes.
        /// - Parameter memoryEnd: the physical address where guest memory ends.
        init(memory: SharedMemory, memoryEnd: UInt64) {
            self.memory = memory
            self.memoryEnd = memoryEnd
            apic = LocalAPIC(bank: mappedRegisters(at: 0xfee0_0000))
        }

        var hasConsole: Bool { console != nil }

        private mutating func take(_ probed: consuming ProbedDevice<VolatileRegisterBank>) {
            guard probed.type == VirtioDeviceType.console else { return }
            console = try? Console(
                probed, memory: memory.slice(at: Self.clockByteCount, byteCount: Console.memoryByteCount))
        }

        /// The first of the command line's devices that is a console.
        mutating func findConsole(_ commandLine: CommandLine, _ information: inout brique_boot_information) {
            var at = 0
            while console == nil, let device = commandLine.nextDevice(&at) {
                guard mapDevice(device.base, VirtioMMIO.byteCount, &information),
                    let probed = ProbedDevice(mmio: mappedRegisters(at: device.base))
                else { continue }
                take(probed)
                consoleInterrupt = device.interrupt
            }
        }

        /// The first console of PCI bus 0, with its interrupt by message.
        mutating func findPCIConsole(_ information: inout brique_boot_information) {
            var slot: UInt32 = 0
            while slot < 32, console == nil {
                let function = PCIFunction(bus: 0, device: slot)
                slot += 1
                guard let found = VirtioPCIStructures(configuration: function), found.type == VirtioDeviceType.console,
                    mapDevice(found.common.address, Int(found.common.byteCount), &information),
                    mapDevice(found.notification.address, 0x10000 * Int(found.notificationMultiplier) + 2, &information),
                    mapDevice(found.vectorTable.address, Int(found.vectorTable.byteCount), &information)
                else { continue }
                function.write(function.read(VirtioPCI.commandOffset, .long) | VirtioPCI.commandEnable, to: VirtioPCI.commandOffset, .long)
                let table = mappedRegisters(at: found.vectorTable.address)
                table.write(0xfee0_0000 | apic.identity << 12, to: 0, .long)
                table.write(0, to: 4, .long)
                table.write(LocalAPIC<VolatileRegisterBank>.consoleVector, to: 8, .long)
                table.write(0, to: 12, .long)
                // MSI-X Enable, and no function mask (PCI 3.0 §6.8.2.3).
                function.write(
                    function.read(found.vectorCapability, .long) & 0x3fff_ffff | 0x8000_0000, to: found.vectorCapability, .long)
                take(
                    ProbedDevice(
                        pci: mappedRegisters(at: found.common.address), notification: mappedRegisters(at: found.notification.address),
                        multiplier: Int(found.notificationMultiplier), type: found.type, vector: 0))
            }
        }

        mutating func findSerial() {
            serial = SerialPort()
            consoleInterrupt = SerialPort.interrupt
        }

        // MARK: - Console

        /// `address` is physical.
        mutating func write(_ address: UInt64, _ count: UInt64) -> Int64 {
            guard address >= UInt64(BRIQUE_MEMORY_BASE), address < memoryEnd, count <= memoryEnd - address else { return Self.badAddress }
            guard console != nil else { return writeSerial(address, count) }
            let count = min(count, 1 << 20)
            if count == 0 { return 0 }
            console!.send(address: address, byteCount: UInt32(count))
            var patience = 10_000
            while console!.isSending() {
                brique_pause()
                patience -= 1
                guard patience <= 0 else { continue }
                // The reader is slow: sleep until the device interrupts.
                enableInterrupts()
                console!.acknowledgeInterrupt()
                if console!.isSending(), halt() < 0 { return Self.interrupted }
            }
            return console!.isBroken() ? Self.inputOutputError : Int64(count)
        }

        private func writeSerial(_ address: UInt64, _ count: UInt64) -> Int64 {
            guard let serial else { return Self.inputOutputError }
            let bytes = guestMemory(at: address, byteCount: Int(count))
            var index = 0
            while index < bytes.byteCount {
                serial.write(bytes.load8(at: index))
                index += 1
            }
            return Int64(count)
        }

        private mutating func hasInput() -> Bool {
            if console != nil { return console!.hasInput() }
            return serial?.hasInput ?? false
        }

        /// Blocks until there is input.
        mutating func read(into bytes: inout MutableSpan<UInt8>) -> Int64 {
            guard bytes.count > 0 else { return 0 }
            let ready = wait(timeout: .max, mask: UInt64(BRIQUE_EVENT_CONSOLE_INPUT))
            if ready < 0 { return ready }
            if console != nil {
                let count = console!.read(into: &bytes)
                return console!.isBroken() ? Self.inputOutputError : Int64(count)
            }
            var count = 0
            while count < bytes.count, let serial, serial.hasInput {
                bytes[count] = serial.read()
                count += 1
            }
            return Int64(count)
        }

        // MARK: - Waiting

        private mutating func enableInterrupts() {
            guard !hasInterrupts else { return }
            hasInterrupts = true
            apic.start()
            serial?.enableInterrupt()
            guard let pin = consoleInterrupt else { return }
            // QEMU's microvm has pins 24 and up on a second controller.
            let controller: UInt64 = pin < 24 ? 0xfec0_0000 : 0xfec1_0000
            routeInterrupt(
                pin < 24 ? pin : pin - 24, of: mappedRegisters(at: controller), to: apic.identity,
                vector: LocalAPIC<VolatileRegisterBank>.consoleVector)
        }

        /// Sleeps until an interrupt; below zero: the user interrupted the machine.
        private func halt() -> Int64 {
            let result = brique_core_call(UInt64(BRIQUE_CORE_HALT), 0, 0, 0)
            apic.acknowledge()
            return result
        }

        mutating func wait(timeout: UInt64, mask: UInt64) -> Int64 {
            let wantsInput = mask & UInt64(BRIQUE_EVENT_CONSOLE_INPUT) != 0
            if wantsInput, hasInput() { return Int64(BRIQUE_EVENT_CONSOLE_INPUT) }
            if timeout == 0 { return 0 }
            enableInterrupts()
            let deadline = timeout == .max ? .max : nanoseconds() &+ min(timeout, .max >> 1)
            while true {
                if console != nil { console!.acknowledgeInterrupt() }
                if wantsInput, hasInput() { return Int64(BRIQUE_EVENT_CONSOLE_INPUT) }
                if deadline != .max {
                    let clock = runningClock()
                    let now = clock.nanoseconds
                    if now >= deadline { return 0 }
                    // A minute at most, so that the product stays small; the loop goes on after it.
                    let counts = min(deadline - now, 60_000_000_000) * clock.timerKilohertz / 1_000_000 + 1
                    apic.arm(count: UInt32(clamping: counts))
                }
                if halt() < 0 { return Self.interrupted }
            }
        }

        // MARK: - Time and entropy

        private mutating func runningClock() -> Clock {
            if let clock { return clock }
            enableInterrupts()
            guard let started = Clock(apic: apic, shared: memory.slice(at: 0, byteCount: Self.clockByteCount)) else {
                ControlChannel().refuse(69, "this machine has no clock to measure time with")
            }
            clock = started
            return started
        }

        mutating func nanoseconds() -> UInt64 { runningClock().nanoseconds }

        mutating func wallTime() -> Int64 {
            var clock = runningClock()
            let now = clock.nanoseconds
            if clock.wallStart == nil {
                let seconds = realTimeClockSeconds { register in
                    brique_out8(0x70, register)
                    return brique_in8(0x71)
                }
                guard let seconds else { return Self.notSupported }
                clock.wallStart = seconds * 1_000_000_000 &- now
                self.clock = clock
            }
            return Int64(truncatingIfNeeded: (clock.wallStart ?? 0) &+ now)
        }

        func entropy(into bytes: inout MutableSpan<UInt8>) -> Int64 {
            // CPUID 1, ecx bit 30: RDRAND.
            guard brique_cpuid(1, 2) >> 30 & 1 != 0 else { return Self.notSupported }
            var index = 0
            var value: UInt64 = 0
            while index < bytes.count {
                if index & 7 == 0 { value = brique_random() }
                guard value != 0 || index & 7 != 0 else { break }
                bytes[index] = UInt8(truncatingIfNeeded: value)
                value >>= 8
                index += 1
            }
            return index > 0 || bytes.count == 0 ? Int64(index) : Self.inputOutputError
        }
    }

    /// The configuration space of function 0 of a device, by ports (PCI 3.0 §3.2.2.3.2).
    struct PCIFunction: RegisterBank {
        private let address: UInt32

        init(bus: UInt32, device: UInt32) { address = 0x8000_0000 | bus << 16 | device << 11 }

        /// Whole registers only.
        func read(_ offset: Int, _ width: RegisterWidth) -> UInt32 {
            brique_out32(0xcf8, address | UInt32(offset & 0xfc))
            return brique_in32(0xcfc)
        }

        func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth) {
            brique_out32(0xcf8, address | UInt32(offset & 0xfc))
            brique_out32(0xcfc, value)
        }
    }
#endif
