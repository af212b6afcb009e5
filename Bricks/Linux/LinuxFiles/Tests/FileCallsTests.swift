import CLinuxFormat
import Errno
import LinuxFormat
import LinuxProcess
import Testing
import VFS

@testable import LinuxFiles

@Suite(.serialized) struct FileCallsTests {
    @Test func `a file is made, written, read and told about`() throws {
        let machine = try Machine()
        let file = machine.open("/a", [.readWrite, .create])
        #expect(file == 0)
        #expect(machine.write(file, "hello") == 5)
        #expect(machine.call(.lseek, 0, 1, 0) == 1)
        #expect(machine.call(.read, 0, machine.data, 100) == 4)
        #expect(machine.string(machine.data, 4) == "ello")
        #expect(machine.call(.pread64, 0, machine.data, 3, 0) == 3)
        #expect(machine.string(machine.data, 3) == "hel")
        #expect(machine.call(.pread64, 0, machine.data, 3, .max) == -22)
        #expect(machine.call(.fstat, 0, machine.data) == 0)
        #expect(machine.word(machine.data + 48) == 5)
        #expect(machine.word(machine.data + 24) & 0xffff_ffff == 0o100644)
        #expect(machine.call(.close, 0) == 0)
        #expect(machine.call(.read, 0, machine.data, 1) == -9)
        #expect(machine.open("/a", [.create, .exclusive]) == -17)
        #expect(machine.open("/none/a", .create) == -2)
    }

    @Test func `access modes, and what is no file`() throws {
        let machine = try Machine()
        #expect(machine.open("/a", [.writeOnly, .create]) == 0)
        #expect(machine.call(.read, 0, machine.data, 1) == -9)
        #expect(machine.open("/", .directory) == 1)
        #expect(machine.call(.read, 1, machine.data, 1) == -21)
        #expect(machine.call(.write, 1, machine.data, 1) == -9)
        #expect(machine.open("/a", .path) == 2)
        for call in [SyscallNumber.read, .fchmod, .ftruncate, .ioctl, .fsync] {
            #expect(machine.call(call, 2, machine.data, 1) == -9)
        }
        #expect(machine.call(.fstat, 2, machine.data) == 0)
        #expect(machine.call(.newfstatat, 2, machine.text(""), machine.data, 0x1000) == 0)
        #expect(machine.call(.newfstatat, 2, machine.text(""), machine.data, 0) == -2)
        #expect(machine.call(.openat, 0, machine.text("x"), 0) == -20)
        #expect(machine.call(.openat, 99, machine.text("x"), 0) == -9)
        #expect(machine.call(.openat, 99, machine.text("/a"), 0) == 3)
    }

    @Test func `a bad address is told before anything happens`() throws {
        let machine = try Machine()
        #expect(machine.open("/a", [.readWrite, .create]) == 0)
        #expect(machine.call(.write, 0, machine.nothing, 10) == -14)
        #expect(machine.call(.write, 0, machine.nothing - 5, 10) == 5)
        #expect(machine.call(.write, 0, machine.readOnly, 10) == 10)
        #expect(machine.call(.lseek, 0, 0, 0) == 0)
        #expect(machine.call(.read, 0, machine.readOnly, 10) == -14)
        #expect(machine.call(.read, 0, .max, 10) == -14)
        #expect(machine.call(.lseek, 0, 0, 1) == 0)
        #expect(machine.call(.read, 0, machine.nothing, 0) == 0)
        #expect(machine.call(.fstat, 0, machine.readOnly) == -14)
        #expect(machine.call(.open, machine.nothing, 0) == -14)
        #expect(machine.call(.writev, 0, machine.nothing, 1) == -14)
        #expect(machine.call(.writev, 0, machine.data, 1025) == -22)
        machine.store(words: [machine.data, .max], at: machine.data + 64)
        #expect(machine.call(.writev, 0, machine.data + 64, 1) == -22)
    }

    @Test func `several buffers are one transfer`() throws {
        let machine = try Machine()
        #expect(machine.open("/a", [.readWrite, .create]) == 0)
        machine.store(Array("onetwo".utf8), at: machine.data)
        machine.store(words: [machine.data, 3, machine.data, 0, machine.data + 3, 3], at: machine.data + 64)
        #expect(machine.call(.writev, 0, machine.data + 64, 3) == 6)
        machine.store(words: [machine.data + 256, 4, machine.data + 300, 4], at: machine.data + 64)
        #expect(machine.call(.preadv, 0, machine.data + 64, 2, 0) == 6)
        #expect(machine.string(machine.data + 256, 4) == "onet" && machine.string(machine.data + 300, 2) == "wo")
        let stream = Stream(.readWrite)
        #expect(try machine.process.descriptors.insert(stream) == 1)
        stream.incoming = [Array("abcdef".utf8), Array("next".utf8)]
        #expect(machine.call(.readv, 1, machine.data + 64, 2) == 6)
        #expect(machine.string(machine.data + 256, 4) == "abcd" && machine.string(machine.data + 300, 2) == "ef")
        #expect(machine.call(.pread64, 1, machine.data, 1, 0) == -29)
        #expect(machine.call(.lseek, 1, 0, 0) == -29)
    }

    @Test func `who would block waits, or is told so`() throws {
        let machine = try Machine()
        let stream = Stream(.readWrite)
        #expect(try machine.process.descriptors.insert(stream) == 0)
        machine.world.events = [
            { stream.observers.notify(.input) },
            {
                stream.incoming = [Array("late".utf8)]
                stream.observers.notify(.input)
            },
        ]
        #expect(machine.call(.read, 0, machine.data, 10) == 4)
        stream.room = 3
        machine.world.events = [
            {
                stream.room = 100; stream.observers.notify(.output)
            }
        ]
        #expect(machine.write(0, "longer") == 6)
        #expect(stream.outgoing == Array("longer".utf8))
        #expect(machine.call(.fcntl, 0, 4, UInt64(OpenFlags.nonBlock.rawValue)) == 0)
        #expect(machine.call(.fcntl, 0, 3) == Int(OpenFlags([.readWrite, .nonBlock, .largeFile]).rawValue))
        #expect(machine.call(.read, 0, machine.data, 10) == -11)
        stream.room = 2
        #expect(machine.write(0, "abc") == 2)
        #expect(machine.write(0, "abc") == -11)
        stream.isBroken = true
        #expect(machine.write(0, "abc") == -32)
        #expect(machine.thread.hasSignal)
    }

    @Test func `a directory is read in records`() throws {
        let machine = try Machine()
        for name in ["a", "bc", "a-name-that-is-longer"] { #expect(machine.call(.mkdir, machine.text("/\(name)"), 0o755) == 0) }
        #expect(machine.open("/", .directory) == 0)
        #expect(machine.call(.getdents64, 0, machine.data, 20) == -22)
        var names: [String] = []
        while true {
            let count = machine.call(.getdents64, 0, machine.data, 64)
            if count <= 0 { break }
            var offset = 0
            while offset < count {
                let record = machine.bytes(machine.data + UInt64(offset), count - offset)
                let length = Int(record[16]) | Int(record[17]) << 8
                #expect(length % 8 == 0 && record[18] == 4)
                names.append(String(decoding: record[19..<length].prefix { $0 != 0 }, as: UTF8.self))
                offset += length
            }
        }
        #expect(names == [".", "..", "a", "bc", "a-name-that-is-longer"])
        #expect(machine.call(.getcwd, machine.data, 1) == -34)
        #expect(machine.call(.chdir, machine.text("bc")) == 0)
        #expect(machine.call(.getcwd, machine.data, 100) == 4)
        #expect(machine.string(machine.data, 4) == "/bc\0")
    }

    @Test func `locks of files and of the process`() throws {
        let machine = try Machine()
        #expect(machine.open("/a", [.readWrite, .create]) == 0)
        #expect(machine.open("/a", .readWrite) == 1)
        // F_WRLCK, SEEK_SET, from 10, 20 bytes
        machine.store(words: [1, 10, 20, 0], at: machine.data)
        #expect(machine.call(.fcntl, 0, 37, machine.data) == 0)
        #expect(machine.call(.fcntl, 1, 37, machine.data) == -11)
        machine.store(words: [1, 0, 0, 0], at: machine.data)
        #expect(machine.call(.fcntl, 1, 36, machine.data) == 0)
        #expect(machine.word(machine.data + 8) == 10 && machine.word(machine.data + 16) == 20)
        #expect(machine.call(.fcntl, 1, 6, machine.data) == -11)
        #expect(machine.call(.close, 0) == 0)
        machine.store(words: [1, 0, 0, 0], at: machine.data)
        #expect(machine.call(.fcntl, 1, 6, machine.data) == 0)
        #expect(machine.open("/a", .readOnly) == 0)
        #expect(machine.call(.flock, 0, 2) == 0)
        #expect(machine.call(.flock, 1, 6) == -11)
        machine.world.events = [{ _ = machine.call(.flock, 0, 8) }]
        #expect(machine.call(.flock, 1, 2) == 0)
        machine.store(words: [2, 0, 0, 0], at: machine.data)
        #expect(machine.call(.fcntl, 1, 5, machine.data) == -22)
        machine.store(words: [1, UInt64(bitPattern: -1), 0, 0], at: machine.data)
        #expect(machine.call(.fcntl, 1, 6, machine.data) == -22)
    }

    @Test func `bytes go from file to file`() throws {
        let machine = try Machine()
        #expect(machine.open("/a", [.readWrite, .create]) == 0)
        #expect(machine.open("/b", [.readWrite, .create]) == 1)
        machine.write(0, "0123456789")
        machine.store(words: [2], at: machine.data)
        #expect(machine.call(.sendfile, 1, 0, machine.data, 5) == 5)
        #expect(machine.word(machine.data) == 7)
        machine.store(words: [0], at: machine.data)
        machine.store(words: [5], at: machine.data + 8)
        #expect(machine.call(.copyFileRange, 0, machine.data, 1, machine.data + 8, 100, 0) == 10)
        #expect(machine.call(.pread64, 1, machine.data, 100, 0) == 15)
        #expect(machine.string(machine.data, 15) == "234560123456789")
        #expect(machine.call(.lseek, 0, 0, 0) == 0)
        machine.store(words: [1], at: machine.data)
        #expect(machine.call(.copyFileRange, 0, 0, 0, machine.data, 5, 0) == -22)
        let stream = Stream(.readWrite)
        #expect(try machine.process.descriptors.insert(stream) == 2)
        #expect(machine.call(.splice, 0, 0, 2, 0, 4, 0) == 4)
        #expect(stream.outgoing == Array("0123".utf8))
        stream.incoming = [Array("xyz".utf8)]
        #expect(machine.call(.splice, 2, 0, 1, 0, 100, 0) == 3)
        #expect(machine.call(.sendfile, 1, 2, 0, 5) == -22)
    }

    @Test func `changes of a directory are told`() throws {
        let machine = try Machine()
        #expect(machine.call(.inotifyInit1, UInt64(OpenFlags.nonBlock.rawValue)) == 0)
        #expect(machine.call(.inotifyAddWatch, 0, machine.text("/"), 0xfff) == 1)
        #expect(machine.call(.read, 0, machine.data, 1000) == -11)
        #expect(machine.open("/n", [.writeOnly, .create]) == 1)
        machine.write(1, "x")
        machine.write(1, "y")
        #expect(machine.call(.read, 0, machine.data, 8) == -22)
        #expect(machine.call(.read, 0, machine.data, 1000) == 3 * 32)
        #expect(machine.word(machine.data) == 0x100 << 32 | 1 && machine.string(machine.data + 16, 2) == "n\0")
        #expect(machine.word(machine.data + 64) == 2 << 32 | 1)
        #expect(machine.call(.inotifyRmWatch, 0, 1) == 0)
        #expect(machine.call(.read, 0, machine.data, 1000) == 16)
        #expect(machine.word(machine.data) == 0x8000 << 32 | 1)
        #expect(machine.call(.inotifyRmWatch, 0, 1) == -22)
    }

    @Test func `any arguments are harmless`() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var random = Numbers(state: seed)
        let machine = try Machine(byteLimit: 1 << 20)
        _ = machine.open("/a", [.readWrite, .create])
        _ = machine.open("/", .directory)
        let stream = Stream([.readWrite, .nonBlock])
        _ = try machine.process.descriptors.insert(stream)
        let numbers = (0..<SyscallNumber.limit).filter {
            machine.process.catalogue[UInt64($0)] != nil && $0 != SyscallNumber.chroot.rawValue
        }
        for _ in 0..<20_000 {
            let number = numbers[Int(random.next() % UInt64(numbers.count))]
            machine.store(Array(["/a", "a", "/", "b", "/x/y", "."][Int(random.next() % 6)].utf8) + [0], at: machine.data)
            let arguments = (0..<6).map { _ in random.argument(machine) }
            // Nobody ends a wait here.
            machine.world.events = [{ _ = machine.thread.send(linux_signal_information(signal: 10, code: 0)) }]
            _ = machine.call(
                SyscallNumber(rawValue: number), arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5])
            stream.outgoing = []
        }
    }
}

struct Numbers {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 16
    }
    mutating func argument(_ machine: Machine) -> UInt64 {
        switch next() % 8 {
        case 0: next() % 6
        case 1: next() % 70_000
        case 2: machine.data
        case 3: machine.data + next() % 8192
        case 4: [machine.readOnly, machine.nothing, machine.nothing - 3, .max, 0][Int(next() % 5)]
        case 5: UInt64(bitPattern: -100)
        case 6: 1 << (next() % 64)
        default: next() << (next() % 20)
        }
    }
}
