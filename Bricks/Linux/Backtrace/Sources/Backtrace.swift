import Bytes
import CHypercalls
import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import VFS

/// Where a thread was, and who had called it.
public struct Backtrace {
    private static var frameLimit: Int { 64 }

    private let process: LinuxProcess
    private var memory: AddressSpace { process.memory }
    /// In the order of `FrameRules`.
    private var registers: InlineArray<17, UInt64>
    private var pc: UInt64 { registers[16] }

    public init(_ thread: LinuxThread) {
        process = thread.process
        let own = thread.context.registers
        registers = [
            own.rax, own.rdx, own.rcx, own.rbx, own.rsi, own.rdi, own.rbp, own.rsp, own.r8, own.r9, own.r10, own.r11, own.r12, own.r13,
            own.r14, own.r15, own.rip,
        ]
    }

    /// "#0 0x55… main+0x1c (/usr/bin/program+0x1234)", the innermost first.
    public mutating func lines() -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var isReturn = false
        while lines.count < Self.frameLimit, pc != 0 || lines.isEmpty {
            lines.append(line(lines.count, isReturn))
            let stack = registers[7]
            guard let isSignalFrame = goOut(isReturn) else { break }
            // Frames go up the stack; but for a signal's, which may have had a stack of its own.
            guard isSignalFrame || registers[7] > stack else { break }
            isReturn = !isSignalFrame
        }
        return lines
    }

    /// All of them, four in a line.
    public func registerLines() -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var index = 0
        Self.registerNames.forEachWord { name in
            line += (index % 4 == 0 ? [0x20, 0x20] : [0x20]) + name + [0x20] + Self.hexadecimal(registers[index], digits: 16)
            index += 1
            if index % 4 == 0 || index == registers.count {
                lines.append(line)
                line = []
            }
        }
        return lines
    }
    private static var registerNames: StaticString { "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip" }

    private func line(_ index: Int, _ isReturn: Bool) -> [UInt8] {
        var line = StaticString("  #").bytes + decimal(UInt64(index)) + [0x20] + Self.hexadecimal(pc)
        guard let area = memory.area(of: pc), let file = area.mapping?.file else { return line }
        let offset = pc - area.start + UInt64(area.filePage) * AddressSpace.pageByteCount
        // A call may be the last instruction of its function.
        let table = SymbolTable(file: file)
        if let address = fileAddress(table, offset), let symbol = table.name(of: isReturn ? address &- 1 : address) {
            line += [0x20] + symbol.name + [0x2b] + Self.hexadecimal(symbol.offset + (isReturn ? 1 : 0))
        }
        return line + StaticString(" (").bytes + process.paths.path(of: file) + [0x2b] + Self.hexadecimal(offset) + [0x29]
    }

    static func hexadecimal(_ value: UInt64, digits count: Int = 1) -> [UInt8] {
        var digits: [UInt8] = []
        var shift = 60
        while shift > 4 * (count - 1), value >> UInt64(shift) == 0 { shift -= 4 }
        while shift >= 0 {
            let digit = UInt8(value >> UInt64(shift) & 15)
            digits.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            shift -= 4
        }
        return [0x30, 0x78] + digits
    }

    // MARK: Headers

    /// Calls `body` with each program header (elf(5)); until it is true.
    private func forEachHeader(_ table: SymbolTable, _ body: ([UInt8]) -> Bool) {
        guard let start = table.bytes(at: 0, 64), start[0] == 0x7f, start[4] == 2 else { return }
        for index in 0..<min(start.number(at: 56, 2), 64) {
            guard let header = table.bytes(at: start.number(at: 32, 8) &+ index * 56, 56), !body(header) else { return }
        }
    }

    /// Where a byte of the file is linked to.
    private func fileAddress(_ table: SymbolTable, _ offset: UInt64) -> UInt64? {
        var address: UInt64?
        forEachHeader(table) { header in
            let start = header.number(at: 8, 8)
            // The last page of a segment goes on to its end.
            guard header.number(at: 0, 4) == 1, offset >= start & ~0xfff, offset &- start < header.number(at: 32, 8) &+ 0xfff else {
                return false
            }
            address = header.number(at: 16, 8) &+ (offset &- start)
            return true
        }
        return address
    }

    /// The entry of .eh_frame for `place`, by the sorted table that PT_GNU_EH_FRAME names.
    private func frameEntry(_ place: UInt64) -> UInt64? {
        guard let area = memory.area(of: place), let file = area.mapping?.file else { return nil }
        let table = SymbolTable(file: file)
        let offset = place - area.start + UInt64(area.filePage) * AddressSpace.pageByteCount
        guard let linked = fileAddress(table, offset) else { return nil }
        var index: UInt64?
        forEachHeader(table) { header in
            guard header.number(at: 0, 4) == 0x6474_e550 else { return false }
            index = place &- linked &+ header.number(at: 16, 8)
            return true
        }
        guard let index else { return nil }
        var reader = FrameReader(memory, index)
        // Version 1, any form of the pointer, a count of four bytes, a table of pairs of four bytes: what linkers make.
        guard reader.byte() == 1 else { return nil }
        let form = reader.byte()
        guard reader.byte() == 3, reader.byte() == 0x3b, reader.encoded(form, tableStart: index) != nil else { return nil }
        let count = reader.number(4), start = reader.address
        var low: UInt64 = 0, high = count
        while low < high {
            let middle = (low + high) / 2
            var pair = FrameReader(memory, start &+ middle * 8)
            if index &+ pair.signed32() <= place { low = middle + 1 } else { high = middle }
            guard !pair.hasFailed else { return nil }
        }
        guard low > 0 else { return nil }
        var pair = FrameReader(memory, start &+ (low - 1) * 8 &+ 4)
        return index &+ pair.signed32()
    }

    // MARK: Outwards

    /// Becomes the caller's; whether this was a signal's frame. nil: nobody called it, or it cannot be found.
    private mutating func goOut(_ isReturn: Bool) -> Bool? {
        let place = isReturn ? pc &- 1 : pc
        guard memory.area(of: place)?.protection.contains(.execute) == true else {
            // A jump to nowhere: the call before it left its return address.
            guard !isReturn, let back = try? memory.read(UInt64.self, at: registers[7]) else { return nil }
            registers[16] = back
            registers[7] &+= 8
            return false
        }
        guard let entry = frameEntry(place), let rules = FrameRules(memory, entry: entry, pc: place) else { return goOutByPointer() }
        let state = rules.state
        guard state.frameRegister < 16 else { return nil }
        let frame = registers[state.frameRegister] &+ UInt64(bitPattern: state.frameOffset)
        var caller = registers
        caller[7] = frame
        for register in 0..<FrameRules.registerCount {
            switch state.rules[register] {
            case .same: break
            case .undefined:
                // The outermost frame says so of its return address.
                if register == 16 { return nil }
            case .atOffset(let offset):
                guard let value = try? memory.read(UInt64.self, at: frame &+ UInt64(bitPattern: offset)) else { return nil }
                caller[register] = value
            }
        }
        registers = caller
        return rules.isSignalFrame
    }

    /// By the frame pointer, where there is no table.
    private mutating func goOutByPointer() -> Bool? {
        let frame = registers[6]
        guard frame % 8 == 0, frame >= registers[7], let next = try? memory.read(UInt64.self, at: frame),
            let back = try? memory.read(UInt64.self, at: frame &+ 8), memory.area(of: back)?.protection.contains(.execute) == true
        else { return nil }
        registers[7] = frame &+ 16
        registers[6] = next
        registers[16] = back
        return false
    }
}
