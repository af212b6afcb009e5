import Testing

@testable import Image

private let crash =
    "crash kind=exception vector=14 error=0x6 address=0x1ff8 rip=0x200000101180 rsp=0x200000130000 rbp=0x0 rflags=0x202 "
    + "rax=0x1 r15=0xffffffffffffffff frames=0x200000101180,0x200000101190"

@Test func `a crash record gives registers and frames`() throws {
    guard case .crash(let record) = try MonitorRecord(parsing: crash) else {
        Issue.record("not a crash")
        return
    }
    #expect(record.kind == .exception)
    #expect(record.vector == 14 && record.errorCode == 6 && record.faultAddress == 0x1ff8)
    #expect(record.frames == [0x2000_0010_1180, 0x2000_0010_1190])
    #expect(record.message.isEmpty)
}

@Test func `the message of a panic is decoded and made printable`() throws {
    guard case .crash(let record) = try MonitorRecord(parsing: "crash kind=panic rip=0x10 message=a%20b%1b%5B2J%C3%A9%FF") else {
        Issue.record("not a crash")
        return
    }
    #expect(record.message == "a b\u{fffd}[2Jé\u{fffd}")
    #expect(record.frames == [0x10])
}

@Test func `a refusal keeps its words`() throws {
    let record = try MonitorRecord(parsing: "error 65 the image is truncated")
    #expect(record == .refusal(status: 65, text: "the image is truncated"))
}

@Test func `a refused call gives its number`() throws {
    guard case .refusedCall(let call) = try MonitorRecord(parsing: "refused call=257 rip=0x200000101180") else {
        Issue.record("not a refused call")
        return
    }
    #expect(call.number == 257 && call.frames == [0x2000_0010_1180])
    #expect(CrashWords(machineArea: nil).line(for: call) == "refused system call openat (257)")
}

private let malformed: [(String, RecordError)] = [
    ("", RecordError.unknownRecord), ("hello", .unknownRecord), ("error", .malformed), ("error 0 x", .malformed),
    ("error 256 x", .malformed), ("crash", .malformed), ("crash kind=other", .malformed), ("crash kind=panic rip=-1", .malformed),
    ("crash kind=panic rip=0x", .malformed), ("crash kind=panic rip=0x10000000000000000", .malformed),
    ("crash kind=panic rip=1 rip=2", .duplicateField), ("crash kind=panic =1", .malformed), ("crash kind=panic message=%4", .malformed),
    ("crash kind=panic message=%zz", .malformed), ("crash kind=panic frames=1,,2", .malformed), ("refused rip=0x1", .malformed),
    ("refused call=99999999999999999999", .malformed),
]

@Test(arguments: malformed) func `a malformed record is refused`(line: String, reason: RecordError) {
    #expect(throws: reason) { try MonitorRecord(parsing: line) }
}

@Test func `records beyond the limits are refused`() {
    let frames = Array(repeating: "0x1", count: RecordFields.frameLimit + 1).joined(separator: ",")
    #expect(throws: RecordError.tooManyFrames) { try MonitorRecord(parsing: "crash kind=panic frames=\(frames)") }
    let long = "error 65 " + String(repeating: "x", count: MonitorRecord.lineByteLimit)
    #expect(throws: RecordError.tooLong) { try MonitorRecord(parsing: long) }
}

@Test func `no damaged record makes the parser trap`() {
    var random = SeededGenerator(seed: 0x7265_6301)
    for line in [crash, "crash kind=panic rip=0x10 message=a%20b%C3%A9", "refused call=257 rip=0x1 frames=0x1", "error 65 no"] {
        for _ in 0..<2000 {
            guard let record = try? MonitorRecord(parsing: random.damaged(line)), case .crash(let crash) = record else { continue }
            #expect(!CrashWords(machineArea: UInt64.random(in: 0...UInt64.max, using: &random)).line(for: crash, trace: []).isEmpty)
        }
    }
}

@Test func `system calls have Linux's names`() {
    #expect(SystemCallName.name(of: 0) == "read")
    #expect(SystemCallName.name(of: 59) == "execve")
    #expect(SystemCallName.name(of: 334) == "rseq")
    #expect(SystemCallName.name(of: 424) == "pidfd_send_signal")
    #expect(SystemCallName.name(of: 450) == "set_mempolicy_home_node")
    #expect(SystemCallName.name(of: 335) == nil)
    #expect(SystemCallName.name(of: UInt64.max) == nil)
}
