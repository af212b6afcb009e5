import BootFormat
import Bytes
import ELFFormat

/// Why and where an instance ended badly: `struct brique_crash` of BootFormat.h, copied out of the guest.
public struct CrashReport {
    public enum Kind: UInt32, Sendable { case exception = 1, panic, outOfMemory, interrupted }

    /// In the order of `struct brique_trap_frame`.
    public struct Registers: Equatable, Sendable {
        public var r15: UInt64 = 0, r14: UInt64 = 0, r13: UInt64 = 0, r12: UInt64 = 0, r11: UInt64 = 0, r10: UInt64 = 0, r9: UInt64 = 0
        public var r8: UInt64 = 0, rdi: UInt64 = 0, rsi: UInt64 = 0, rbp: UInt64 = 0, rbx: UInt64 = 0, rdx: UInt64 = 0, rcx: UInt64 = 0
        public var rax: UInt64 = 0, rip: UInt64 = 0, rflags: UInt64 = 0, rsp: UInt64 = 0
        public init() {}
    }

    public static let maximumFrameCount = Int(BRIQUE_CRASH_FRAMES)

    public var kind = Kind.exception
    public var vector: UInt64 = 0
    /// The processor's error code.
    public var error: UInt64 = 0
    /// What a page fault was about.
    public var faultAddress: UInt64 = 0
    public var registers = Registers()
    private var frames = InlineArray<64, UInt64>(repeating: 0)
    public private(set) var frameCount = 0
    private var message = InlineArray<256, UInt8>(repeating: 0)
    public private(set) var messageByteCount = 0

    public init() {}

    /// Counts beyond their arrays are cut; an unknown kind is `invalid`, and `interrupted` is the monitor's own.
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        guard let kind = Kind(rawValue: try reader.read(UInt32.self, .little)), kind != .interrupted else { throw .invalid }
        self.kind = kind
        let wantedFrameCount = try reader.read(UInt32.self, .little)
        faultAddress = try reader.read(UInt64.self, .little)
        try parseRegisters(&reader)
        for index in 0..<Self.maximumFrameCount { frames[index] = try reader.read(UInt64.self, .little) }
        frameCount = min(Int(wantedFrameCount), Self.maximumFrameCount)
        messageByteCount = min(Int(try reader.read(UInt32.self, .little)), Int(BRIQUE_CRASH_MESSAGE_BYTES))
        for index in 0..<Int(BRIQUE_CRASH_MESSAGE_BYTES) { message[index] = try reader.read(UInt8.self, .little) }
    }

    private mutating func parseRegisters(_ reader: inout ByteReader) throws(FormatError) {
        registers.r15 = try reader.read(UInt64.self, .little)
        registers.r14 = try reader.read(UInt64.self, .little)
        registers.r13 = try reader.read(UInt64.self, .little)
        registers.r12 = try reader.read(UInt64.self, .little)
        registers.r11 = try reader.read(UInt64.self, .little)
        registers.r10 = try reader.read(UInt64.self, .little)
        registers.r9 = try reader.read(UInt64.self, .little)
        registers.r8 = try reader.read(UInt64.self, .little)
        registers.rdi = try reader.read(UInt64.self, .little)
        registers.rsi = try reader.read(UInt64.self, .little)
        registers.rbp = try reader.read(UInt64.self, .little)
        registers.rbx = try reader.read(UInt64.self, .little)
        registers.rdx = try reader.read(UInt64.self, .little)
        registers.rcx = try reader.read(UInt64.self, .little)
        registers.rax = try reader.read(UInt64.self, .little)
        vector = try reader.read(UInt64.self, .little)
        error = try reader.read(UInt64.self, .little)
        registers.rip = try reader.read(UInt64.self, .little)
        try reader.skip(8)  // cs
        registers.rflags = try reader.read(UInt64.self, .little)
        registers.rsp = try reader.read(UInt64.self, .little)
        try reader.skip(8)  // ss
    }

    public func frame(_ index: Int) -> UInt64 {
        precondition(index < frameCount)
        return frames[index]
    }

    public mutating func addFrame(_ address: UInt64) {
        guard frameCount < Self.maximumFrameCount else { return }
        frames[frameCount] = address
        frameCount += 1
    }

    /// Follows the chain of frame pointers from the registers, upwards through guest memory.
    public mutating func walk(_ memory: GuestMemory, _ map: InstanceMap) {
        let text = map.layout.executable
        frameCount = 0
        addFrame(registers.rip)
        // A jump to nowhere: the caller's return address is still on top of the stack.
        if !text.contains(virtualAddress: registers.rip, byteCount: 1), let address = memory.word(virtual: registers.rsp),
            text.contains(virtualAddress: address, byteCount: 1)
        {
            addFrame(address)
        }
        var frame = registers.rbp
        while frameCount < Self.maximumFrameCount, let next = memory.word(virtual: frame),
            let address = memory.word(virtual: frame &+ 8), address != 0
        {
            addFrame(address)
            guard next > frame else { return }
            frame = next
        }
    }

    /// The status of an instance that ended so: 128 + the signal that a process would have died of.
    public var exitStatus: UInt8 {
        switch kind {
        case .exception:
            switch vector {
            case 0: 128 + 8  // #DE: SIGFPE
            case 6: 128 + 4  // #UD: SIGILL
            case 17: 128 + 7  // #AC: SIGBUS
            default: 128 + 11  // SIGSEGV
            }
        case .panic, .outOfMemory: 128 + 6  // SIGABRT
        case .interrupted: 128 + 2
        }
    }

    public mutating func setMessage(_ text: StaticString) {
        var buffer = TextBuffer()
        buffer.append(text)
        messageByteCount = min(buffer.byteCount, Int(BRIQUE_CRASH_MESSAGE_BYTES))
        for index in 0..<messageByteCount { message[index] = buffer.bytes[index] }
    }

    /// The `crash` record of the control channel.
    public var record: TextBuffer {
        var text = TextBuffer()
        text.append("crash kind=")
        switch kind {
        case .exception: text.append("exception")
        case .panic: text.append("panic")
        case .outOfMemory: text.append("out-of-memory")
        case .interrupted: text.append("interrupted")
        }
        text.append(" vector=")
        text.append(decimal: vector)
        text.append(" error=")
        text.append(hexadecimal: error)
        text.append(" address=")
        text.append(hexadecimal: faultAddress)
        appendRegisters(to: &text)
        appendFrames(to: &text)
        if messageByteCount > 0 {
            text.append(" message=")
            for index in 0..<messageByteCount { text.append(percentEncoded: message[index]) }
        }
        text.append(byte: 0x0a)
        return text
    }

    private func appendRegisters(to text: inout TextBuffer) {
        func append(_ name: StaticString, _ value: UInt64) {
            text.append(name)
            text.append(hexadecimal: value)
        }
        append(" rip=", registers.rip)
        append(" rsp=", registers.rsp)
        append(" rbp=", registers.rbp)
        append(" rflags=", registers.rflags)
        append(" rax=", registers.rax)
        append(" rbx=", registers.rbx)
        append(" rcx=", registers.rcx)
        append(" rdx=", registers.rdx)
        append(" rsi=", registers.rsi)
        append(" rdi=", registers.rdi)
        append(" r8=", registers.r8)
        append(" r9=", registers.r9)
        append(" r10=", registers.r10)
        append(" r11=", registers.r11)
        append(" r12=", registers.r12)
        append(" r13=", registers.r13)
        append(" r14=", registers.r14)
        append(" r15=", registers.r15)
    }

    private func appendFrames(to text: inout TextBuffer) {
        text.append(" frames=")
        for index in 0..<frameCount {
            if index > 0 { text.append(byte: 0x2c) }
            text.append(hexadecimal: frames[index])
        }
    }

    /// The `refused` record of a system call that the filter did not let through.
    public func refusedRecord(call: Int32) -> TextBuffer {
        var text = TextBuffer()
        text.append("refused call=")
        text.append(decimal: UInt64(UInt32(bitPattern: call)))
        text.append(" rip=")
        text.append(hexadecimal: registers.rip)
        appendFrames(to: &text)
        text.append(byte: 0x0a)
        return text
    }
}
