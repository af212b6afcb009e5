import LinuxMemory

/// How to find the caller's registers at one place: what the call frame instructions up to it say (DWARF 5 §6.4).
struct FrameRules {
    /// x86-64 psABI, figure 3.36: rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8 to r15, the return address.
    static var registerCount: Int { 17 }

    enum Rule { case same, undefined, atOffset(Int64) }

    struct State {
        var frameRegister = 7
        var frameOffset: Int64 = 8
        var rules = InlineArray<17, Rule>(repeating: .same)
    }

    var state = State()
    private(set) var isSignalFrame = false

    private var codeFactor: UInt64 = 1
    private var dataFactor: Int64 = 1
    private var form: UInt8 = 0
    private var hasData = false
    private var initial = State()
    private var kept: [State] = []

    /// nil: there is nothing about this place, or it is said in a way that is not known here.
    init?(_ memory: AddressSpace, entry: UInt64, pc: UInt64) {
        var reader = FrameReader(memory, entry)
        let byteCount = reader.number(4)
        guard byteCount > 4, byteCount < 1 << 20 else { return nil }
        let end = reader.address &+ byteCount
        let place = reader.address
        let back = reader.number(4)
        guard back != 0, readCommon(memory, place &- back) else { return nil }
        guard let start = reader.encoded(form, tableStart: 0), let length = reader.encoded(form & 0xf, tableStart: 0),
            pc &- start < length
        else { return nil }
        if hasData {
            let skipped = reader.unsigned()
            reader.address &+= skipped
        }
        initial = state
        guard run(&reader, until: end, from: start, to: pc) else { return nil }
    }

    /// The common information entry.
    private mutating func readCommon(_ memory: AddressSpace, _ address: UInt64) -> Bool {
        var reader = FrameReader(memory, address)
        let byteCount = reader.number(4)
        let end = reader.address &+ byteCount
        guard byteCount > 4, byteCount < 1 << 16, reader.number(4) == 0, [1, 3].contains(reader.byte()) else { return false }
        var augmentation: [UInt8] = []
        while augmentation.count < 8 {
            let letter = reader.byte()
            if letter == 0 { break }
            augmentation.append(letter)
        }
        codeFactor = reader.unsigned()
        dataFactor = reader.signed()
        guard reader.unsigned() == 16 else { return false }
        if augmentation.first == UInt8(ascii: "z") {
            hasData = true
            let dataEnd = reader.unsigned() &+ reader.address
            for letter in augmentation.dropFirst() {
                switch letter {
                case UInt8(ascii: "R"): form = reader.byte()
                case UInt8(ascii: "L"): _ = reader.byte()
                case UInt8(ascii: "P"):
                    let personality = reader.byte()
                    guard reader.encoded(personality & 0x7f, tableStart: 0) != nil else { return false }
                case UInt8(ascii: "S"): isSignalFrame = true
                default: break
                }
            }
            reader.address = dataEnd
        }
        return !reader.hasFailed && run(&reader, until: end, from: 0, to: .max)
    }

    private mutating func run(_ reader: inout FrameReader, until end: UInt64, from start: UInt64, to pc: UInt64) -> Bool {
        var place = start
        while reader.address < end, !reader.hasFailed {
            let code = reader.byte()
            let operand = UInt64(code & 0x3f)
            switch code >> 6 {
            case 1: place &+= operand &* codeFactor
            case 2: set(operand, .atOffset(Int64(bitPattern: reader.unsigned()) &* dataFactor))
            case 3: set(operand, initial.rules[min(Int(operand), Self.registerCount - 1)])
            default:
                switch code {
                case 0x01:
                    guard let address = reader.encoded(form, tableStart: 0) else { return false }
                    place = address
                case 0x02, 0x03, 0x04: place &+= reader.number(1 << Int(code - 2)) &* codeFactor
                default: guard obey(code, &reader) else { return false }
                }
            }
            if place > pc { return true }
        }
        return !reader.hasFailed
    }

    private mutating func set(_ register: UInt64, _ rule: Rule) {
        if register < UInt64(Self.registerCount) { state.rules[Int(register)] = rule }
    }

    /// DW_CFA_…, those without an operand in the code and that move nothing.
    private mutating func obey(_ code: UInt8, _ reader: inout FrameReader) -> Bool {
        switch code {
        case 0x00: break
        case 0x05:
            let register = reader.unsigned()
            set(register, .atOffset(Int64(bitPattern: reader.unsigned()) &* dataFactor))
        case 0x06:
            let register = reader.unsigned()
            set(register, initial.rules[Int(min(register, UInt64(Self.registerCount - 1)))])
        case 0x07: set(reader.unsigned(), .undefined)
        case 0x08: set(reader.unsigned(), .same)
        case 0x0a:
            guard kept.count < 16 else { return false }
            kept.append(state)
        case 0x0b:
            guard let last = kept.popLast() else { return false }
            state = last
        case 0x0c:
            state.frameRegister = Int(min(reader.unsigned(), 99))
            state.frameOffset = Int64(bitPattern: reader.unsigned())
        case 0x0d: state.frameRegister = Int(min(reader.unsigned(), 99))
        case 0x0e: state.frameOffset = Int64(bitPattern: reader.unsigned())
        case 0x11:
            let register = reader.unsigned()
            set(register, .atOffset(reader.signed() &* dataFactor))
        case 0x12:
            state.frameRegister = Int(min(reader.unsigned(), 99))
            state.frameOffset = reader.signed() &* dataFactor
        case 0x13: state.frameOffset = reader.signed() &* dataFactor
        case 0x2e: _ = reader.unsigned()
        // What expressions say (0x0f, 0x10, 0x16) is in the tables of procedure linkage alone.
        default: return false
        }
        return true
    }
}
