import Bytes
import Errno
import LinuxFormat
import LinuxMemory
import LinuxProcess
import VFS

/// execve(2) and execveat(2).
public enum ExecRows {
    private static var stringLimit: Int { 1 << 16 }

    public static func add(to catalogue: Catalogue) {
        catalogue.add(Syscall(.execve, .full, sysExecve))
        catalogue.add(Syscall(.execveat, .full, sysExecveat))
    }

    static func sysExecve(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let path = try thread.memory.string(at: arguments[0])
        return try replace(thread, path, from: nil, file: nil, arguments[1], arguments[2])
    }

    static func sysExecveat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let path = try thread.memory.string(at: arguments[1])
        let descriptor = arguments.descriptor(0)
        guard arguments[4] & ~0x1100 == 0 else { throw .einval }  // AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW
        if path.isEmpty {
            guard arguments[4] & 0x1000 != 0 else { throw .enoent }
            let file = try thread.process.descriptors[descriptor]
            return try replace(thread, thread.process.paths.path(of: file), from: nil, file: file, arguments[2], arguments[3])
        }
        var start: Place?
        if path[0] != 0x2f, descriptor != -100 {
            guard let place = try thread.process.descriptors[descriptor].origin?.place else { throw .enotdir }
            start = place
        }
        return try replace(thread, path, from: start, file: nil, arguments[2], arguments[3])
    }

    private static func strings(_ thread: LinuxThread, _ address: UInt64) throws(Errno) -> [[UInt8]] {
        guard address != 0 else { return [] }
        var strings: [[UInt8]] = []
        for word in try thread.memory.words(at: address, limit: stringLimit) {
            do throws(Errno) {
                strings.append(try thread.memory.string(at: word, limit: 131_072))
            } catch {
                throw error == .enametoolong ? .e2big : error
            }
        }
        return strings
    }

    private static func replace(
        _ thread: LinuxThread, _ path: [UInt8], from start: Place?, file: OpenFile?, _ argv: UInt64, _ envp: UInt64
    ) throws(Errno) -> Int {
        let process = thread.process
        // What cannot be executed is told before what it would be given.
        let program: OpenFile
        if let file { program = file } else { program = try ProgramPlan.open(path, from: start, in: process.paths) }
        let plan = try ProgramPlan(
            path, from: start, file: program, arguments: strings(thread, argv), environment: strings(thread, envp), in: process.paths)
        process.replaceProgram(by: thread) {
            do throws(Errno) {
                try plan.load(into: process, thread: thread, random: ProgramRandom(process.system))
                return true
            } catch {
                return false
            }
        }
        return 0
    }
}

extension ProgramRandom {
    public init(_ system: System) {
        var bytes = InlineArray<48, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        var raw = span.raw
        system.fill(&raw)
        var words = InlineArray<6, UInt64>(repeating: 0)
        for index in 0..<48 { words[index / 8] = words[index / 8] << 8 | UInt64(bytes[index]) }
        self.init(words)
    }
}
