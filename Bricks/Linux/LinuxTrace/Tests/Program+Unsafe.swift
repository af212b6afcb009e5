import Errno
import LinuxMemory
import LinuxProcess
import PageFrames
import VFS

/// A process with one thread and some memory.
final class Program {
    let data: UInt64
    let frames = HostFrames(chunkLimit: 8)
    let process: LinuxProcess
    let thread: LinuxThread

    nonisolated(unsafe) private static var lastBase: UInt64 = 0x1100_0000_0000

    init() throws {
        // SAFETY: the suite is serialized; each program has addresses of its own.
        unsafe Self.lastBase += 0x1000_0000
        data = unsafe Self.lastBase
        let frames = frames
        let root = FileSystem(device: 1, typeName: "none")
        process = LinuxProcess(
            System(), Catalogue(), paths: PathContext(MountTable(root: root, Vnode(kind: .directory, fileSystem: root))),
            extendedByteCount: 832, features: 7
        ) { AddressSpace(frames: frames, mapper: HostMapper(frames)) }
        thread = try process.makeThread()
        try process.memory.map(data, 0x10000, [.read, .write])
    }

    deinit { process.memory.removeAll() }

    func store(_ bytes: [UInt8], at offset: UInt64) -> UInt64 {
        for (index, byte) in bytes.enumerated() { try? process.memory.write(byte, at: data + offset + UInt64(index)) }
        return data + offset
    }
    func store(words: [UInt64], at offset: UInt64) -> UInt64 {
        for (index, word) in words.enumerated() { try? process.memory.write(word, at: data + offset + UInt64(index) * 8) }
        return data + offset
    }
    func text(_ text: String, at offset: UInt64 = 0) -> UInt64 { store(Array(text.utf8) + [0], at: offset) }
}
