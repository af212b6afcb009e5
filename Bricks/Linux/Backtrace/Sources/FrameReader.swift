import LinuxMemory

/// Reads a program's memory from front to back. What cannot be read is zero, and ends the reader.
struct FrameReader {
    let memory: AddressSpace
    var address: UInt64
    private(set) var hasFailed = false

    init(_ memory: AddressSpace, _ address: UInt64) {
        self.memory = memory
        self.address = address
    }

    mutating func number(_ byteCount: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<byteCount {
            guard let byte = try? memory.read(UInt8.self, at: address) else {
                hasFailed = true
                return 0
            }
            value |= UInt64(byte) << UInt64(8 * index)
            address &+= 1
        }
        return value
    }

    mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: number(1)) }

    mutating func signed32() -> UInt64 { UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: number(4)))) }

    /// ULEB128, SLEB128 (DWARF 5 §7.6).
    mutating func unsigned() -> UInt64 { variable().value }
    mutating func signed() -> Int64 {
        let (value, bits, last) = variable()
        guard last & 0x40 != 0, bits < 64 else { return Int64(bitPattern: value) }
        return Int64(bitPattern: value | UInt64.max << UInt64(bits))
    }

    private mutating func variable() -> (value: UInt64, bits: Int, last: UInt8) {
        var value: UInt64 = 0, bits = 0
        while true {
            let next = byte()
            if bits < 64 { value |= UInt64(next & 0x7f) << UInt64(bits) }
            bits += 7
            guard next & 0x80 != 0, bits < 70 else { return (value, bits, next) }
        }
    }

    /// An address in one of the forms of DW_EH_PE; nil: another form.
    mutating func encoded(_ form: UInt8, tableStart: UInt64) -> UInt64? {
        let here = address
        let value: UInt64
        switch form & 0xf {
        case 0x0, 0x4, 0xc: value = number(8)
        case 0x3: value = number(4)
        case 0xb: value = signed32()
        default: return nil
        }
        switch form & 0x70 {
        case 0: return value
        case 0x10: return here &+ value
        case 0x30: return tableStart &+ value
        default: return nil
        }
    }
}
