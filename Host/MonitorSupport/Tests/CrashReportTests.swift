import BootFormat
import Bytes
import MonitorSupport
import SampleImage
import Testing

extension TextBuffer {
    fileprivate var string: String {
        var text = ""
        for index in 0..<bytes.count { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
        return text
    }
}

/// `struct brique_crash` as a guest writes it: word n of the registers is 0x100 + n.
private func crashBytes(kind: UInt32 = 1, frameCount: UInt32 = 2, messageByteCount: UInt32 = 0, message: String = "") throws -> [UInt8] {
    var storage = [UInt8](repeating: 0, count: MemoryLayout<brique_crash>.size)
    var span = storage.mutableSpan
    var writer = ByteWriter(&span)
    try writer.write(kind, .little)
    try writer.write(frameCount, .little)
    try writer.write(UInt64(0xdead), .little)
    for index in 0..<22 { try writer.write(UInt64(0x100 + index), .little) }
    for index in 0..<Int(BRIQUE_CRASH_FRAMES) { try writer.write(UInt64(0x1000 + index), .little) }
    try writer.write(messageByteCount, .little)
    for byte in message.utf8 { try writer.write(byte, .little) }
    return storage
}

private func report(_ bytes: [UInt8]) throws(FormatError) -> CrashReport {
    var reader = ByteReader(bytes.span)
    return try CrashReport(parsing: &reader)
}

@Test func `a crash becomes one line with every register in its place`() throws {
    let text = try report(crashBytes()).record.string
    #expect(
        text == """
            crash kind=exception vector=271 error=0x110 address=0xdead rip=0x111 rsp=0x114 rbp=0x10a rflags=0x113 rax=0x10e rbx=0x10b \
            rcx=0x10d rdx=0x10c rsi=0x109 rdi=0x108 r8=0x107 r9=0x106 r10=0x105 r11=0x104 r12=0x103 \
            r13=0x102 r14=0x101 r15=0x100 frames=0x1000,0x1001

            """)
}

@Test func `a message cannot break the line`() throws {
    let text = try report(crashBytes(kind: 2, messageByteCount: 9, message: "a b\n%é~")).record.string
    #expect(text.hasSuffix(" message=a%20b%0a%25%c3%a9~%00\n"))
    #expect(text.filter { $0 == "\n" }.count == 1)
    #expect(text.hasPrefix("crash kind=panic "))
}

@Test func `hostile counts are cut, and the longest record is whole`() throws {
    let message = String(repeating: "\n", count: 256)
    let report = try report(crashBytes(frameCount: .max, messageByteCount: .max, message: message))
    #expect(report.frameCount == 64)
    #expect(report.messageByteCount == 256)
    #expect(report.record.byteCount < TextBuffer.capacity)
    #expect(report.record.string.hasSuffix("%0a\n"))
}

@Test(arguments: [0, 4, 5, UInt32.max])
func `an unknown kind, or the monitor's own, is refused`(kind: UInt32) throws {
    let bytes = try crashBytes(kind: kind)
    #expect(throws: FormatError.invalid) { _ = try report(bytes) }
}

@Test func `every truncation of a crash is refused`() throws {
    let bytes = try crashBytes()
    // The structure ends in four bytes of padding.
    for count in 0..<bytes.count - 4 { #expect(throws: FormatError.truncated) { _ = try report(Array(bytes[..<count])) } }
}

@Test(arguments: [(0, 136), (6, 132), (13, 139), (14, 139), (12, 139), (17, 135), (3, 139), (1 << 40, 139)] as [(UInt64, UInt8)])
func `an exception's status is that of the signal a process would die of`(vector: UInt64, status: UInt8) {
    var report = CrashReport()
    report.vector = vector
    #expect(report.exitStatus == status)
    report.kind = .panic
    #expect(report.exitStatus == 134)
}

@Test func `a walk follows frames upwards and stops at anything else`() throws {
    let server = try SampleInstance.server(memoryByteCount: 4 << 20)
    let memory = server.memory, base = UInt64(BRIQUE_VIRTUAL_BASE)
    let heap = server.map.heapStart
    func frames(rbp: UInt64, rip: UInt64 = 1, rsp: UInt64 = 0) -> [UInt64] {
        var report = CrashReport()
        report.registers.rbp = rbp
        report.registers.rip = rip
        report.registers.rsp = rsp
        report.walk(memory, server.map)
        return (0..<report.frameCount).map { report.frame($0) }
    }
    memory.store(base + heap + 64, physical: heap)
    memory.store(0xaaa, physical: heap + 8)
    memory.store(base + heap + 64, physical: heap + 64)
    memory.store(0xbbb, physical: heap + 72)
    #expect(frames(rbp: base + heap) == [1, 0xaaa, 0xbbb])
    for nowhere in [0, 1, .max, .max - 7, base, base + heap + 4, base + server.map.memoryEnd - 8, base + server.map.memoryEnd] as [UInt64] {
        #expect(frames(rbp: nowhere) == [1])
    }
    // A jump to nowhere: the return address is on the stack.
    let text = base + server.map.layout.executable.start + 5
    memory.store(text, physical: heap + 128)
    #expect(frames(rbp: 0, rip: 0, rsp: base + heap + 128) == [0, text])
    // A chain that is longer than a report.
    for index in 0..<UInt64(100) {
        memory.store(base + heap + 4096 + (index + 1) * 16, physical: heap + 4096 + index * 16)
        memory.store(0x500 + index, physical: heap + 4096 + index * 16 + 8)
    }
    #expect(frames(rbp: base + heap + 4096).count == 64)
}
