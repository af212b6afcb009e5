import Bytes
import Errno
import PageFrames
import Random
import RamFS
import VFS

/// A tree in memory with one process in it.
final class Sample {
    let frames: TestFrames
    let ram: RamFS
    let context: PathContext
    var now = FileTime(seconds: 1_000_000, nanoseconds: 0)

    init(chunkLimit: Int = 64, byteLimit: Int64 = 16 << 20, inodeLimit: Int = 1000) throws {
        frames = TestFrames(chunkLimit: chunkLimit)
        let clock = TestClock()
        ram = RamFS(
            device: 7, frames: frames, byteLimit: byteLimit, inodeLimit: inodeLimit, key: SipHash.Key(low: 1, high: 2), clock: clock.now)
        context = PathContext(MountTable(root: ram, try ram.makeRoot()), creationMask: 0)
    }

    func open(_ path: String, _ flags: OpenFlags, mode: UInt32 = 0o644) throws(Errno) -> OpenFile {
        let file = try context.open(Array(path.utf8), flags, mode: mode)
        file.retain()
        return file
    }
    func write(_ path: String, _ text: String) throws(Errno) {
        let file = try open(path, [.writeOnly, .create, .truncate])
        defer { file.release() }
        _ = try file.write(Array(text.utf8).raw)
    }
    func read(_ path: String) throws(Errno) -> String {
        let file = try open(path, [])
        defer { file.release() }
        return try file.text()
    }
    func resolve(_ path: String, _ options: Resolution = []) throws(Errno) -> Place {
        try context.resolve(Array(path.utf8), options)
    }
    func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws(Errno) { try context.makeDirectory(Array(path.utf8), mode: mode) }
    func link(_ target: String, at path: String) throws(Errno) {
        try context.makeSymbolicLink(to: Array(target.utf8), at: Array(path.utf8))
    }
    func unlink(_ path: String) throws(Errno) { try context.unlink(Array(path.utf8)) }
    func rename(_ old: String, _ new: String, _ mode: RenameMode = .replace) throws(Errno) {
        try context.rename(Array(old.utf8), to: Array(new.utf8), mode)
    }
    func names(_ path: String) throws(Errno) -> [String] {
        let directory = try open(path, .directory)
        defer { directory.release() }
        return try directory.names()
    }
}

final class TestClock {
    private var seconds: Int64 = 1_000_000
    func now() -> FileTime {
        seconds += 1
        return FileTime(seconds: seconds, nanoseconds: 0)
    }
}

extension OpenFile {
    func readBytes(_ count: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xaa, count: count)
        var span = bytes.mutableSpan
        var raw = span.raw
        let read = try read(into: &raw)
        return Array(bytes.prefix(read))
    }
    func text() throws(Errno) -> String { String(decoding: try readBytes(1 << 20), as: UTF8.self) }
    func write(text: String) throws(Errno) -> Int { try write(Array(text.utf8).raw) }
    func names() throws(Errno) -> [String] {
        var names: [String] = []
        try readDirectory { name, _, _, _ in
            names.append(String(decoding: Array(copying: name), as: UTF8.self))
            return true
        }
        return names
    }
}

/// The error that `body` throws, nil when it throws none.
func failure(_ body: () throws(Errno) -> Void) -> Errno? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}
