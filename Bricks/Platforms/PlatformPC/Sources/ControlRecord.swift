import BootFormat
import DMAMemory

/// Where the bytes of a control record go.
protocol RecordSink {
    func put(_ byte: UInt8)
}

extension RecordSink {
    func put(_ text: StaticString) {
        var index = 0
        while index < text.utf8CodeUnitCount {
            put(text.byte(index))
            index += 1
        }
    }

    func put(decimal value: UInt64) {
        if value >= 10 { put(decimal: value / 10) }
        put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }

    func put(digit: UInt64) {
        let digit = UInt8(truncatingIfNeeded: digit & 15)
        put(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
    }

    /// `0x` and no leading zeros.
    func put(hexadecimal value: UInt64) {
        put("0x")
        var shift = max(60 - value.leadingZeroBitCount & ~3, 0)
        while shift >= 0 {
            put(digit: value >> UInt64(shift))
            shift -= 4
        }
    }

    /// The record `crash …` of a `brique_crash`, with its newline.
    ///
    /// - Parameter faultAddress: for a page fault, the address it was for.
    func put(crash: SharedMemory, faultAddress: UInt64) {
        var kind = UInt64(crash.load32(at: CrashOffset.kind))
        let vector = crash.load64(at: CrashOffset.registers + 15 * 8)
        // An NMI is how a user's Ctrl-C comes to a machine that does not listen.
        if kind == UInt64(BRIQUE_CRASH_EXCEPTION), vector == 2 { kind = UInt64(BRIQUE_CRASH_INTERRUPTED) }
        put("crash kind=")
        switch Int32(truncatingIfNeeded: kind) {
        case BRIQUE_CRASH_EXCEPTION: put("exception")
        case BRIQUE_CRASH_PANIC: put("panic")
        case BRIQUE_CRASH_OUT_OF_MEMORY: put("out-of-memory")
        default: put("interrupted")
        }
        put(" vector=")
        put(decimal: vector)
        field("error", crash, 16)
        put(" address=")
        put(hexadecimal: faultAddress)
        field("rip", crash, 17)
        field("rsp", crash, 20)
        field("rflags", crash, 19)
        putGeneralRegisters(crash)
        putFrames(crash)
        putMessage(crash)
        put("\n")
    }

    private func field(_ name: StaticString, _ crash: SharedMemory, _ index: Int) {
        put(" ")
        put(name)
        put("=")
        put(hexadecimal: crash.load64(at: CrashOffset.registers + 8 * index))
    }

    private func putGeneralRegisters(_ crash: SharedMemory) {
        // In the trap frame rax is the fifteenth word, and the others lie below it in this order.
        let names: StaticString = " rax= rcx= rdx= rbx= rbp= rsi= rdi= r8= r9= r10= r11= r12= r13= r14= r15="
        var index = 0
        var word = 14
        while index < names.utf8CodeUnitCount {
            let byte = names.byte(index)
            put(byte)
            if byte == UInt8(ascii: "=") {
                put(hexadecimal: crash.load64(at: CrashOffset.registers + 8 * word))
                word -= 1
            }
            index += 1
        }
    }

    private func putFrames(_ crash: SharedMemory) {
        let count = min(Int(crash.load32(at: CrashOffset.frameCount)), Int(BRIQUE_CRASH_FRAMES))
        var index = 0
        while index < count {
            put(index == 0 ? " frames=" : ",")
            put(hexadecimal: crash.load64(at: CrashOffset.frames + 8 * index))
            index += 1
        }
    }

    private func putMessage(_ crash: SharedMemory) {
        let count = min(Int(crash.load32(at: CrashOffset.messageByteCount)), Int(BRIQUE_CRASH_MESSAGE_BYTES))
        var index = 0
        while index < count {
            if index == 0 { put(" message=") }
            let byte = crash.load8(at: CrashOffset.message + index)
            if byte > 0x20, byte < 0x7f, byte != UInt8(ascii: "%") {
                put(byte)
            } else {
                put(UInt8(ascii: "%"))
                put(digit: UInt64(byte) >> 4)
                put(digit: UInt64(byte))
            }
            index += 1
        }
    }
}

/// The fields of `struct brique_crash`, as byte offsets.
enum CrashOffset {
    static let kind = 0
    static let frameCount = 4
    static let registers = 16
    static let frames = registers + 22 * 8
    static let messageByteCount = frames + 8 * Int(BRIQUE_CRASH_FRAMES)
    static let message = messageByteCount + 4
}
