import Bytes
import Errno
import LinuxMemory
import LinuxProcess

/// One line of a trace, as strace(1) writes it.
struct TraceLine {
    /// Bytes shown of a buffer, and elements of an array (strace -s).
    static var bufferLimit: Int { 32 }
    private static var pathLimit: Int { 4096 }

    var bytes: [UInt8] = []
    let memory: AddressSpace

    init(_ thread: LinuxThread) { memory = thread.memory }

    mutating func add(_ text: StaticString) { text.append(to: &bytes) }
    mutating func add(_ value: UInt64) { bytes += decimal(value) }
    mutating func add(hex value: UInt64) { bytes += value == 0 ? [0x30] : hexadecimal(value) }
    mutating func add(signed value: Int64) { bytes += Self.signed(value) }
    mutating func add(octal value: UInt32) {
        bytes.append(0x30)
        var shift = 30
        while shift > 0, value >> UInt32(shift) == 0 { shift -= 3 }
        guard value > 0 else { return }
        while shift >= 0 {
            bytes.append(UInt8(0x30 + value >> UInt32(shift) & 7))
            shift -= 3
        }
    }

    static func signed(_ value: Int64) -> [UInt8] { (value < 0 ? [0x2d] : []) + decimal(value.magnitude) }
    static func pointer(_ value: UInt64) -> [UInt8] { value == 0 ? StaticString("NULL").bytes : hexadecimal(value) }

    /// A string that ends with a zero.
    mutating func add(stringAt address: UInt64) {
        guard address != 0, let text = try? memory.string(at: address, limit: Self.pathLimit) else {
            bytes += Self.pointer(address)
            return
        }
        add(quoted: text)
    }

    /// The first bytes of a buffer, and "..." if there are more.
    mutating func add(bufferAt address: UInt64, _ byteCount: UInt64) {
        let shown = Int(min(byteCount, UInt64(Self.bufferLimit)))
        guard address != 0, let content = read(address, shown) else {
            bytes += Self.pointer(address)
            return
        }
        add(quoted: content)
        if byteCount > UInt64(shown) { add("...") }
    }

    func read(_ address: UInt64, _ byteCount: Int) -> [UInt8]? {
        var content = [UInt8](repeating: 0, count: byteCount)
        for index in 0..<byteCount {
            guard let byte = try? memory.read(UInt8.self, at: address &+ UInt64(index)) else { return nil }
            content[index] = byte
        }
        return content
    }

    func word(_ address: UInt64) -> UInt64? { address == 0 ? nil : try? memory.read(UInt64.self, at: address) }
    func half(_ address: UInt64) -> UInt32? { address == 0 ? nil : try? memory.read(UInt32.self, at: address) }

    private mutating func add(quoted text: [UInt8]) {
        bytes.append(0x22)
        for (index, byte) in text.enumerated() {
            switch byte {
            case 0x22, 0x5c: bytes += [0x5c, byte]
            case 0x0a: add("\\n")
            case 0x0d: add("\\r")
            case 0x09: add("\\t")
            case 0x20..<0x7f: bytes.append(byte)
            default:
                // As short as what follows allows.
                let isBeforeDigit = index + 1 < text.count && text[index + 1] >= 0x30 && text[index + 1] <= 0x37
                bytes.append(0x5c)
                if isBeforeDigit || byte >= 0o100 { bytes.append(0x30 + byte >> 6) }
                if isBeforeDigit || byte >= 0o10 { bytes.append(0x30 + byte >> 3 & 7) }
                bytes.append(0x30 + byte & 7)
            }
        }
        bytes.append(0x22)
    }

    mutating func pad(to column: Int) {
        while bytes.count < column { bytes.append(0x20) }
    }

    /// "= 3", "= -1 ENOENT (No such file or directory)".
    mutating func add(result: Int64, isAddress: Bool) {
        pad(to: 39)
        add(" = ")
        switch result {
        case -512: add("? ERESTARTSYS (To be restarted if SA_RESTART is set)")
        case -514: add("? ERESTARTNOHAND (To be restarted if no handler)")
        case -4095 ... -1:
            add("-1 ")
            bytes += ErrorNames.text(Int(-result)) ?? decimal(UInt64(-result))
        default: if isAddress { add(hex: UInt64(bitPattern: result)) } else { add(signed: result) }
        }
    }
}
