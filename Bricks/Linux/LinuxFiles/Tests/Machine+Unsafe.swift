import Bytes
import Errno
import LinuxFormat
import LinuxMemory
import LinuxProcess
import PageFrames
import Random
import RamFS
import Time
import VFS

@testable import LinuxFiles

/// A process with one thread, some memory and a tree of files.
final class Machine {
    /// Memory that can be written, a page that can only be read, and one that is not there follow each other.
    let data: UInt64
    var readOnly: UInt64 { data + 0x10_0000 }
    var nothing: UInt64 { readOnly + 0x1000 }

    let frames = HostFrames(chunkLimit: 32)
    let ram: RamFS
    let process: LinuxProcess
    let thread: LinuxThread
    let world: World

    nonisolated(unsafe) private static var lastBase: UInt64 = 0x1000_0000_0000

    init(byteLimit: Int64 = 4 << 20) throws {
        // SAFETY: the suite is serialized; each machine has addresses of its own.
        unsafe Self.lastBase += 0x1000_0000
        data = unsafe Self.lastBase
        world = World()
        ram = RamFS(
            device: 3, frames: frames, byteLimit: byteLimit, inodeLimit: 1000, key: SipHash.Key(low: 1, high: 2),
            clock: { FileTime(seconds: 100, nanoseconds: 5) })
        let catalogue = Catalogue()
        FileCalls.add(to: catalogue)
        let frames = frames
        let context = PathContext(MountTable(root: ram, try ram.makeRoot()))
        process = LinuxProcess(world, catalogue, paths: context, extendedByteCount: 832, features: 7) {
            AddressSpace(frames: frames, mapper: HostMapper(frames))
        }
        process.attachments.append(FileServices(memory: ram))
        thread = try process.makeThread()
        try process.memory.map(data, 0x10_0000, [.read, .write])
        try process.memory.map(readOnly, 0x1000, .read)
    }

    deinit { process.memory.removeAll() }

    /// The result, or a negative error.
    func call(_ number: SyscallNumber, _ arguments: UInt64...) -> Int { call(number, with: arguments) }
    func call(_ number: SyscallNumber, with arguments: [UInt64]) -> Int {
        var words = InlineArray<6, UInt64>(repeating: 0)
        for (index, word) in arguments.enumerated() { words[index] = word }
        guard let row = process.catalogue[UInt64(number.rawValue)] else { return -38 }
        do {
            return try row.handler(thread, Arguments(words))
        } catch {
            return -Int(error.rawValue)
        }
    }

    /// A string at a place of its own.
    func text(_ text: String, at offset: UInt64 = 0xf_0000) -> UInt64 {
        store(Array(text.utf8) + [0], at: data + offset)
        return data + offset
    }
    func store(_ bytes: [UInt8], at address: UInt64) { try? process.memory.copyOut(bytes.raw, to: address) }
    func bytes(_ address: UInt64, _ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try? process.memory.fill(&bytes, from: address)
        return bytes
    }
    func string(_ address: UInt64, _ count: Int) -> String { String(decoding: bytes(address, count), as: UTF8.self) }
    func word(_ address: UInt64) -> UInt64 { (try? process.memory.copyIn(UInt64.self, at: address)) ?? .max }
    func store(words: [UInt64], at address: UInt64) {
        for (index, word) in words.enumerated() { try? process.memory.copyOut(word, to: address + UInt64(index) * 8) }
    }

    func open(_ path: String, _ flags: OpenFlags, mode: UInt64 = 0o644) -> Int {
        call(.openat, UInt64(bitPattern: -100), text(path), UInt64(flags.rawValue), mode)
    }
    @discardableResult
    func write(_ descriptor: Int, _ content: String) -> Int {
        call(.write, UInt64(descriptor), text(content, at: 0xe_0000), UInt64(content.utf8.count))
    }
}

/// What happens while a thread waits: the next of these.
final class World: System {
    var events: [() -> Void] = []
    override var wallTime: WallTime { WallTime(nanosecondsSince1970: 7_000_000_009) }
    override func makeExecution() -> Execution { Waiting(self) }
}

private final class Waiting: Execution {
    private let world: World
    init(_ world: World) { self.world = world }
    override func block(until deadline: Instant?) {
        precondition(!world.events.isEmpty, "waits for ever")
        world.events.removeFirst()()
    }
}

/// A stream of a few bytes each way.
final class Stream: OpenFile {
    var incoming: [[UInt8]] = []
    var outgoing: [UInt8] = []
    var room = Int.max
    var isBroken = false

    override var kind: FileKind { .fifo }
    override var readiness: PollEvents { room > 0 ? [.output, .input] : .input }
    override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard let first = incoming.first else { throw .eagain }
        let count = min(first.count, bytes.byteCount)
        bytes.replace(from: 0, with: first.raw.extracting(first: count))
        incoming.removeFirst()
        return count
    }
    override func write(_ bytes: RawSpan) throws(Errno) -> Int {
        if isBroken { throw .epipe }
        let count = min(room, bytes.byteCount)
        guard count > 0 || bytes.byteCount == 0 else { throw .eagain }
        room -= count
        outgoing.append(bytes.extracting(first: count))
        return count
    }
}
