import BootFormat
import Testing

@testable import Image

private func record(_ line: String) throws -> CrashRecord {
    guard case .crash(let record) = try MonitorRecord(parsing: line) else { throw RecordError.unknownRecord }
    return record
}

private func pageFault() -> brique_crash {
    var crash = brique_crash()
    crash.kind = UInt32(BRIQUE_CRASH_EXCEPTION)
    crash.frame_count = 2
    crash.registers.rax = 0xa
    crash.registers.vector = 14
    crash.registers.error = 6
    crash.registers.rip = 0x2000_0010_1180
    crash.registers.cs = 0x33
    crash.registers.rflags = 0x202
    crash.registers.rsp = 0x2000_0013_0000
    crash.registers.ss = 0x2b
    crash.frames.0 = 0x2000_0010_1180
    crash.frames.1 = 0x2000_0010_1190
    crash.frames.2 = 0xdead
    return crash
}

struct CrashWordsRecordTests {
    @Test func `a crash's words and a monitor's fields are one record`() throws {
        let words = try record(crashWordsLine(pageFault(), faultAddress: 0x1ff8))
        let fields = try record(
            "crash kind=exception vector=14 error=0x6 address=0x1ff8 rip=0x200000101180 rsp=0x200000130000 "
                + "frames=0x200000101180,0x200000101190")
        #expect(words == fields)
    }

    @Test(arguments: [(2, .panic), (3, .outOfMemory), (4, .interrupted)] as [(UInt32, CrashRecord.Kind)])
    func `a message is cut at its count and made printable`(number: UInt32, kind: CrashRecord.Kind) throws {
        var crash = brique_crash()
        crash.kind = number
        crash.message_byte_count = 5
        for (index, byte) in [0x61, 0x20, 0x1b, 0xff, 0x25, 0x62].enumerated() { set(CChar(truncatingIfNeeded: byte), at: index, &crash) }
        let found = try record(crashWordsLine(crash, faultAddress: 0x1ff8))
        #expect(found.kind == kind && found.message == "a \u{fffd}\u{fffd}%")
        #expect(found.faultAddress == 0, "CR2 is old when it was no page fault")
    }

    private func set(_ byte: CChar, at index: Int, _ crash: inout brique_crash) {
        switch index {
        case 0: crash.message.0 = byte
        case 1: crash.message.1 = byte
        case 2: crash.message.2 = byte
        case 3: crash.message.3 = byte
        case 4: crash.message.4 = byte
        default: crash.message.5 = byte
        }
    }

    @Test func `an NMI is the user's interruption`() throws {
        var crash = pageFault()
        crash.registers.vector = 2
        let found = try record(crashWordsLine(crash, faultAddress: 0x1ff8))
        #expect(found.kind == .interrupted && found.vector == 2 && found.faultAddress == 0)
    }

    @Test func `counts beyond the structure are cut, and no frames are where it stopped`() throws {
        var crash = pageFault()
        crash.frame_count = .max
        crash.message_byte_count = .max
        let found = try record(crashWordsLine(crash))
        #expect(found.frames.count == Int(BRIQUE_CRASH_FRAMES))
        #expect(found.message.unicodeScalars.count == Int(BRIQUE_CRASH_MESSAGE_BYTES))
        crash.frame_count = 0
        #expect(try record(crashWordsLine(crash)).frames == [0x2000_0010_1180])
    }

    @Test func `the longest line is within the limit`() throws {
        let words = [String](repeating: "ffffffffffffffff", count: MemoryLayout<brique_crash>.size / 8).joined(separator: " ")
        #expect("crash-words ffffffffffffffff \(words)".utf8.count < MonitorRecord.lineByteLimit)
    }

    @Test(arguments: [0, 5, .max] as [UInt32]) func `a kind that is none is refused`(kind: UInt32) {
        var crash = pageFault()
        crash.kind = kind
        #expect(throws: RecordError.malformed) { try record(crashWordsLine(crash)) }
    }

    @Test func `a line with a word too few or too many is refused`() {
        let words = crashWordsLine(pageFault()).split(separator: " ")
        for count in 1..<words.count {
            #expect(throws: RecordError.malformed) { try record(words.prefix(count).joined(separator: " ")) }
        }
        #expect(throws: RecordError.malformed) { try record(crashWordsLine(pageFault()) + " 0") }
    }

    @Test(arguments: ["-1", "+1", "0x1", "g", "10000000000000000", "é", "1,2"])
    func `a word that is no number is refused`(word: String) {
        var words = crashWordsLine(pageFault()).split(separator: " ").map(String.init)
        words[40] = word
        #expect(throws: RecordError.malformed) { try record(words.joined(separator: " ")) }
    }

    @Test func `no damaged line makes the parser trap`() {
        var random = SeededGenerator(seed: 0x7265_6302)
        let line = crashWordsLine(pageFault(), faultAddress: 0x1ff8)
        for _ in 0..<2000 {
            guard let record = try? MonitorRecord(parsing: random.damaged(line)), case .crash(let crash) = record else { continue }
            #expect(crash.frames.count <= Int(BRIQUE_CRASH_FRAMES))
        }
    }
}
