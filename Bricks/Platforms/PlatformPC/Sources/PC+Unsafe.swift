#if hasFeature(Embedded)
    import BootFormat
    import CHypercalls
    import DMAMemory
    import MachineX86_64
    import RegisterBank

    // SAFETY: set once before any other code runs; a machine with one processor, whose hypercalls do not nest. A pointer,
    // because a value that is not all zeros would be made at its first use, behind a lock.
    nonisolated(unsafe) var machine: UnsafeMutablePointer<PC>?

    private let pageByteCount = UInt64(BRIQUE_PAGE_SIZE)
    /// More than any hypervisor passes on.
    private let commandLineLimit: UInt64 = 1 << 16

    /// Whole pages off the end of the memory that nobody uses yet, zeroed.
    @inline(never) func takeMemory(_ information: inout brique_boot_information, byteCount: Int) -> SharedMemory {
        let taken = (UInt64(truncatingIfNeeded: byteCount) &+ pageByteCount &- 1) & ~(pageByteCount &- 1)
        guard information.memory_end &- information.memory_start > taken else {
            ControlChannel().end(78, "error 78 memory is too small\n")
        }
        information.memory_end &-= taken
        // SAFETY: the loader gave [memory_start, memory_end) to the image, and the heap has not started.
        unsafe UnsafeMutableRawPointer(bitPattern: UInt(information.memory_end))!
            .initializeMemory(as: UInt8.self, repeating: 0, count: Int(taken))
        return guestMemory(at: information.memory_end &- UInt64(BRIQUE_VIRTUAL_BASE), byteCount: Int(taken))
    }

    func guestMemory(at physical: UInt64, byteCount: Int) -> SharedMemory {
        // SAFETY: the callers checked the range, or took it; it is mapped for as long as the machine runs.
        unsafe SharedMemory(
            base: UInt(UInt64(BRIQUE_VIRTUAL_BASE) &+ physical), deviceAddress: physical, byteCount: byteCount)
    }

    /// Device registers at a physical address that `mapDevice`, or the loader, mapped.
    func mappedRegisters(at physical: UInt64) -> VolatileRegisterBank {
        unsafe VolatileRegisterBank(base: UInt(UInt64(BRIQUE_VIRTUAL_BASE) &+ physical))
    }

    /// False: there is memory at that place, or nothing may ever be there. Pages for tables come from the end of memory.
    @inline(never) func mapDevice(_ physical: UInt64, _ byteCount: UInt64, _ information: inout brique_boot_information) -> Bool {
        while true {
            let result = brique_core_call(UInt64(BRIQUE_CORE_MAP_DEVICE), physical, byteCount, 0)
            guard result == -12, information.memory_end &- information.memory_start > pageByteCount else { return result == 0 }
            information.memory_end &-= pageByteCount
            guard brique_core_call(UInt64(BRIQUE_CORE_DONATE_TABLE), information.memory_end, 0, 0) == 0 else { return false }
        }
    }

    extension PC {
        /// From the raw command line in `information.strings` to the strings, and to the console.
        mutating func readCommandLine(_ information: inout brique_boot_information) {
            let low = UInt64(BRIQUE_VIRTUAL_BASE) + UInt64(BRIQUE_MEMORY_BASE)
            let end = information.strings < low ? low : information.memory_end
            guard information.strings < end else { ControlChannel().end(65, "error 65 the command line is out of reach\n") }
            // SAFETY: ring 0 mapped all below `low`, and [low, memory_end) is guest memory; neither changes meanwhile.
            let source = unsafe UnsafePointer<UInt8>(bitPattern: UInt(information.strings))!
            var count = 0
            while unsafe source[count] != 0 {
                count &+= 1
                guard count < Int(min(end &- information.strings, commandLineLimit)) else {
                    ControlChannel().end(65, "error 65 the command line is too long\n")
                }
            }
            let commandLine = unsafe CommandLine(UnsafeBufferPointer(start: source, count: count).span)
            findConsole(commandLine, &information)
            decode(commandLine, byteCount: count &+ 1, &information)
        }

        private func decode(_ commandLine: CommandLine, byteCount: Int, _ information: inout brique_boot_information) {
            _ = takeMemory(&information, byteCount: byteCount)
            var output = ownedBytes(information.memory_end, UInt64(byteCount))
            var end = 0
            do throws(CommandLineError) {
                information.argument_count = try commandLine.decode(arguments: true, into: &output, &end)
                information.environment_count = try commandLine.decode(arguments: false, into: &output, &end)
            } catch {
                ControlChannel().end(65, "error 65 the command line has a bad %-escape\n")
            }
            information.strings = information.memory_end
            information.strings_byte_count = UInt64(end)
        }

        mutating func answer(_ number: UInt64, _ a: UInt64, _ b: UInt64, _ c: UInt64) -> Int64 {
            switch Int32(truncatingIfNeeded: number) {
            case BRIQUE_CALL_EXIT: end(a & 0xff)
            case BRIQUE_CALL_CONSOLE_WRITE: return write(a &- UInt64(BRIQUE_VIRTUAL_BASE), b)
            case BRIQUE_CALL_CONSOLE_READ:
                var bytes = ownedBytes(a, b)
                return read(into: &bytes)
            case BRIQUE_CALL_WAIT: return wait(timeout: a, mask: b)
            case BRIQUE_CALL_MONOTONIC_TIME: return Int64(truncatingIfNeeded: nanoseconds())
            case BRIQUE_CALL_WALL_TIME: return wallTime()
            case BRIQUE_CALL_ENTROPY:
                var bytes = ownedBytes(a, b)
                return Self.entropy(into: &bytes)
            case BRIQUE_CALL_PROTECT: return brique_core_call(UInt64(BRIQUE_CORE_PROTECT), a, b, c)
            case BRIQUE_CALL_DONATE_TABLE: return brique_core_call(UInt64(BRIQUE_CORE_DONATE_TABLE), a, 0, 0)
            case BRIQUE_CALL_CRASH: endCrashed(a)
            default: return -38
            }
        }
    }

    func startMachine(_ information: inout brique_boot_information) {
        let memory = takeMemory(&information, byteCount: PC.memoryByteCount &+ MemoryLayout<PC>.size)
        // SAFETY: the memory was taken for this, and behind `memoryByteCount`, a multiple of 16, nobody else uses it.
        let place = unsafe UnsafeMutablePointer<PC>(bitPattern: UInt(information.memory_end) &+ UInt(PC.memoryByteCount))!
        unsafe place.initialize(to: PC())
        unsafe machine = place
        unsafe place.pointee.start(memory, memoryEnd: information.memory_bytes &+ UInt64(BRIQUE_MEMORY_BASE))
        unsafe place.pointee.commandLine = information.strings
        if information.strings != 0 { unsafe place.pointee.readCommandLine(&information) }
        unsafe place.pointee.findOtherConsole(&information)
        brique_gate_set(gate)
    }

    private func gate(number: UInt64, a: UInt64, b: UInt64, c: UInt64) -> Int64 {
        let result = unsafe machine!.pointee.answer(number, a, b, c)
        // Only a halted machine reports this: an NMI came, and nothing was running.
        if result == PC.interrupted {
            let message: StaticString = "idle"
            // SAFETY: the message is static, and its length its own.
            unsafe brique_panic(
                UInt32(BRIQUE_CRASH_INTERRUPTED), UnsafeRawPointer(message.utf8Start).assumingMemoryBound(to: CChar.self),
                UInt64(message.utf8CodeUnitCount))
        }
        return result
    }

    @_lifetime(immortal)
    private func ownedBytes(_ address: UInt64, _ count: UInt64) -> MutableSpan<UInt8> {
        // SAFETY: the typed hypercalls pass a span's own address and count, exclusively theirs during the call; and memory
        // that was taken is nobody else's.
        unsafe _overrideLifetime(
            UnsafeMutableBufferPointer(start: UnsafeMutablePointer<UInt8>(bitPattern: UInt(address)), count: Int(count)).mutableSpan,
            copying: ())
    }

    private func end(_ status: UInt64) -> Never {
        let channel = ControlChannel()
        channel.put("exit ")
        channel.put(status, base: 10)
        channel.put(UInt8(ascii: "\n"))
        channel.end(status)
    }

    private func endCrashed(_ address: UInt64) -> Never {
        let channel = ControlChannel()
        // SAFETY: the caller passes a `struct brique_crash`.
        let crash = unsafe SharedMemory(base: UInt(address), deviceAddress: 0, byteCount: MemoryLayout<brique_crash>.size)
        let faultAddress = UInt64(bitPattern: brique_core_call(UInt64(BRIQUE_CORE_FAULT_ADDRESS), 0, 0, 0))
        channel.put(crash: crash, faultAddress: faultAddress)
        channel.end(0xff)
    }
#endif
