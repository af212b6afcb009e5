#if hasFeature(Embedded)
    import Bytes
    import Errno
    import LinuxFormat
    import LinuxMemory
    import LinuxProcess
    import Time

    /// `--trace`: a line for each call, as strace(1) writes it; `--stats`: how often each was made, and for how long.
    final class CallTrace: CallObserver {
        private let isTraced: Bool
        private let hasStatistics: Bool
        private var counts = [UInt64](repeating: 0, count: SyscallNumber.limit)
        private var failures = [UInt64](repeating: 0, count: SyscallNumber.limit)
        private var nanoseconds = [UInt64](repeating: 0, count: SyscallNumber.limit)
        private static var textLimit: Int { 64 }

        init(isTraced: Bool, hasStatistics: Bool) {
            self.isTraced = isTraced
            self.hasStatistics = hasStatistics
            super.init()
        }

        override func began(_ thread: LinuxThread, _ number: UInt64, _ arguments: borrowing Arguments) {
            thread.callStart = thread.process.system.now
            // These do not come back.
            guard isTraced, number == 60 || number == 231 || number == 15 else { return }
            thread.process.system.log(text(thread, number, arguments) + StaticString(" = ?").bytes)
        }

        override func ended(_ thread: LinuxThread, _ number: UInt64, _ arguments: borrowing Arguments, _ result: Int64) {
            if hasStatistics, number < UInt64(counts.count) {
                let index = Int(number)
                counts[index] += 1
                if result < 0 { failures[index] += 1 }
                nanoseconds[index] += thread.process.system.now.nanoseconds - thread.callStart.nanoseconds
            }
            guard isTraced, number != 60, number != 231, number != 15 else { return }
            var line = text(thread, number, arguments) + StaticString(" = ").bytes
            if result < 0, result >= -4095 {
                line += StaticString("-").bytes + decimal(UInt64(-result))
            } else if result > 1 << 20 || result < 0 {
                line += hexadecimal(UInt64(bitPattern: result))
            } else {
                line += decimal(UInt64(result))
            }
            thread.process.system.log(line)
        }

        override func signalled(_ thread: LinuxThread, _ signal: Int32) {
            guard isTraced else { return }
            thread.process.system.log(
                head(thread) + StaticString("--- signal ").bytes + decimal(UInt64(signal)) + StaticString(" ---").bytes)
        }

        override func exited(_ process: LinuxProcess) {
            guard hasStatistics else { return }
            process.system.log(StaticString("      count     errors   nanoseconds  call").bytes)
            var order = Array(0..<counts.count).filter { counts[$0] > 0 }
            order.sort { nanoseconds[$0] > nanoseconds[$1] }
            for index in order {
                var line = padded(counts[index], 11) + padded(failures[index], 11) + padded(nanoseconds[index], 14) + [0x20, 0x20]
                append(SyscallNumber(rawValue: index).name ?? "unknown", to: &line)
                process.system.log(line)
            }
        }

        private func padded(_ value: UInt64, _ width: Int) -> [UInt8] {
            let digits = decimal(value)
            return [UInt8](repeating: 0x20, count: max(0, width - digits.count)) + digits
        }

        private func head(_ thread: LinuxThread) -> [UInt8] { [0x5b] + decimal(UInt64(thread.identifier)) + [0x5d, 0x20] }

        private func text(_ thread: LinuxThread, _ number: UInt64, _ arguments: borrowing Arguments) -> [UInt8] {
            var line = head(thread)
            append(number < UInt64(SyscallNumber.limit) ? SyscallNumber(rawValue: Int(number)).name ?? "unknown" : "unknown", to: &line)
            line.append(0x28)
            let path = Self.pathArgument(number)
            for index in 0..<6 {
                if index > 0 { line += [0x2c, 0x20] }
                if index == path, let text = try? thread.memory.string(at: arguments[index], limit: 4096) {
                    line += [0x22] + text.prefix(Self.textLimit) + [0x22]
                } else if arguments[index] < 1 << 16 {
                    line += decimal(arguments[index])
                } else if Int64(bitPattern: arguments[index]) < 0, Int64(bitPattern: arguments[index]) > -4096 {
                    line += [0x2d] + decimal(UInt64(-Int64(bitPattern: arguments[index])))
                } else {
                    line += hexadecimal(arguments[index])
                }
            }
            line.append(0x29)
            return line
        }

        /// Which argument is a path.
        private static func pathArgument(_ number: UInt64) -> Int? {
            switch number {
            case 2, 4, 6, 21, 59, 76, 80, 82, 83, 84, 85, 86, 87, 88, 89, 90, 92, 132, 133, 137: 0
            case 257, 258, 259, 260, 261, 262, 263, 264, 265, 267, 268, 269, 280, 332, 437, 439: 1
            default: nil
            }
        }
    }
#endif
