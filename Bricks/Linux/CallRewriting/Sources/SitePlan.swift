/// How a system-call instruction is rewritten.
enum SitePlan: Equatable {
    /// The move of the number before it becomes the jump.
    case move
    /// It becomes the jump together with so many bytes behind it; they end the function or not.
    case displace(byteCount: Int, endsFunction: Bool)

    /// Bytes of a jump with a 32-bit displacement.
    static var jumpByteCount: Int { 5 }
    static var callByteCount: Int { 2 }
    static var moveByteCount: Int { 5 }
    static var shortReach: Int { 130 }

    /// `code` is what lies around the site, whose instruction is at `site` in it. nil: it must trap.
    init?(_ code: RawSpan, site: Int, number: UInt64) {
        guard site >= 0, site + Self.callByteCount <= code.byteCount, code.byte(at: site) == 0x0f, code.byte(at: site + 1) == 0x05 else {
            return nil
        }
        if Self.hasMove(code, site, number) {
            self = .move
            return
        }
        let start = site + Self.callByteCount
        var at = start
        var boundaries = [start]
        while at - site < Self.jumpByteCount {
            if at < code.byteCount, code.byte(at: at) == 0xc3 {
                at += 1
                guard Self.isPadding(code, at, upTo: site + Self.jumpByteCount), !Self.isTarget(boundaries, in: code, site) else {
                    return nil
                }
                self = .displace(byteCount: at - start, endsFunction: true)
                return
            }
            let length = Self.movableLength(code, at)
            guard length > 0 else { return nil }
            at += length
            boundaries.append(at)
        }
        boundaries.removeLast()
        guard !Self.isTarget(boundaries, in: code, site) else { return nil }
        self = .displace(byteCount: at - start, endsFunction: false)
    }

    /// B8 imm32 right before it, with the number that the call had, and no prefix that makes it another instruction.
    static func hasMove(_ code: RawSpan, _ site: Int, _ number: UInt64) -> Bool {
        guard site >= moveByteCount + 1, number < 1 << 31, code.byte(at: site - 5) == 0xb8, code.byte(at: site - 6) & 0xf0 != 0x40 else {
            return false
        }
        return word(code, site - 4) == Int32(number)
    }

    private static func word(_ code: RawSpan, _ at: Int) -> Int32 { Int32(bitPattern: code.word(at: at)) }

    /// The length of an instruction that does the same wherever it stands; 0: not known to be one.
    static func movableLength(_ code: RawSpan, _ at: Int) -> Int {
        guard at + 8 <= code.byteCount else { return 0 }
        var next = at
        if code.byte(at: next) & 0xf0 == 0x40 { next += 1 }
        let opcode = code.byte(at: next), operand = code.byte(at: next + 1)
        switch opcode {
        case 0x3d, 0x25, 0x05, 0x2d, 0xa9: return next + 5 - at  // cmp, and, add, sub, test rax, imm32
        case 0x83: return operand >> 6 == 3 ? next + 3 - at : 0  // cmp and its like, register, imm8
        case 0x81: return operand >> 6 == 3 ? next + 6 - at : 0
        case 0xf7: return operand >> 3 == 0x1b ? next + 2 - at : 0  // neg register
        case 0x89, 0x8b, 0x85, 0x63, 0x39, 0x3b, 0x31, 0x33, 0x01, 0x29, 0x21, 0x09:
            if operand >> 6 == 3 { return next + 2 - at }
            // A place on the stack, or behind a register: no part of it depends on where the instruction is.
            let isStack = operand & 7 == 4
            if isStack && code.byte(at: next + 2) & 0x3f != 0x24 { return 0 }
            switch operand >> 6 {
            case 0: return operand & 7 == 5 ? 0 : next + (isStack ? 3 : 2) - at
            case 1: return next + (isStack ? 4 : 3) - at
            default: return next + (isStack ? 7 : 6) - at
            }
        case 0x50...0x5f: return next + 1 - at  // push, pop
        case 0x90: return next + 1 - at
        default: return 0
        }
    }

    /// What compilers put behind the end of a function.
    private static func isPadding(_ code: RawSpan, _ at: Int, upTo end: Int) -> Bool {
        guard at < end else { return true }
        guard at + 4 <= code.byteCount else { return false }
        switch code.byte(at: at) {
        case 0xcc, 0x90: return isPadding(code, at + 1, upTo: end)
        case 0x0f: return code.byte(at: at + 1) == 0x1f
        case 0x66:
            return code.byte(at: at + 1) == 0x90 || code.byte(at: at + 1) == 0x66 || code.byte(at: at + 1) == 0x2e
                || (code.byte(at: at + 1) == 0x0f && code.byte(at: at + 2) == 0x1f)
        default: return false
        }
    }

    /// Whether any bytes around could be a jump or a call to one of `targets`.
    private static func isTarget(_ targets: [Int], in code: RawSpan, _ site: Int) -> Bool {
        for target in targets where isNearTarget(target, in: code) || isShortTarget(target, in: code, site) { return true }
        return false
    }

    /// The displacement's value is looked for, as it is rare; then the opcode before it.
    private static func isNearTarget(_ target: Int, in code: RawSpan) -> Bool {
        guard code.byteCount >= 6 else { return false }
        for end in 6...code.byteCount where code.word(at: end - 4) == UInt32(truncatingIfNeeded: target - end) {
            let opcode = code.byte(at: end - 5)
            if opcode & 0xfe == 0xe8 || (opcode & 0xf0 == 0x80 && code.byte(at: end - 6) == 0x0f) { return true }
        }
        return false
    }

    private static func isShortTarget(_ target: Int, in code: RawSpan, _ site: Int) -> Bool {
        for at in max(0, site - shortReach)..<max(0, min(code.byteCount - 1, site + shortReach)) {
            let opcode = code.byte(at: at)
            guard opcode & 0xf0 == 0x70 || opcode == 0xeb || opcode & 0xfc == 0xe0 else { continue }
            if at + 2 + Int(Int8(bitPattern: code.byte(at: at + 1))) == target { return true }
        }
        return false
    }
}
