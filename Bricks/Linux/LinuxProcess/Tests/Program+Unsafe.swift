import CLinuxFormat
import Errno
import LinuxFormat
import LinuxMemory
import PageFrames
import Time
import VFS

@testable import LinuxProcess

/// What the process meets: what happens while a thread waits is the next of `events`.
final class World: System {
    var events: [() -> Void] = []
    var lines: [String] = []
    var status: Int32?
    var crashed: linux_signal_information?
    var time = Instant(nanoseconds: 1_000)

    override var now: Instant { time }
    override func makeExecution() -> Execution { Waiting(self) }
    override func log(_ line: [UInt8]) { lines.append(String(decoding: line, as: UTF8.self)) }
    override func exit(_ status: Int32) { self.status = status }
    override func crashed(_ thread: LinuxThread, _ information: linux_signal_information) { crashed = information }
}

private final class Waiting: Execution {
    private let world: World
    init(_ world: World) { self.world = world }
    override func block(until deadline: Instant?) {
        guard let deadline, world.events.isEmpty else {
            precondition(!world.events.isEmpty, "waits for ever")
            return world.events.removeFirst()()
        }
        world.time = deadline
    }
}

/// A process with two threads and some memory.
final class Program {
    let data: UInt64
    var stackTop: UInt64 { data + 0x10000 }
    let frames = HostFrames(chunkLimit: 8)
    let world = World()
    let process: LinuxProcess
    let thread: LinuxThread
    let other: LinuxThread

    nonisolated(unsafe) private static var lastBase: UInt64 = 0x1300_0000_0000

    init() throws {
        // SAFETY: the suites run one after the other; each program has addresses of its own.
        unsafe Self.lastBase += 0x1000_0000
        data = unsafe Self.lastBase
        let frames = frames
        let root = FileSystem(device: 1, typeName: "none")
        let catalogue = Catalogue()
        ProcessRows.add(to: catalogue)
        process = LinuxProcess(
            world, catalogue, paths: PathContext(MountTable(root: root, Vnode(kind: .directory, fileSystem: root))), extendedByteCount: 832,
            features: 7
        ) { AddressSpace(frames: frames, mapper: HostMapper(frames)) }
        thread = try process.makeThread()
        other = try process.makeThread()
        process.threads = [thread, other]
        try process.memory.map(data, 0x10000, [.read, .write])
        thread.context.registers.rsp = stackTop - 64
    }

    deinit { process.memory.removeAll() }

    /// The result of a call, or a negative error; `-512` and the like: it is to be restarted.
    func call(_ number: SyscallNumber, _ arguments: UInt64..., by thread: LinuxThread? = nil) -> Int {
        var words = InlineArray<6, UInt64>(repeating: 0)
        for (index, word) in arguments.enumerated() { words[index] = word }
        guard let row = process.catalogue[UInt64(number.rawValue)] else { return -38 }
        do { return try row.handler(thread ?? self.thread, Arguments(words)) } catch { return -Int(error.rawValue) }
    }

    @discardableResult
    func store(_ words: [UInt64], at offset: UInt64) -> UInt64 {
        for (index, word) in words.enumerated() { try? process.memory.write(word, at: data + offset + UInt64(index) * 8) }
        return data + offset
    }
    func word(_ offset: UInt64) -> UInt64 { (try? process.memory.read(UInt64.self, at: data + offset)) ?? .max }

    /// sigaction(2) with a restorer.
    func handle(_ signal: UInt64, flags: UInt64 = 0, mask: UInt64 = 0, handler: UInt64 = 0x40_0000) -> Int {
        call(.rtSigaction, signal, store([handler, flags | 0x400_0000, 0x50_0000, mask], at: 0x100), 0, 8)
    }
}
