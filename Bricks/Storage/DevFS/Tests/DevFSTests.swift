import Bytes
import DevFS
import Errno
import PageFrames
import Random
import RamFS
import Testing
import VFS

final class Sample {
    let frames = TestFrames(chunkLimit: 4)
    let devices: Devices
    let context: PathContext
    let memory = Memory()

    init() throws {
        let ram = RamFS(
            device: 4, frames: frames, byteLimit: 1 << 20, inodeLimit: 1000, key: SipHash.Key(low: 1, high: 2), clock: { .zero })
        let root = try ram.makeRoot()
        let terminals = try Devices.populate(root)
        devices = Devices(frames: frames, pseudoTerminals: terminals) { bytes in
            for index in 0..<bytes.byteCount {
                bytes.storeBytes(of: UInt8(truncatingIfNeeded: index &* 7 + 1), toByteOffset: index, as: UInt8.self)
            }
        }
        let mounts = MountTable(root: ram, root)
        mounts.specialFiles = devices
        context = PathContext(mounts)
    }

    func open(_ path: String, _ flags: OpenFlags = .readWrite) throws(Errno) -> OpenFile {
        let file = try context.open(Array(path.utf8), flags)
        file.retain()
        return file
    }
    func pair() throws -> (master: OpenFile, slave: OpenFile) {
        let master = try open("/ptmx")
        #expect(try master.control(0x8004_5430, 0x1000, memory) == 0)
        let number = memory[0..<1][0]
        #expect(failure { () throws(Errno) in _ = try open("/pts/\(number)") } == .eio)
        memory[0..<4] = [0, 0, 0, 0]
        #expect(try master.control(0x4004_5431, 0x1000, memory) == 0)
        let slave = try open("/pts/\(number)")
        return (master, slave)
    }
}

extension OpenFile {
    func read(_ count: Int = 1000) throws(Errno) -> String {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        var raw = span.raw
        let read = try read(into: &raw)
        return String(decoding: bytes.prefix(read), as: UTF8.self)
    }
    func type(_ bytes: [UInt8]) -> Int? { try? write(bytes.raw) }
    func type(_ text: String) { #expect(type(Array(text.utf8)) == text.utf8.count) }
}

func failure(_ body: () throws(Errno) -> Void) -> Errno? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}

struct DevFSTests {
    @Test func `null, zero, full and random are what they are called`() throws {
        let sample = try Sample()
        let null = try sample.open("/null"), zero = try sample.open("/zero"), full = try sample.open("/full")
        #expect(try null.read() == "")
        #expect(try zero.read(3) == "\0\0\0")
        #expect(try full.read(1) == "\0")
        null.type("gone")
        #expect(failure { () throws(Errno) in _ = try full.write([1].raw) } == .enospc)
        #expect(try sample.open("/urandom").read(2).utf8.elementsEqual([1, 8]))
        #expect(null.attributes().representedDevice == 0x103 && null.kind == .characterDevice)
        #expect(failure { () throws(Errno) in _ = try null.frame(at: 0, forWriting: false) } == .enodev)
        sample.frames.release(try zero.frame(at: 9, forWriting: true))
        #expect(failure { () throws(Errno) in _ = try sample.open("/tty") } == .enxio)
        #expect(failure { () throws(Errno) in _ = try sample.open("/console") } == .enxio)
    }

    @Test func `a line is read when it is ended, and can be edited until then`() throws {
        let sample = try Sample()
        let (master, slave) = try sample.pair()
        master.type("helpo")
        #expect(failure { () throws(Errno) in _ = try slave.read() } == .eagain)
        #expect(!slave.readiness.contains(.input))
        master.type("\u{7f}\u{7f}lo wrong\u{17}right\r")
        #expect(slave.readiness.contains(.input))
        #expect(try slave.read(4) == "hell")
        #expect(try slave.read() == "o right\n")
        #expect(try master.read().hasPrefix("helpo\u{8} \u{8}\u{8} \u{8}lo wrong"))
        master.type("end\u{4}\u{4}")
        #expect(try slave.read() == "end")
        #expect(try slave.read() == "")
        master.type("killed\u{15}\u{16}\u{3}\n")
        #expect(try slave.read() == "\u{3}\n")
    }

    @Test func `output has carriage returns, raw mode has neither lines nor echo`() throws {
        let sample = try Sample()
        let (master, slave) = try sample.pair()
        slave.type("one\ntwo\n")
        #expect(try master.read() == "one\r\ntwo\r\n")
        #expect(try slave.control(0x5401, 0x1000, sample.memory) == 0)
        var settings = sample.memory[0..<36]
        #expect(settings[0..<2] == [0, 5] && settings[4] == 5 && settings[17] == 3)
        for index in 0..<8 { settings[index] = 0 }
        for index in 12..<16 { settings[index] = 0 }
        sample.memory[0..<36] = settings
        #expect(try slave.control(0x5402, 0x1000, sample.memory) == 0)
        master.type("a\u{3}\r")
        #expect(try slave.read(2) == "a\u{3}")
        #expect(try slave.read() == "\r")
        slave.type("x\n")
        #expect(try master.read() == "x\n")
        #expect(failure { () throws(Errno) in _ = try slave.control(0x5401, 0, sample.memory) } == .efault)
        #expect(failure { () throws(Errno) in _ = try slave.control(0x1234, 0, sample.memory) } == .enotty)
    }

    @Test func `signals and sizes reach the session`() throws {
        let port = TerminalPort()
        let terminal = Terminal(port, device: 0x501, name: Array("/dev/console".utf8))
        var signals: [Int32] = []
        terminal.signal = { signals.append($0) }
        let sample = try Sample()
        sample.devices.console = terminal
        let file = try sample.open("/console")
        terminal.receive(Array("abc\u{3}\u{1c}\u{1a}".utf8).raw)
        #expect(signals == [2, 3, 20])
        #expect(failure { () throws(Errno) in _ = try file.read() } == .eagain)
        sample.memory[0..<8] = [50, 0, 132, 0, 0, 0, 0, 0]
        #expect(try file.control(0x5414, 0x1000, sample.memory) == 0)
        #expect(terminal.rows == 50 && terminal.columns == 132 && signals.last == 28)
    }

    @Test func `either side hears that the other is gone`() throws {
        let sample = try Sample()
        let (master, slave) = try sample.pair()
        slave.type("last")
        slave.release()
        #expect(try master.read() == "last")
        #expect(master.readiness.contains(.hangUp))
        #expect(failure { () throws(Errno) in _ = try master.read() } == .eio)
        let again = try sample.open("/pts/0")
        master.release()
        #expect(try again.read() == "")
        #expect(failure { () throws(Errno) in _ = try again.write([1].raw) } == .eio)
        #expect(failure { () throws(Errno) in _ = try sample.open("/pts/0") } == .enoent)
        again.release()
    }

    @Test func `any bytes typed under any settings are harmless`() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        let sample = try Sample()
        let (master, slave) = try sample.pair()
        for _ in 0..<3000 {
            switch random.next() % 5 {
            case 0:
                sample.memory[0..<44] = (0..<44).map { _ in UInt8(truncatingIfNeeded: random.next() >> (random.next() % 60)) }
                _ = try? slave.control(random.next() % 2 == 0 ? 0x5404 : 0x402c_542b, 0x1000, sample.memory)
            case 1: _ = try? slave.read(Int(random.next() % 100))
            case 2: _ = try? master.read(Int(random.next() % 100_000))
            case 3: _ = slave.type((0..<Int(random.next() % 500)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            default: _ = master.type((0..<Int(random.next() % 500)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            }
            _ = (master.readiness, slave.readiness)
        }
    }
}
