import BootFormat

/// Says in words how an instance ended.
public struct CrashWords: Sendable {
    /// Address of the image's machine area, nil when the image could not be read.
    public var machineArea: UInt64?

    public init(machineArea: UInt64?) {
        self.machineArea = machineArea
    }

    /// One line without the program's name. `trace` is the symbolised backtrace, as far as there is one.
    public func line(for crash: CrashRecord, trace: [SymbolizedAddress]) -> String {
        let said = crash.message.isEmpty ? "" : ": " + crash.message
        return switch crash.kind {
        case .exception: exception(crash, trace: trace)
        case .panic: "panic" + said
        case .outOfMemory: "out of memory (give it more with --memory)" + (crash.message == "out of memory" ? "" : said)
        case .interrupted: "interrupted" + said + (place(of: trace).map { " in \($0)" } ?? "")
        }
    }

    /// One line for a system call that the process monitor refused.
    public func line(for call: RefusedCall) -> String {
        let name = SystemCallName.name(of: call.number)
        return "refused system call " + (name.map { "\($0) (\(call.number))" } ?? "number \(call.number)")
    }

    private func exception(_ crash: CrashRecord, trace: [SymbolizedAddress]) -> String {
        let pointer = Self.hexadecimal(crash.instructionPointer)
        switch crash.vector {
        case Vector.divide: return "division error at \(pointer)"
        case Vector.invalidOpcode:
            if let reason = Self.runtimeFailure(in: trace) { return "Swift runtime failure: \(reason)" }
            return "trap: illegal instruction at \(pointer) (a Swift runtime failure, or fatalError)"
        case Vector.pageFault: return pageFault(crash)
        case Vector.generalProtection:
            return "general protection fault at \(pointer) (a non-canonical address or a privileged instruction)"
        case Vector.stackSegment: return "stack segment fault at \(pointer)"
        case Vector.alignment: return "misaligned access at \(pointer)"
        case Vector.doubleFault: return "double fault at \(pointer)"
        case Vector.x87, Vector.simd: return "floating point error at \(pointer)"
        default: return "processor exception \(crash.vector) at \(pointer)"
        }
    }

    private func pageFault(_ crash: CrashRecord) -> String {
        let address = crash.faultAddress
        if let stack = guardedStack(at: address) { return "stack overflow of \(stack)" }
        let verb =
            crash.errorCode & PageFaultError.fetch != 0
            ? "execution" : crash.errorCode & PageFaultError.write != 0 ? "write" : "read"
        let why = crash.errorCode & PageFaultError.present != 0 ? "not permitted there" : "nothing is mapped there"
        let fault = "page fault: \(verb) at address \(Self.hexadecimal(address)), \(why)"
        if address < UInt64(BRIQUE_PAGE_SIZE) { return fault + " (a nil pointer)" }
        // Calls and prologues touch the stack just below its pointer; a task's own guard page is not in the image.
        let (distance, below) = crash.stackPointer.subtractingReportingOverflow(address)
        let near = !below && distance <= UInt64(BRIQUE_PAGE_SIZE)
        let above = below && address - crash.stackPointer < UInt64(BRIQUE_PAGE_SIZE)
        return near || above ? fault + " (next to the stack pointer: probably a stack overflow)" : fault
    }

    /// The stack whose guard page in the machine area holds the address.
    private func guardedStack(at address: UInt64) -> String? {
        guard let machineArea, address >= machineArea else { return nil }
        let offset = address - machineArea
        // The core's guard page follows the exception stack; the importer does not see its macro.
        let exceptionGuard = UInt64(BRIQUE_AREA_EXCEPTION_GUARD)
        let coreGuard = exceptionGuard + UInt64(BRIQUE_PAGE_SIZE) + UInt64(BRIQUE_EXCEPTION_STACK_BYTES)
        let guards: [(UInt64, String)] = [
            (UInt64(BRIQUE_AREA_STACK_GUARD), "the main stack"),
            (exceptionGuard, "the exception stack"),
            (coreGuard, "the core stack"),
        ]
        return guards.first { offset >= $0.0 && offset - $0.0 < UInt64(BRIQUE_PAGE_SIZE) }?.1
    }

    /// The compiler names the reason of a trap in the debug information, as an inlined function.
    private static func runtimeFailure(in trace: [SymbolizedAddress]) -> String? {
        let prefix = "Swift runtime failure: "
        let frame = trace.first?.frames.first { $0.function.hasPrefix(prefix) }
        return frame.map { String($0.function.dropFirst(prefix.count)) }
    }

    private func place(of trace: [SymbolizedAddress]) -> String? {
        trace.first?.frames.last?.function
    }

    static func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

    /// Equal frames in a row beyond this many are counted, not listed: endless recursion has nothing else to say.
    private static let repetitionLimit = 3

    /// Lines of a backtrace, innermost first: number, address, function, place; inlined code has no number.
    public static func backtrace(_ trace: [SymbolizedAddress], base directory: String) -> [String] {
        var lines: [String] = []
        var repetitions = 0
        for (index, entry) in trace.enumerated() {
            repetitions = index > 0 && trace[index - 1] == entry ? repetitions + 1 : 0
            guard repetitions < repetitionLimit else {
                if index + 1 == trace.count || trace[index + 1] != entry {
                    lines.append("      … \(repetitions - repetitionLimit + 1) more of the same")
                }
                continue
            }
            let number = "\(index)"
            let head = String(repeating: " ", count: max(0, 4 - number.count)) + number + "  " + hexadecimal(entry.address)
            guard !entry.frames.isEmpty else {
                lines.append(head + "  ?")
                continue
            }
            for (depth, frame) in entry.frames.enumerated() {
                let start = depth == 0 ? head : String(repeating: " ", count: head.count)
                let mark = depth < entry.frames.count - 1 ? " [inlined]" : ""
                lines.append("\(start)  \(frame.function)\(place(frame, base: directory))\(mark)")
            }
        }
        return lines
    }

    private static func place(_ frame: SourceFrame, base directory: String) -> String {
        guard !frame.file.isEmpty, !frame.file.hasSuffix("<compiler-generated>") else { return "" }
        let prefix = directory.hasSuffix("/") ? directory : directory + "/"
        let file = frame.file.hasPrefix(prefix) ? String(frame.file.dropFirst(prefix.count)) : frame.file
        return frame.line > 0 ? " at \(file):\(frame.line)" : " at \(file)"
    }
}

/// Intel SDM volume 3, 6.3.1.
enum Vector {
    static let divide: UInt64 = 0
    static let nonMaskable: UInt64 = 2
    static let invalidOpcode: UInt64 = 6
    static let doubleFault: UInt64 = 8
    static let stackSegment: UInt64 = 12
    static let generalProtection: UInt64 = 13
    static let pageFault: UInt64 = 14
    static let x87: UInt64 = 16
    static let alignment: UInt64 = 17
    static let simd: UInt64 = 19
}

/// Intel SDM volume 3, 4.7.
private enum PageFaultError {
    static let present: UInt64 = 1
    static let write: UInt64 = 2
    static let fetch: UInt64 = 16
}
