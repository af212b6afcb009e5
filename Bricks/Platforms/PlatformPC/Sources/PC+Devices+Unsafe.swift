#if hasFeature(Embedded)
    import BootFormat
    import CHypercalls
    import DMAMemory
    import MachineX86_64
    import RegisterBank
    import VirtioConsole
    import VirtioFormat
    import VirtioTransport

    /// Devices beside the console. An app that uses none links none of this.
    extension PlatformPC {
        public typealias Bank = VolatileRegisterBank

        /// Gives every virtio device of `type` to `body`, with its configuration space: those of the command line, then those of PCI bus 0.
        ///
        /// Their interrupts end `wait`.
        public static func forEachDevice(ofType type: UInt32, _ body: (consuming ProbedDevice<Bank>, Bank) -> Void) {
            // SAFETY (all of this file): the machine was started before any app runs, never moves, and its functions do not nest.
            guard let machine = unsafe machine else { return }
            unsafe machine.pointee.eachNamedDevice(type, body)
            unsafe machine.pointee.eachPCIDevice(type, body)
        }

        /// Zeroed pages of the heap that devices may use, for good.
        public static func takeDeviceMemory(byteCount: Int) -> SharedMemory {
            let page = Int(BRIQUE_PAGE_SIZE)
            let taken = (byteCount &+ page &- 1) & ~(page &- 1)
            // SAFETY: fresh memory that is never given back.
            let pointer = UnsafeMutableRawPointer.allocate(byteCount: taken, alignment: page)
            let memory = guestMemory(at: UInt64(UInt(bitPattern: pointer)) &- UInt64(BRIQUE_VIRTUAL_BASE), byteCount: taken)
            var offset = 0
            while offset < taken {
                memory.store64(0, at: offset)
                offset &+= 8
            }
            return memory
        }

        /// Sleeps until `isReady`, which is asked after every interrupt, or `events` of the console's, or the time is over.
        ///
        /// Returns which of `events` are there. `isReady` asks its devices to interrupt before it looks.
        public static func wait(for events: UInt64, timeoutNanoseconds: UInt64, isReady: () -> Bool) -> UInt64 {
            guard let machine = unsafe machine else { return 0 }
            let result = unsafe machine.pointee.wait(for: events, timeout: timeoutNanoseconds, isReady: isReady)
            if result == PC.interrupted {
                // An NMI came to a halted machine: nothing was running.
                let message: StaticString = "idle"
                unsafe brique_panic(
                    UInt32(BRIQUE_CRASH_INTERRUPTED), UnsafeRawPointer(message.utf8Start).assumingMemoryBound(to: CChar.self),
                    UInt64(message.utf8CodeUnitCount))
            }
            return UInt64(result)
        }
    }

    extension PC {
        fileprivate func eachNamedDevice(
            _ type: UInt32, _ body: (consuming ProbedDevice<PlatformPC.Bank>, PlatformPC.Bank) -> Void
        ) {
            // In the heap's memory the line is overwritten by now. QEMU's is below.
            guard commandLine != 0, commandLine < UInt64(BRIQUE_VIRTUAL_BASE) + UInt64(BRIQUE_MEMORY_BASE) else { return }
            // SAFETY: the start of day read it up to its zero; ring 0 mapped all below the image, and nobody writes there.
            let start = unsafe UnsafePointer<UInt8>(bitPattern: UInt(commandLine))!
            var count = 0
            while unsafe start[count] != 0 { count &+= 1 }
            let line = unsafe CommandLine(UnsafeBufferPointer(start: start, count: count).span)
            var at = 0
            while let device = line.nextDevice(&at) {
                let byteCount = UInt64(VirtioMMIO.configurationOffset &+ VirtioNet.configurationByteCount)
                guard mapLater(device.base, byteCount), let probed = ProbedDevice(mmio: mappedRegisters(at: device.base)),
                    probed.type == type
                else { continue }
                route(device.interrupt)
                body(probed, mappedRegisters(at: device.base &+ UInt64(VirtioMMIO.configurationOffset)))
            }
        }

        fileprivate func eachPCIDevice(
            _ type: UInt32, _ body: (consuming ProbedDevice<PlatformPC.Bank>, PlatformPC.Bank) -> Void
        ) {
            var slot: UInt32 = 0
            while slot < 32 {
                let function = PCIFunction(bus: 0, device: slot)
                slot &+= 1
                guard let found = VirtioPCIStructures(configuration: function), found.type == type else { continue }
                let own = VirtioPCIStructures.deviceConfiguration(configuration: function)
                let reach = 0x10000 &* UInt64(found.notificationMultiplier) &+ 2
                guard own.byteCount >= UInt32(VirtioNet.configurationByteCount), mapLater(own.address, UInt64(own.byteCount)),
                    mapLater(found.common.address, UInt64(found.common.byteCount)), mapLater(found.notification.address, reach),
                    mapLater(found.vectorTable.address, UInt64(found.vectorTable.byteCount))
                else { continue }
                interruptByMessage(function, found)
                let probed = ProbedDevice(
                    pci: mappedRegisters(at: found.common.address), notification: mappedRegisters(at: found.notification.address),
                    multiplier: Int(found.notificationMultiplier), type: found.type)
                body(probed, mappedRegisters(at: own.address))
            }
        }

        /// The device's memory, its DMA, and its interrupts by message to the console's vector (PCI 3.0 §6.8.2).
        private func interruptByMessage(_ function: PCIFunction, _ found: VirtioPCIStructures) {
            function.set(VirtioPCI.commandEnable, in: VirtioPCI.commandOffset)
            let entry = mappedRegisters(at: found.vectorTable.address)
            entry.write(UInt32(Self.localAPIC) | apic.destination >> 12, to: 0, .long)
            entry.write(0, to: 4, .long)
            entry.write(LocalAPIC<VolatileRegisterBank>.consoleVector, to: 8, .long)
            entry.write(0, to: 12, .long)
            // MSI-X Enable; the function mask is clear after a reset.
            function.set(0x8000_0000, in: found.vectorCapability)
        }

        /// A pin's interrupt to the console's vector: all that any of them does is end a halt.
        private func route(_ pin: UInt32) {
            let isSecond = pin >= 24
            routeInterrupt(
                isSecond ? pin &- 24 : pin, of: mappedRegisters(at: isSecond ? Self.inputOutputAPIC &+ 0x10000 : Self.inputOutputAPIC),
                destination: apic.destination, vector: LocalAPIC<VolatileRegisterBank>.consoleVector)
        }

        /// As `mapDevice`, when the heap has begun: pages for tables come from it.
        private func mapLater(_ physical: UInt64, _ byteCount: UInt64) -> Bool {
            // Four levels of tables, for two neighbouring regions.
            var patience = 8
            while true {
                let result = brique_core_call(UInt64(BRIQUE_CORE_MAP_DEVICE), physical, byteCount, 0)
                guard result == -12, patience > 0 else { return result == 0 }
                patience &-= 1
                // SAFETY: a page of the heap that is never given back: it holds tables from now on.
                let page = UnsafeMutableRawPointer.allocate(
                    byteCount: Int(BRIQUE_PAGE_SIZE), alignment: Int(BRIQUE_PAGE_SIZE))
                let donated = brique_core_call(UInt64(BRIQUE_CORE_DONATE_TABLE), UInt64(UInt(bitPattern: page)), 0, 0)
                guard donated == 0 else { return false }
            }
        }

        fileprivate mutating func wait(for events: UInt64, timeout: UInt64, isReady: () -> Bool) -> Int64 {
            let wantsInput = events & UInt64(BRIQUE_EVENT_CONSOLE_INPUT) != 0
            let deadline = timeout == .max || timeout == 0 ? timeout : nanoseconds() &+ min(timeout, .max >> 1)
            if timeout > 0 { routeConsole() }
            while true {
                console.acknowledgeInterrupt()
                let hasInput = wantsInput && hasInput()
                if isReady() || hasInput || timeout == 0 { return hasInput ? Int64(BRIQUE_EVENT_CONSOLE_INPUT) : 0 }
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
    }
#endif
