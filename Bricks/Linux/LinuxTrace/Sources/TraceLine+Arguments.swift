import Bytes
import Errno
import LinuxFormat
import LinuxProcess

extension TraceLine {
    /// "read(3, "abc", 4096)". `result`: what was given back is shown, as far as the call filled it; nil: it does not return.
    mutating func add(call number: UInt64, _ arguments: borrowing Arguments, result: Int64?) {
        let known = number < UInt64(SyscallNumber.limit) ? SyscallNumber(rawValue: Int(number)).name : nil
        bytes += known ?? StaticString("syscall_").bytes + hexadecimal(number)
        add("(")
        let letters = CallSignature.letters(Int(clamping: number)) ?? StaticString("xxxxxx").bytes
        for index in 0..<min(letters.count, 6) {
            if letters[index] == 0x6d, !Self.makesFile(arguments[index - 1]) { break }
            if index > 0 { add(", ") }
            add(argument: letters[index], index, arguments, result)
        }
        add(")")
    }

    /// O_CREAT or O_TMPFILE.
    private static func makesFile(_ flags: UInt64) -> Bool { flags & 0o100 != 0 || flags & 0o20200000 == 0o20200000 }

    private mutating func add(argument letter: UInt8, _ index: Int, _ arguments: borrowing Arguments, _ result: Int64?) {
        let value = arguments[index]
        let next = index < 5 ? arguments[index + 1] : 0
        let filled = UInt64(max(0, result ?? 0))
        let isDone = (result ?? -1) >= 0
        switch letter {
        case UInt8(ascii: "d"), UInt8(ascii: "i"): add(signed: Int64(Int32(truncatingIfNeeded: value)))
        case UInt8(ascii: "D"):
            let descriptor = Int32(truncatingIfNeeded: value)
            if descriptor == -100 { add("AT_FDCWD") } else { add(signed: Int64(descriptor)) }
        case UInt8(ascii: "l"): add(signed: Int64(bitPattern: value))
        case UInt8(ascii: "u"): add(value)
        case UInt8(ascii: "x"): add(hex: value)
        case UInt8(ascii: "o"), UInt8(ascii: "m"): add(octal: UInt32(truncatingIfNeeded: value))
        case UInt8(ascii: "p"): bytes += Self.pointer(value)
        case UInt8(ascii: "s"): add(stringAt: value)
        case UInt8(ascii: "W"): add(bufferAt: value, next)
        case UInt8(ascii: "R"): if isDone { add(bufferAt: value, filled) } else { bytes += Self.pointer(value) }
        case UInt8(ascii: "g"): bytes += SignalNames.text(Int32(truncatingIfNeeded: value))
        case UInt8(ascii: "O"):
            let access: StaticString = value & 3 == 0 ? "O_RDONLY" : value & 3 == 1 ? "O_WRONLY" : "O_RDWR"
            add(access)
            if value & ~3 != 0 { bytes += [0x7c] + FlagNames.text(letter, value & ~3) }
        case UInt8(ascii: "Y"):
            bytes += FlagNames.text(letter, value & 0xf)
            if value & ~0xf != 0 { bytes += [0x7c] + FlagNames.text(letter, value & ~0xf) }
        case UInt8(ascii: "Z"):
            bytes += FlagNames.text(letter, value & 0x7f)
            if value & 0x80 != 0 { add("_PRIVATE") }
            if value & 0x100 != 0 { add("|FUTEX_CLOCK_REALTIME") }
        case UInt8(ascii: "A"), UInt8(ascii: "F"), UInt8(ascii: "L"), UInt8(ascii: "k"), UInt8(ascii: "K"), UInt8(ascii: "P"),
            UInt8(ascii: "M"), UInt8(ascii: "w"), UInt8(ascii: "h"), UInt8(ascii: "c"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "e"), UInt8(ascii: "X"), UInt8(ascii: "I"), UInt8(ascii: "z"), UInt8(ascii: "C"), UInt8(ascii: "r"):
            bytes += FlagNames.text(letter, value)
        default: add(structure: letter, value, next, filled, isDone)
        }
    }

    private mutating func add(structure letter: UInt8, _ value: UInt64, _ next: UInt64, _ filled: UInt64, _ isDone: Bool) {
        switch letter {
        case UInt8(ascii: "a"): add(socketAddressAt: value, byteCount: UInt64(UInt32(truncatingIfNeeded: next)))
        case UInt8(ascii: "V"): add(vectorAt: value, count: next, filled: nil)
        case UInt8(ascii: "T"): add(timeAt: value)
        case UInt8(ascii: "n"): add(signalSetAt: value)
        case UInt8(ascii: "H"): add(actionAt: value)
        case UInt8(ascii: "Q"): add(limitAt: value)
        case UInt8(ascii: "E"): add(epollAt: value, count: 1, isArray: false)
        case UInt8(ascii: "j"): add(pollAt: value, count: next)
        case UInt8(ascii: "N"): add(stringsAt: value)
        case UInt8(ascii: "G"): add(messageAt: value, filled: isDone ? filled : nil)
        // What follows is there only after the call.
        case _ where !isDone: bytes += Self.pointer(value)
        case UInt8(ascii: "v"): add(vectorAt: value, count: next, filled: filled)
        case UInt8(ascii: "S"): add(statAt: value)
        case UInt8(ascii: "t"): add(timeAt: value)
        case UInt8(ascii: "B"): add(socketAddressAt: value, byteCount: UInt64(half(next) ?? 0))
        case UInt8(ascii: "q"): add(limitAt: value)
        case UInt8(ascii: "y"): add(epollAt: value, count: filled, isArray: true)
        case UInt8(ascii: "2"):
            add("[")
            add(signed: Int64(Int32(bitPattern: half(value) ?? 0)))
            add(", ")
            add(signed: Int64(Int32(bitPattern: half(value &+ 4) ?? 0)))
            add("]")
        default: bytes += Self.pointer(value)
        }
    }
}
