import BootFormat
import LinuxCalls

/// Builds a seccomp filter (seccomp(2), classic BPF): calls that are not allowed, or not with these arguments, get `otherwise`.
public struct SystemCallFilter {
    public static let capacity = 256
    public private(set) var program = InlineArray<256, sock_filter>(repeating: sock_filter())
    public private(set) var count = 0
    private let otherwise: UInt32
    private let highestCall: Int32
    private let gap: Range<Int32>
    /// Where the rule that is being built begins: its jumps to the refusal are filled in when it ends.
    private var ruleStart = 0

    public enum Otherwise: Sendable { case killProcess, trap }

    /// No rule may allow a call above `highestCall` or in `gap`. `trapBelow`: every call of an instruction below this multiple of 4 GiB
    /// traps, whatever it is.
    public init(otherwise: Otherwise, highestCall: Int32, gap: Range<Int32>, trapBelow: UInt64 = 0) {
        self.otherwise =
            switch otherwise {
            case .killProcess: UInt32(brique_seccomp_kill_process)
            case .trap: UInt32(brique_seccomp_trap)
            }
        self.highestCall = highestCall
        self.gap = gap
        if trapBelow > 0 {
            append(Self.loadWord, Self.instructionPointerOffset + 4)
            append(Self.jumpGreaterOrEqual, UInt32(trapBelow >> 32), whenTrue: 1, whenFalse: 0)
            append(Self.answer, UInt32(brique_seccomp_trap))
        }
        // Numbers mean calls of x86-64 only; x32's have a high bit, so they are above the highest.
        append(Self.loadWord, Self.architectureOffset)
        append(Self.jumpEqual, UInt32(brique_audit_arch_x86_64), whenTrue: 1, whenFalse: 0)
        append(Self.answer, UInt32(brique_seccomp_kill_process))
        // Most calls are refused by two comparisons: the kernel tries every number once when it takes a filter, and that is most of
        // what taking it costs.
        append(Self.loadWord, Self.numberOffset)
        append(Self.jumpGreater, UInt32(highestCall), whenTrue: 2, whenFalse: 0)
        append(Self.jumpGreaterOrEqual, UInt32(gap.upperBound), whenTrue: 2, whenFalse: 0)
        append(Self.jumpGreaterOrEqual, UInt32(gap.lowerBound), whenTrue: 0, whenFalse: 1)
        append(Self.answer, self.otherwise)
    }

    /// One condition on one argument (0 to 5).
    public enum Condition {
        /// The low 32 bits are one of three numbers: all the kernel looks at for descriptors, process and signal numbers.
        case oneOf(Int, UInt32, UInt32, UInt32)
        case is32(Int, UInt32)
        /// The low 32 bits are the descriptor of a link, or one number more.
        case link(Int, HostLinks, or: UInt32?)
        case below32(Int, UInt32)
        /// All 64 bits.
        case equals(Int, UInt64)
        case inside(Int, UInt64, UInt64)
        case withoutBits(Int, UInt64)
        case always
    }

    /// Allows `call` if every condition holds.
    public mutating func allow(
        _ call: Int32, where first: Condition = .always, _ second: Condition = .always, _ third: Condition = .always,
        _ fourth: Condition = .always, _ fifth: Condition = .always
    ) {
        precondition(call <= highestCall && !gap.contains(call))
        append(Self.jumpEqual, UInt32(bitPattern: call), whenTrue: 0, whenFalse: Self.pending)
        ruleStart = count
        add(first)
        add(second)
        add(third)
        add(fourth)
        add(fifth)
        append(Self.answer, UInt32(brique_seccomp_allow))
        if count > ruleStart + 1 {
            append(Self.answer, otherwise)
            for index in ruleStart..<count where isJump(program[index].code) {
                resolve(index, refusal: count - 1)
            }
        }
        program[ruleStart - 1].jf = UInt8(count - ruleStart)
    }

    /// Everything else is refused: call this once, last.
    public mutating func finish() { append(Self.answer, otherwise) }

    private mutating func add(_ condition: Condition) {
        switch condition {
        case .always: break
        case .oneOf(let argument, let a, let b, let c):
            append(Self.loadWord, Self.low(argument))
            append(Self.jumpEqual, a, whenTrue: 2, whenFalse: 0)
            append(Self.jumpEqual, b, whenTrue: 1, whenFalse: 0)
            append(Self.jumpEqual, c, whenTrue: 0, whenFalse: Self.pending)
        case .link(let argument, let links, let other):
            append(Self.loadWord, Self.low(argument))
            let count = links.count + (other == nil ? 0 : 1)
            for index in 0..<count {
                let number = index < links.count ? UInt32(bitPattern: links[index].descriptor.number) : other ?? 0
                let isLast = index == count - 1
                append(Self.jumpEqual, number, whenTrue: UInt8(count - 1 - index), whenFalse: isLast ? Self.pending : 0)
            }
        case .is32(let argument, let value):
            append(Self.loadWord, Self.low(argument))
            append(Self.jumpEqual, value, whenTrue: 0, whenFalse: Self.pending)
        case .below32(let argument, let limit):
            append(Self.loadWord, Self.low(argument))
            append(Self.jumpGreaterOrEqual, limit, whenTrue: Self.pending, whenFalse: 0)
        case .equals(let argument, let value):
            append(Self.loadWord, Self.high(argument))
            append(Self.jumpEqual, UInt32(value >> 32), whenTrue: 0, whenFalse: Self.pending)
            append(Self.loadWord, Self.low(argument))
            append(Self.jumpEqual, UInt32(truncatingIfNeeded: value), whenTrue: 0, whenFalse: Self.pending)
        case .inside(let argument, let lowest, let highest):
            addAtLeast(argument, lowest)
            addAtMost(argument, highest)
        case .withoutBits(let argument, let bits):
            append(Self.loadWord, Self.high(argument))
            append(Self.jumpAnySet, UInt32(bits >> 32), whenTrue: Self.pending, whenFalse: 0)
            append(Self.loadWord, Self.low(argument))
            append(Self.jumpAnySet, UInt32(truncatingIfNeeded: bits), whenTrue: Self.pending, whenFalse: 0)
        }
    }

    /// high > H, or high == H and low >= L.
    private mutating func addAtLeast(_ argument: Int, _ value: UInt64) {
        append(Self.loadWord, Self.high(argument))
        append(Self.jumpGreater, UInt32(value >> 32), whenTrue: 3, whenFalse: 0)
        append(Self.jumpEqual, UInt32(value >> 32), whenTrue: 0, whenFalse: Self.pending)
        append(Self.loadWord, Self.low(argument))
        append(Self.jumpGreaterOrEqual, UInt32(truncatingIfNeeded: value), whenTrue: 0, whenFalse: Self.pending)
    }

    /// high < H, or high == H and low <= L.
    private mutating func addAtMost(_ argument: Int, _ value: UInt64) {
        append(Self.loadWord, Self.high(argument))
        append(Self.jumpGreater, UInt32(value >> 32), whenTrue: Self.pending, whenFalse: 0)
        append(Self.jumpEqual, UInt32(value >> 32), whenTrue: 0, whenFalse: 2)
        append(Self.loadWord, Self.low(argument))
        append(Self.jumpGreater, UInt32(truncatingIfNeeded: value), whenTrue: Self.pending, whenFalse: 0)
    }

    /// A jump target that is the refusal at the end of the rule. No rule is this long.
    private static let pending: UInt8 = 255

    private func isJump(_ code: UInt16) -> Bool { code & 7 == 5 }

    private mutating func resolve(_ index: Int, refusal: Int) {
        let distance = UInt8(refusal - index - 1)
        if program[index].jt == Self.pending { program[index].jt = distance }
        if program[index].jf == Self.pending { program[index].jf = distance }
    }

    private mutating func append(_ code: UInt16, _ value: UInt32, whenTrue: UInt8 = 0, whenFalse: UInt8 = 0) {
        precondition(count < Self.capacity)
        program[count] = sock_filter(code: code, jt: whenTrue, jf: whenFalse, k: value)
        count += 1
    }

    // linux/bpf_common.h: BPF_LD|BPF_W|BPF_ABS, BPF_RET|BPF_K, and BPF_JMP|…|BPF_K.
    static let loadWord: UInt16 = 0x20, answer: UInt16 = 0x06
    static let jumpEqual: UInt16 = 0x15, jumpGreater: UInt16 = 0x25, jumpGreaterOrEqual: UInt16 = 0x35, jumpAnySet: UInt16 = 0x45
    // struct seccomp_data: number, architecture, instruction pointer, six arguments.
    static let numberOffset: UInt32 = 0, architectureOffset: UInt32 = 4, instructionPointerOffset: UInt32 = 8
    static func low(_ argument: Int) -> UInt32 { UInt32(16 + 8 * argument) }
    static func high(_ argument: Int) -> UInt32 { low(argument) + 4 }
}

extension SystemCallFilter {
    /// For a monitor: its own rules come first, then `allowHost`.
    public init(forMonitor otherwise: Otherwise, trapBelow: UInt64 = 0) {
        self.init(
            otherwise: otherwise, highestCall: __NR_getrandom, gap: __NR_writev + 1..<__NR_restart_syscall, trapBelow: trapBelow)
    }

    /// What both monitors need to serve a console and links, to wait, to tell the time, and to end.
    public mutating func allowHost(control: HostControl, links: HostLinks) {
        let controlNumber = UInt32(bitPattern: control.descriptor.number)
        allow(__NR_write, where: .oneOf(0, 1, 2, controlNumber))
        allow(__NR_read, where: .link(0, links, or: 0))
        if links.count > 0 { allow(__NR_writev, where: .link(0, links, or: nil), .below32(2, UInt32(BRIQUE_FRAME_BUFFER_LIMIT) + 1)) }
        allow(__NR_ppoll, where: .below32(1, UInt32(links.count) + 2))
        allow(__NR_restart_syscall)  // how the kernel continues a ppoll after SIGCONT
        allow(__NR_clock_gettime)
        allow(__NR_getrandom)
        allow(__NR_exit_group)
        allow(__NR_rt_sigreturn)
        allow(__NR_tgkill, where: .is32(0, control.processIdentifier))
    }
}
