import ELFFormat
import Errno
import LinuxMemory
import LinuxProcess
import VFS

/// A program that was found and checked, before anything changes.
public struct ProgramPlan {
    /// As BINPRM_BUF_SIZE of the kernel: what is read of a script's first line.
    static var scriptLineLimit: Int { 256 }
    static var scriptDepthLimit: Int { 5 }

    let program: ProgramFile
    let interpreter: ProgramFile?
    let path: [UInt8]
    public internal(set) var arguments: [[UInt8]]
    let environment: [[UInt8]]
    /// Set-user-id bits are not honoured: there is nobody to protect from.
    let origin: Origin?

    /// `.enoent`, `.eacces`, `.enoexec`, `.eloop`, `.elibbad`: as execve(2).
    public init(
        _ path: [UInt8], from start: Place? = nil, file given: OpenFile? = nil, arguments: [[UInt8]], environment: [[UInt8]],
        in context: PathContext
    ) throws(Errno) {
        var file: OpenFile
        if let given { file = given } else { file = try Self.open(path, from: start, in: context) }
        var arguments = arguments
        var path = path
        var depth = 0
        while let line = try Self.scriptLine(of: file) {
            depth += 1
            guard depth <= Self.scriptDepthLimit else { throw .eloop }
            if !arguments.isEmpty { arguments.removeFirst() }
            arguments = line + [path] + arguments
            path = line[0]
            file = try Self.open(path, from: nil, in: context)
        }
        program = try ProgramFile(file)
        if let name = program.interpreter {
            let interpreter = try ProgramFile(Self.open(name, from: nil, in: context))
            guard interpreter.interpreter == nil else { throw .elibbad }
            self.interpreter = interpreter
        } else {
            interpreter = nil
        }
        self.path = path
        self.arguments = arguments
        self.environment = environment
        origin = file.origin
    }

    static func open(_ path: [UInt8], from start: Place?, in context: PathContext) throws(Errno) -> OpenFile {
        let file = try context.open(path, from: start, OpenFlags(rawValue: 0))
        guard file.kind == .regular else { throw .eacces }
        if let origin = file.origin { try context.checkExecution(of: origin.place) }
        return file
    }

    /// The interpreter and its one argument, if the file is a script.
    private static func scriptLine(of file: OpenFile) throws(Errno) -> [[UInt8]]? {
        let start = try ProgramFile.read(file, at: 0, byteCount: scriptLineLimit)
        guard start.count > 2, start[0] == 0x23, start[1] == 0x21 else { return nil }
        guard let end = start.firstIndex(of: 0x0a) ?? (start.count < scriptLineLimit ? start.count : nil) else { throw .enoexec }
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        var line = Array(start[2..<end])
        while let last = line.last, isSpace(last) || last == 0x0d { line.removeLast() }
        guard let first = line.firstIndex(where: { !isSpace($0) }) else { throw .enoexec }
        line.removeFirst(first)
        guard let space = line.firstIndex(where: isSpace) else { return [line] }
        guard let rest = line[space...].firstIndex(where: { !isSpace($0) }) else { return [Array(line[..<space])] }
        return [Array(line[..<space]), Array(line[rest...])]
    }

    // MARK: Loading

    /// Fills the empty memory of `process`, and sets the thread to begin there. After a failure nothing of the program is of use.
    public func load(into process: LinuxProcess, thread: LinuxThread, random: ProgramRandom) throws(Errno) {
        let memory = process.memory
        memory.mapTop = 0x1fff_e000_0000 - random.mapOffset
        var bias: UInt64 = 0
        if program.isMovable {
            let alignment = program.alignment
            let base = (0x0555_5555_4000 + random.programOffset) & ~(alignment - 1)
            bias = base &- program.firstPage
        }
        try program.map(into: memory, bias: bias)
        var entry = program.header.entry &+ bias
        var interpreterBase: UInt64 = 0
        if let interpreter {
            let base =
                interpreter.isMovable ? try memory.findFree(interpreter.extent, alignment: interpreter.alignment) : interpreter.firstPage
            interpreterBase = base &- interpreter.firstPage
            try interpreter.map(into: memory, bias: interpreterBase)
            entry = interpreter.header.entry &+ interpreterBase
        }
        process.vdsoAddress = try process.vdso?.map(into: memory) ?? 0
        memory.heapStart = AddressSpace.roundUp(program.firstPage &+ bias &+ program.extent) + random.heapOffset
        memory.heapEnd = memory.heapStart
        var stack = InitialStack(self, bias: bias, interpreterBase: interpreterBase, random: random)
        let top = try stack.build(in: process)
        process.executable = program.file
        process.executablePath = process.paths.path(of: program.file)
        process.arguments = arguments
        process.environment = environment
        thread.name = Self.name(path)
        thread.context.forget()
        thread.context.reset()
        thread.context.registers.rip = entry
        thread.context.registers.rsp = top
    }

    private static func name(_ path: [UInt8]) -> [UInt8] {
        let base = path.lastIndex(of: 0x2f).map { Array(path[($0 + 1)...]) } ?? path
        return Array(base.prefix(15))
    }
}

/// What makes addresses of one start unlike those of the next (ASLR), and the program's own random bytes.
public struct ProgramRandom {
    let words: InlineArray<6, UInt64>
    public init(_ words: InlineArray<6, UInt64>) { self.words = words }

    var mapOffset: UInt64 { (words[0] & 0xfff_ffff) << 12 }
    var programOffset: UInt64 { (words[1] & 0xfff_ffff) << 12 }
    var heapOffset: UInt64 { (words[2] & 0x1fff) << 12 }
    var stackOffset: UInt64 { (words[3] & 0xff_ffff) << 4 }
}
