import Bytes
import Errno
import ProcFS
import Testing
import VFS

private final class Source: ProcSource {
    let table = DescriptorTable()
    var paths: PathContext?
    override var currentThread: Int32 { 7 }
    override func threads(of process: Int32) -> [Int32] { [1, 7] }
    override func descriptors(of process: Int32) throws(Errno) -> DescriptorTable { table }
    override func context(of process: Int32) throws(Errno) -> PathContext {
        guard let paths else { throw .eacces }
        return paths
    }
    override func commandLine(of process: Int32) throws(Errno) -> [UInt8] { Array("program\0argument\0".utf8) }
    override func status(of process: Int32, thread: Int32?) throws(Errno) -> ProcessStatus {
        var status = ProcessStatus()
        status.identifier = thread ?? process
        status.limits = [(.max, .max), (1024, 4096)]
        status.blockedSignals = 0x4000
        return status
    }
    override func mappings(of process: Int32) throws(Errno) -> [MemoryMapping] {
        [
            MemoryMapping(
                start: 0x40_0000, end: 0x40_1000, protection: 5, offset: 0x1000, device: 5, inode: 77, name: Array("/bin/a b".utf8)),
            MemoryMapping(start: 0x7fff_0000_0000, end: 0x7fff_0002_0000, protection: 3, name: Array("[stack]".utf8)),
        ]
    }
    override var system: SystemStatus {
        var system = SystemStatus()
        system.processorCount = 2
        system.totalByteCount = 64 << 20
        system.uptimeNanoseconds = 12_345_678_901
        return system
    }
}

private func failure(_ body: () throws(Errno) -> Void) -> Errno? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}

extension OpenFile {
    fileprivate func names() throws(Errno) -> [String] {
        var names: [String] = []
        try readDirectory { name, _, _, _ in
            names.append(String(decoding: Array(copying: name), as: UTF8.self))
            return true
        }
        return names
    }

    fileprivate func append(to all: inout [UInt8]) throws(Errno) -> Int {
        var part = [UInt8](repeating: 0, count: 37)
        var span = part.mutableSpan
        var raw = span.raw
        let count = try read(into: &raw)
        all += part.prefix(count)
        return count
    }
}

/// A file without a place.
private final class Pipe: OpenFile {
    override var kind: FileKind { .fifo }
    override var displayName: [UInt8] { Array("pipe:[3]".utf8) }
}

struct ProcFSTests {
    private let source = Source()
    private let context: PathContext

    init() {
        let clock = { FileTime(seconds: 5, nanoseconds: 0) }
        let proc = ProcFS(source, device: 9, clock: clock)
        let sys = SysFS(source, device: 10, clock: clock)
        let mounts = MountTable(root: proc, proc.root)
        context = PathContext(mounts)
        if let net = try? context.resolve(Array("/sys/net".utf8)) { _ = mounts.mount(sys, root: sys.root, at: net) }
        source.paths = context
    }

    private func bytes(_ path: String) throws(Errno) -> [UInt8] {
        let file = try context.open(Array(path.utf8), [])
        var all: [UInt8] = []
        while try file.append(to: &all) > 0 {}
        return all
    }
    private func text(_ path: String) throws(Errno) -> String { String(decoding: try bytes(path), as: UTF8.self) }
    private func write(_ path: String, _ bytes: [UInt8]) throws(Errno) {
        let file = try context.open(Array(path.utf8), .writeOnly)
        _ = try file.write(bytes.raw)
    }
    private func names(_ path: String) throws(Errno) -> [String] {
        let directory = try context.open(Array(path.utf8), .directory)
        return try directory.names()
    }

    @Test func `a process is described as proc(5) says`() throws {
        #expect(
            try text("/self/maps") == """
                00400000-00401000 r-xp 00001000 00:05 77                                 /bin/a b
                7fff00000000-7fff00020000 rw-p 00000000 00:00 0                          [stack]

                """)
        let stat = try text("/self/stat")
        #expect(stat.hasPrefix("1 (program) R 0 1 1 0 -1 4194304 ") && stat.split(separator: " ").count == 52)
        #expect(try text("/self/status").contains("SigBlk:\t0000000000004000\n"))
        #expect(try text("/self/status").contains("Cpus_allowed:\t3\nCpus_allowed_list:\t0-1\n"))
        #expect(try text("/thread-self/status").contains("\nPid:\t7\n"))
        #expect(try text("/self/cmdline") == "program\0argument\0")
        #expect(try text("/self/task/7/comm") == "program\n")
        #expect(try text("/7/status").contains("\nPid:\t7\n"))
        #expect(try names("/7/task").sorted() == [".", "..", "1", "7"])
        #expect(try !names("/").contains("7"))
        #expect(try text("/1/statm").split(separator: " ").count == 7)
        #expect(
            try text("/self/limits").split(separator: "\n")[2]
                == "Max file size             1024                 4096                 bytes     ")
        #expect(try text("/self/smaps").split(separator: "\n").count == 2 * 24)
        #expect(try text("/self/cgroup") == "0::/\n")
        #expect(try text("/mounts").hasPrefix("proc / proc rw,relatime 0 0\nsysfs /sys/net sysfs "))
        #expect(try names("/self/task").sorted() == [".", "..", "1", "7"])
    }

    @Test func `descriptors are links to what they are`() throws {
        let file = try context.open(Array("/version".utf8), [])
        #expect(try source.table.insert(file) == 0)
        #expect(try source.table.insert(Pipe([.writeOnly])) == 1)
        #expect(try names("/self/fd").sorted() == [".", "..", "0", "1"])
        #expect(try context.resolve(Array("/self/fd/1".utf8), .noFollow).vnode.readLink() == Array("pipe:[3]".utf8))
        #expect(try context.resolve(Array("/self/fd/0".utf8), .noFollow).vnode.readLink() == Array("/version".utf8))
        #expect(try text("/self/fd/0").hasPrefix("Linux version "))
        let pipe = try source.table[1]
        #expect(try context.open(Array("/self/fd/1".utf8), .writeOnly) === pipe)
        #expect(try text("/self/fdinfo/1") == "pos:\t0\nflags:\t00000001\nmnt_id:\t15\nino:\t0\n")
        for path in ["/self/fd/2", "/self/fd/01", "/self/fd/-1", "/2", "/self/task/2", "/self/task/7/task", "/self/nothing"] {
            #expect(failure { () throws(Errno) in _ = try context.resolve(Array(path.utf8)) } == .enoent)
        }
        #expect(
            failure { () throws(Errno) in
                _ = try context.open(Array("/self/fd/1".utf8), [.create, .exclusive])
            } == .eexist)
        #expect(failure { () throws(Errno) in _ = try context.open(Array("/self/exe".utf8), []) } == .enoent)
    }

    @Test func `the machine is described`() throws {
        #expect(try text("/meminfo").hasPrefix("MemTotal:          65536 kB\nMemFree:"))
        #expect(try text("/uptime") == "12.34 0.00\n")
        #expect(try text("/cpuinfo").split(separator: "\n").filter { $0.hasPrefix("processor\t: ") }.count == 2)
        #expect(try text("/stat").hasPrefix("cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 "))
        #expect(try text("/sys/kernel/random/uuid") == "00000000-0000-4000-8000-000000000000\n")
        #expect(try text("/sys/vm/overcommit_memory") == "1\n")
        #expect(try text("/sys/net/devices/system/cpu/online") == "0-1\n")
        #expect(try text("/sys/net/fs/cgroup/memory.max") == "67108864\n")
        #expect(try text("/sys/net/fs/cgroup/cpu.max") == "200000 100000\n")
    }

    @Test func `nothing can be made, moved or removed`() {
        #expect(failure { () throws(Errno) in _ = try context.open(Array("/x".utf8), [.create, .writeOnly]) } == .enoent)
        #expect(failure { () throws(Errno) in _ = try context.open(Array("/version".utf8), .writeOnly) } == .eacces)
        #expect(failure { () throws(Errno) in try context.unlink(Array("/version".utf8)) } == .eperm)
        #expect(failure { () throws(Errno) in try context.rename(Array("/version".utf8), to: Array("/v".utf8)) } == .eperm)
        #expect(
            failure { () throws(Errno) in
                try write("/sys/kernel/hostname", Array("name\n".utf8))
            } == .eperm)
    }

    @Test func `every file of the trees can be read`() throws {
        var queue = ["/"]
        var count = 0
        while let path = queue.popLast() {
            for name in try names(path) where name != "." && name != ".." {
                let child = path == "/" ? "/\(name)" : "\(path)/\(name)"
                let vnode = try context.resolve(Array(child.utf8), .noFollow).vnode
                count += 1
                switch vnode.kind {
                case .directory: queue.append(child)
                case .regular: _ = try bytes(child)
                default: _ = try? vnode.readLink()
                }
            }
        }
        #expect(count > 250)
    }
}
