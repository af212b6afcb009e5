#if hasFeature(Embedded)
    import Bytes
    import CHypercalls
    import CLinuxFormat
    import Errno
    import LinuxMemory
    import LinuxProcess
    import VFS

    /// What is told of a program that ends by a fault: where it was, and who had called it.
    enum ProgramReport {
        private static var frameLimit: Int { 32 }

        static func lines(_ thread: LinuxThread, _ information: linux_signal_information) -> [[UInt8]] {
            var first = StaticString("the program ended by signal ").bytes + decimal(UInt64(information.si_signo))
            let registers = thread.context.registers
            if information.si_signo == Signal.segment || information.si_signo == Signal.bus {
                first += StaticString(", address ").bytes + hexadecimal(information.words.0)
            }
            first += StaticString(", thread ").bytes + decimal(UInt64(thread.identifier))
            var lines = [first]
            lines.append(line(0, registers.rip, thread.process))
            var frame = registers.rbp
            while lines.count <= frameLimit, frame % 8 == 0, let next = try? thread.memory.read(UInt64.self, at: frame),
                let address = try? thread.memory.read(UInt64.self, at: frame &+ 8), address != 0,
                let area = thread.memory.area(of: address),
                area.protection.contains(.execute)
            {
                lines.append(line(lines.count - 1, address, thread.process))
                guard next > frame else { break }
                frame = next
            }
            return lines
        }

        /// "#0 0x55… /usr/bin/program+0x1234": what a symbolizer takes.
        private static func line(_ index: Int, _ address: UInt64, _ process: LinuxProcess) -> [UInt8] {
            var line = StaticString("  #").bytes + decimal(UInt64(index)) + [0x20] + hexadecimal(address)
            if let area = process.memory.area(of: address), let file = area.mapping?.file {
                let offset = address - area.start + UInt64(area.filePage) * AddressSpace.pageByteCount
                line += [0x20] + process.paths.path(of: file) + [0x2b] + hexadecimal(offset)
            }
            return line
        }
    }

    func hexadecimal(_ value: UInt64) -> [UInt8] {
        var digits: [UInt8] = []
        var rest = value
        repeat {
            let digit = UInt8(rest & 15)
            digits.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            rest >>= 4
        } while rest > 0
        return [0x30, 0x78] + digits.reversed()
    }
#endif
