import LinuxCalls

extension SystemCallFilter {
    public enum Verdict: Equatable, Sendable { case allow, trap, killProcess }

    /// What the kernel decides for a call of the instruction before `instructionPointer`: the filter's program, interpreted
    /// (linux/filter.h). For whoever wants to know without trying.
    public func verdict(
        call: UInt32, architecture: UInt32 = UInt32(brique_audit_arch_x86_64), instructionPointer: UInt64 = .max,
        _ arguments: InlineArray<6, UInt64>
    ) -> Verdict {
        var accumulator: UInt32 = 0
        var index = 0
        while index < count {
            let instruction = program[index]
            index += 1
            switch instruction.code {
            case Self.loadWord:
                if instruction.k == Self.instructionPointerOffset + 4 {
                    accumulator = UInt32(truncatingIfNeeded: instructionPointer >> 32)
                } else {
                    accumulator = Self.load(instruction.k, call: call, architecture: architecture, arguments)
                }
            case Self.jumpEqual: index += Int(accumulator == instruction.k ? instruction.jt : instruction.jf)
            case Self.jumpGreater: index += Int(accumulator > instruction.k ? instruction.jt : instruction.jf)
            case Self.jumpGreaterOrEqual: index += Int(accumulator >= instruction.k ? instruction.jt : instruction.jf)
            case Self.jumpAnySet: index += Int(accumulator & instruction.k != 0 ? instruction.jt : instruction.jf)
            case Self.answer:
                return switch instruction.k {
                case UInt32(brique_seccomp_allow): .allow
                case UInt32(brique_seccomp_trap): .trap
                default: .killProcess
                }
            default: preconditionFailure("an instruction that the builder does not make")
            }
        }
        preconditionFailure("a program without an end")
    }

    private static func load(_ offset: UInt32, call: UInt32, architecture: UInt32, _ arguments: InlineArray<6, UInt64>) -> UInt32 {
        switch offset {
        case numberOffset: return call
        case architectureOffset: return architecture
        default:
            let word = arguments[Int(offset - low(0)) / 8]
            return UInt32(truncatingIfNeeded: offset % 8 == 0 ? word : word >> 32)
        }
    }
}
