import Bytes
import ELFFormat
import Errno
import LinuxMemory
import LinuxProcess

/// The stack that a program finds: strings, auxiliary vector, environment, arguments (System V AMD64 ABI §3.4.1).
struct InitialStack {
    private static var top: UInt64 { 0x1fff_fffe_0000 }
    /// What is there before it has to grow.
    private static var firstByteCount: UInt64 { 132 << 10 }
    /// Arguments and environment together, a quarter of the stack (execve(2)).
    private static var stringLimit: Int { 2 << 20 }

    private let plan: ProgramPlan
    private let bias: UInt64
    private let interpreterBase: UInt64
    private let random: ProgramRandom
    /// Where the area ends: its bytes count against the limit of the stack, so the random offset is beyond it.
    private let end: UInt64
    private var pointer: UInt64

    init(_ plan: ProgramPlan, bias: UInt64, interpreterBase: UInt64, random: ProgramRandom) {
        self.plan = plan
        self.bias = bias
        self.interpreterBase = interpreterBase
        self.random = random
        end = Self.top - AddressSpace.roundUp(random.stackOffset)
        pointer = end - random.stackOffset % AddressSpace.pageByteCount
    }

    /// Maps and fills it. The address of argc.
    mutating func build(in process: LinuxProcess) throws(Errno) -> UInt64 {
        let memory = process.memory
        var stringCount = 0
        for string in plan.arguments + plan.environment { stringCount += string.count + 9 }
        guard stringCount <= Self.stringLimit else { throw .e2big }
        let byteCount = AddressSpace.roundUp(Self.firstByteCount + UInt64(stringCount))
        var protection: Protection = [.read, .write]
        if plan.program.hasExecutableStack { protection.insert(.execute) }
        try memory.map(end - byteCount, byteCount, protection, growsDown: true, name: .stack)

        let pathAt = try push(plan.path, to: memory)
        let platformAt = try push(Array("x86_64".utf8), to: memory)
        pointer = (pointer - 16) & ~15
        let randomAt = pointer
        try memory.write(random.words[4], at: randomAt)
        try memory.write(random.words[5], at: randomAt + 8)
        var environment: [UInt64] = []
        for string in plan.environment { environment.append(try push(string, to: memory)) }
        var arguments: [UInt64] = []
        for string in plan.arguments { arguments.append(try push(string, to: memory)) }
        let vector = auxiliaryVector(process, path: pathAt, platform: platformAt, random: randomAt)
        process.auxiliaryVector = vector
        let words = [UInt64(arguments.count)] + arguments + [0] + environment + [0] + vector
        pointer = (pointer - UInt64(words.count * 8)) & ~15
        for (index, word) in words.enumerated() { try memory.write(word, at: pointer + UInt64(index * 8)) }
        return pointer
    }

    private mutating func push(_ string: [UInt8], to memory: AddressSpace) throws(Errno) -> UInt64 {
        pointer -= UInt64(string.count + 1)
        try memory.copyOut(string.span.raw, to: pointer)
        try memory.write(UInt8(0), at: pointer + UInt64(string.count))
        return pointer
    }

    /// getauxval(3): pairs of type and value.
    private func auxiliaryVector(_ process: LinuxProcess, path: UInt64, platform: UInt64, random: UInt64) -> [UInt64] {
        let header = plan.program.header
        var vector: [UInt64] = []
        let add = { (type: UInt64, value: UInt64) in vector += [type, value] }
        if process.vdsoAddress != 0 { add(33, process.vdsoAddress) }
        add(51, UInt64(process.extendedByteCount + 1024))  // AT_MINSIGSTKSZ
        add(16, process.processorFeatures)
        add(6, AddressSpace.pageByteCount)
        add(17, 100)
        add(3, tableAddress(header))
        add(4, UInt64(header.programHeaderByteCount))
        add(5, UInt64(header.programHeaderCount))
        add(7, interpreterBase)
        add(8, 0)
        add(9, header.entry &+ bias)
        add(11, UInt64(process.credentials.user))
        add(12, UInt64(process.credentials.effectiveUser))
        add(13, UInt64(process.credentials.group))
        add(14, UInt64(process.credentials.effectiveGroup))
        add(23, 0)
        add(25, random)
        add(26, 2)  // AT_HWCAP2: FSGSBASE
        add(31, path)
        add(15, platform)
        add(0, 0)
        return vector
    }

    /// Where the program headers are in memory.
    private func tableAddress(_ header: ELFHeader) -> UInt64 {
        for segment in plan.program.segments
        where header.programHeaderOffset >= segment.offset && header.programHeaderOffset < segment.offset + segment.fileByteCount {
            return header.programHeaderOffset - segment.offset + segment.virtualAddress &+ bias
        }
        return 0
    }
}
