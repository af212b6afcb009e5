import BootFormat
import DMAMemory

/// Where the bytes of a control record go.
protocol RecordSink {
    func put(_ byte: UInt8)
}

// Not inlined: records are rare, and many.
extension RecordSink {
    @inline(never) func put(_ text: StaticString) {
        var index = 0
        while index < text.utf8CodeUnitCount {
            put(text.byte(index))
            index &+= 1
        }
    }

    @inline(never) func put(decimal value: UInt64) {
        if value >= 10 { put(decimal: value / 10) }
        put(digit: value % 10)
    }

    @inline(never) func put(digit: UInt64) {
        let digit = UInt8(truncatingIfNeeded: digit & 15)
        put(digit < 10 ? UInt8(ascii: "0") &+ digit : UInt8(ascii: "a") &- 10 &+ digit)
    }

    /// `0x` and no leading zeros.
    @inline(never) func put(hexadecimal value: UInt64) {
        put("0x")
        var shift: UInt64 = 64
        var isLeading = true
        while shift > 0 {
            shift &-= 4
            let digit = value &>> shift & 15
            isLeading = isLeading && digit == 0 && shift > 0
            if !isLeading { put(digit: digit) }
        }
    }

    @inline(never) private func put(_ name: StaticString, word offset: Int, of crash: SharedMemory) {
        put(name)
        put(hexadecimal: crash.load64(at: offset))
    }

    /// The record `crash …` of a `brique_crash`, with its newline.
    ///
    /// - Parameter faultAddress: for a page fault, the address it was for.
    func put(crash: SharedMemory, faultAddress: UInt64) {
        let kind = Int32(truncatingIfNeeded: crash.load32(at: CrashOffset.kind))
        let vector = crash.load64(at: CrashOffset.vector)
        put("crash kind=")
        switch kind {
        // An NMI is how a user's Ctrl-C comes to a machine that does not listen.
        case BRIQUE_CRASH_EXCEPTION where vector != 2: put("exception")
        case BRIQUE_CRASH_PANIC: put("panic")
        case BRIQUE_CRASH_OUT_OF_MEMORY: put("out-of-memory")
        default: put("interrupted")
        }
        put(" vector=")
        put(decimal: vector)
        put(" error=", word: CrashOffset.vector &+ 8, of: crash)
        put(" address=")
        put(hexadecimal: faultAddress)
        put(" rip=", word: CrashOffset.vector &+ 16, of: crash)
        put(" rsp=", word: CrashOffset.vector &+ 40, of: crash)
        put(" rflags=", word: CrashOffset.vector &+ 32, of: crash)
        putGeneralRegisters(crash)
        putFrames(crash)
        putMessage(crash)
        put("\n")
    }

    private func putGeneralRegisters(_ crash: SharedMemory) {
        // In the trap frame rax is the word below the vector, and the others lie below it in this order.
        let names: StaticString = " rax= rcx= rdx= rbx= rbp= rsi= rdi= r8= r9= r10= r11= r12= r13= r14= r15="
        var index = 0
        var word = CrashOffset.vector
        while index < names.utf8CodeUnitCount {
            let byte = names.byte(index)
            put(byte)
            index &+= 1
            guard byte == UInt8(ascii: "=") else { continue }
            word &-= 8
            put(hexadecimal: crash.load64(at: word))
        }
    }

    private func putFrames(_ crash: SharedMemory) {
        let count = min(Int(crash.load32(at: CrashOffset.frameCount)), Int(BRIQUE_CRASH_FRAMES))
        var index = 0
        while index < count {
            put(index == 0 ? " frames=" : ",")
            put(hexadecimal: crash.load64(at: CrashOffset.frames &+ 8 &* index))
            index &+= 1
        }
    }

    private func putMessage(_ crash: SharedMemory) {
        let count = min(Int(crash.load32(at: CrashOffset.messageByteCount)), Int(BRIQUE_CRASH_MESSAGE_BYTES))
        var index = 0
        if count > 0 { put(" message=") }
        while index < count {
            let byte = crash.load8(at: CrashOffset.message &+ index)
            index &+= 1
            if byte &- 0x21 < 0x5e, byte != UInt8(ascii: "%") {
                put(byte)
            } else {
                put(UInt8(ascii: "%"))
                put(digit: UInt64(byte >> 4))
                put(digit: UInt64(byte))
            }
        }
    }
}

/// The fields of `struct brique_crash`, as byte offsets.
enum CrashOffset {
    static var kind: Int { 0 }
    static var frameCount: Int { 4 }
    /// Fifteen general registers lie below it; error code, rip, cs, rflags, rsp and ss follow it.
    static var vector: Int { 16 + 15 * 8 }
    static var frames: Int { 16 + 22 * 8 }
    static var messageByteCount: Int { frames + 8 * 64 }
    static var message: Int { messageByteCount + 4 }
}
