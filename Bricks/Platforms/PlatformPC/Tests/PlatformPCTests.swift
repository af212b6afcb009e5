import BootFormat
import DMAMemory
import Random
import RegisterBank
import Testing
import VirtioFormat
@testable import PlatformPC

struct CommandLineTests {
    /// Arguments, environment, devices.
    private func decode(_ text: String) throws -> (arguments: [String], environment: [String], devices: [MMIODeviceParameter]) {
        let bytes = Array(text.utf8)
        let commandLine = CommandLine(bytes.span)
        var storage = [UInt8](repeating: 0xee, count: bytes.count + 1)
        var output = storage.mutableSpan
        var end = 0
        let argumentCount = Int(try commandLine.decode(arguments: true, into: &output, &end))
        let environmentCount = Int(try commandLine.decode(arguments: false, into: &output, &end))
        var devices: [MMIODeviceParameter] = []
        var at = 0
        while let device = commandLine.nextDevice(&at) { devices.append(device) }
        let strings = storage[..<end].split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(strings.count == argumentCount + environmentCount)
        return (Array(strings.prefix(argumentCount)), Array(strings.dropFirst(argumentCount)), devices)
    }

    @Test func `variables stand before the dashes, arguments after them`() throws {
        let decoded = try decode("A=1 B=two%20words -- one -- C=3 %66our ")
        #expect(decoded.arguments == ["one", "--", "C=3", "four"])
        #expect(decoded.environment == ["A=1", "B=two words"])
    }

    @Test func `what a hypervisor adds is its own`() throws {
        let decoded = try decode("quiet virtio_mmio.device=512@0xfeb00000:5 ro A=1 -- x virtio_mmio.device=4K@0xd0000000:6 y")
        #expect(decoded.arguments == ["x", "y"])
        #expect(decoded.environment == ["A=1"])
        #expect(decoded.devices.map(\.interrupt) == [5, 6])
    }

    @Test func `a device that is not well-formed is none`() throws {
        #expect(try decode("virtio_mmio.device=x virtio_mmio.device= virtio_mmio.devic=512@0:1").devices.isEmpty)
    }

    @Test func `an escaped prefix is an argument`() throws {
        #expect(try decode("-- %76irtio_mmio.device=1@1:1").arguments == ["virtio_mmio.device=1@1:1"])
    }

    @Test(arguments: ["", " ", "\n\t ", "--", " -- "])
    func `nothing is nothing`(text: String) throws {
        let decoded = try decode(text)
        #expect(decoded.arguments.isEmpty && decoded.environment.isEmpty)
    }

    @Test func `an empty value stays`() throws { #expect(try decode("A= -- %3d").environment == ["A="]) }

    @Test func `a lone percent sign is an empty argument`() throws { #expect(try decode("A=1 -- % a %").arguments == ["", "a", ""]) }

    @Test(arguments: ["-- a%", "-- %%", "-- a%4", "-- %zz", "-- %00", "A=%0", "A=1%2 -- x"])
    func `a bad escape is refused`(text: String) { #expect(throws: CommandLineError.badEscape) { try decode(text) } }

    @Test func `every byte but NUL passes through`() throws {
        let escaped = (1...255).map { "%" + (["0"] + Array(String($0, radix: 16)).map(String.init)).suffix(2).joined() }.joined()
        let bytes = Array("-- \(escaped)".utf8)
        var storage = [UInt8](repeating: 0, count: bytes.count + 1)
        var output = storage.mutableSpan
        var end = 0
        #expect(try CommandLine(bytes.span).decode(arguments: true, into: &output, &end) == 1)
        #expect(Array(storage[..<end]) == Array(1...255) + [0])
    }

    @Test(arguments: 0..<500 as Range<UInt64>)
    func `random command lines fit their memory`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let pieces = [" ", "--", "%", "%41", "=", "a", "virtio_mmio.device=", "512@0x1000:5", "\t", "ü", "0x", ":", "@"]
        let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
        _ = try? decode(text)
    }
}

struct InputFilterTests {
    private func filter(_ bytes: [UInt8]) -> (bytes: [UInt8], isEnded: Bool) {
        var filter = InputFilter()
        var result: [UInt8] = []
        for byte in bytes where !filter.isEnded {
            if let byte = filter.take(byte) { result.append(byte) }
        }
        return (result, filter.isEnded)
    }

    @Test func `a control D ends the input`() {
        let result = filter([65, 4, 66])
        #expect(result.bytes == [65] && result.isEnded)
    }

    @Test func `a quoted byte is only a byte`() {
        let result = filter([22, 4, 22, 22, 22, 65, 22])
        #expect(result.bytes == [4, 22, 65] && !result.isEnded)
    }
}

/// CMOS memory as a test wants it.
struct ScriptedClock: RegisterBank {
    var values: [Int: UInt32]

    func read(_ offset: Int, _ width: RegisterWidth) -> UInt32 { values[offset] ?? 0 }
    func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth) { fatalError("a clock is only read") }

    /// Binary numbers; seconds, minutes, hours, day, month, year.
    init(_ numbers: [UInt32], isBinary: Bool) {
        values = [0x0b: isBinary ? 6 : 2]
        for (register, number) in zip([0, 2, 4, 7, 8, 9], numbers) {
            values[register] = isBinary ? number : number / 10 * 16 + number % 10
        }
    }
}

struct RealTimeClockTests {
    @Test(
        arguments: [
            ([40, 46, 1, 9, 9, 1], 1_000_000_000), ([0, 0, 0, 1, 1, 1], 978_307_200), ([59, 59, 23, 28, 2, 4], 1_078_012_799),
            ([0, 0, 0, 29, 2, 4], 1_078_012_800), ([0, 0, 0, 1, 3, 4], 1_078_099_200), ([7, 14, 3, 19, 1, 38], 2_147_483_647),
            ([59, 59, 23, 31, 12, 99], 4_102_444_799),
        ] as [([UInt32], UInt64)], [true, false])
    func `a date is its seconds`(date: ([UInt32], UInt64), isBinary: Bool) {
        #expect(realTimeClockSeconds(ScriptedClock(date.0, isBinary: isBinary)) == date.1)
    }

    @Test(
        arguments: [
            [60, 0, 0, 1, 1, 1], [0, 60, 0, 1, 1, 1], [0, 0, 24, 1, 1, 1], [0, 0, 0, 0, 1, 1], [0, 0, 0, 32, 1, 1], [0, 0, 0, 1, 13, 1],
            [0, 0, 0, 1, 0, 1], [0, 0, 0, 1, 1, 0], [255, 255, 255, 255, 255, 255],
        ] as [[UInt32]])
    func `what is no date is refused`(numbers: [UInt32]) {
        #expect(realTimeClockSeconds(ScriptedClock(numbers, isBinary: true)) == nil)
    }

    @Test func `a clock that never settles is given up`() {
        var clock = ScriptedClock([0, 0, 0, 1, 1, 1], isBinary: true)
        clock.values[0x0a] = 0x80
        #expect(realTimeClockSeconds(clock) == nil)
    }
}

/// Keeps what was put.
final class TextSink: RecordSink {
    private(set) var bytes: [UInt8] = []
    func put(_ byte: UInt8) { bytes.append(byte) }
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

struct ControlRecordTests {
    @Test(arguments: [0, 1, 9, 0xf, 0x10, 0xabcdef, 0x2000_0010_0000, .max] as [UInt64])
    func `numbers are written without leading zeros`(value: UInt64) {
        let sink = TextSink()
        sink.put(value, base: 16)
        sink.put(UInt8(ascii: " "))
        sink.put(value, base: 10)
        #expect(sink.text == "\(String(value, radix: 16)) \(value)")
    }

    @Test func `a crash is the fault's address and every word of the structure`() {
        var crash = brique_crash()
        crash.kind = UInt32(BRIQUE_CRASH_PANIC)
        crash.frame_count = 1
        crash.registers.r15 = 0xf
        crash.registers.ss = .max
        crash.frames.0 = 0x2000_0010_1180
        crash.message_byte_count = 1
        crash.message.0 = 0x41
        let shared = TestMemory(byteCount: 4096)
        shared.store(crash)
        let sink = TextSink()
        sink.put(crash: shared.memory, faultAddress: 0x1ff8)
        var words = [String](repeating: "0", count: MemoryLayout<brique_crash>.size / 8)
        words[0] = "100000002"
        words[2] = "f"
        words[23] = "ffffffffffffffff"
        words[24] = "200000101180"
        words[88] = "4100000001"
        #expect(sink.text == "crash-words 1ff8 \(words.joined(separator: " "))\n")
    }
}

struct LocalAPICTests {
    final class Recorder: RegisterBank {
        var writes: [[Int]] = []
        func read(_ offset: Int, _ width: RegisterWidth) -> UInt32 { 0x0300_0000 }
        func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth) { writes.append([offset, Int(value)]) }
    }

    @Test func `it is enabled before its entries are written`() {
        let bank = Recorder()
        LocalAPIC(bank: bank).start()
        #expect(bank.writes.first == [0xf0, 0x12f])
        #expect(bank.writes.contains([0x360, 0x400]))
    }

    @Test func `a pin goes to one processor, and opens last`() {
        let bank = Recorder()
        routeInterrupt(5, of: bank, destination: LocalAPIC(bank: bank).destination, vector: 33)
        #expect(bank.writes == [[0, 0x1b], [0x10, 0x0300_0000], [0, 0x1a], [0x10, 33]])
    }
}
