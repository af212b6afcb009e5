import Bytes

/// A shared object as it lies in memory: what of ELF it takes to find a function by its name (ELF-64 object file format, gABI chapter 5).
struct SharedObject: ~Escapable {
    private let bytes: RawSpan
    private let symbols: Int, symbolCount: Int, strings: Int

    /// How many symbols are looked at: a vDSO has about twenty.
    private static let symbolLimit = 256
    /// More than any vDSO takes.
    static let sizeLimit: UInt64 = 1 << 20
    /// PT_LOAD, PT_DYNAMIC
    private static let load: UInt32 = 1, dynamic: UInt32 = 2
    /// DT_STRTAB, DT_SYMTAB
    private static let stringTable: UInt64 = 5, symbolTable: UInt64 = 6
    private static let headerByteCount = 56, entryByteCount = 16, symbolByteCount = 24

    /// nil if it is none, or none that is understood.
    @_lifetime(copy bytes)
    init?(_ bytes: RawSpan) {
        self.bytes = bytes
        guard let dynamic = Self.segment(Self.dynamic, of: bytes), Self.word(bytes, 0) as UInt32? == 0x464c_457f else { return nil }
        var strings = 0, symbols = 0
        for index in 0..<dynamic.byteCount / Self.entryByteCount {
            let entry = dynamic.start + index * Self.entryByteCount
            guard let tag: UInt64 = Self.word(bytes, entry), let value: UInt64 = Self.word(bytes, entry + 8), tag != 0 else { break }
            guard let address = Int(exactly: value) else { continue }
            if tag == Self.stringTable { strings = address }
            if tag == Self.symbolTable { symbols = address }
        }
        // The linker puts the strings of a vDSO after its symbols.
        guard symbols > 0, strings > symbols, strings < bytes.byteCount else { return nil }
        self.strings = strings
        self.symbols = symbols
        symbolCount = min((strings - symbols) / Self.symbolByteCount, Self.symbolLimit)
    }

    /// The bytes that the first loaded segment takes in memory: nil if `header` does not tell, or it begins elsewhere than the file.
    static func byteCount(_ header: RawSpan) -> Int? {
        guard let segment = segment(load, of: header), segment.start == 0 else { return nil }
        return segment.byteCount
    }

    private static func segment(_ type: UInt32, of bytes: RawSpan) -> (start: Int, byteCount: Int)? {
        guard let table = word(bytes, 32).flatMap({ (value: UInt64) in Int(exactly: value) }), table <= bytes.byteCount,
            let count: UInt16 = word(bytes, 56)
        else { return nil }
        for index in 0..<Int(count) {
            let header = table + index * headerByteCount
            guard let found: UInt32 = word(bytes, header) else { return nil }
            guard found == type else { continue }
            guard let start: UInt64 = word(bytes, header + 16), let size: UInt64 = word(bytes, header + 40),
                start < sizeLimit, size < sizeLimit
            else { return nil }
            return (Int(start), Int(size))
        }
        return nil
    }

    /// Where a function begins, from the object's start.
    func function(_ name: StaticString) -> Int? {
        for index in 0..<symbolCount {
            let symbol = symbols + index * Self.symbolByteCount
            guard let nameOffset: UInt32 = Self.word(bytes, symbol), let section: UInt16 = Self.word(bytes, symbol + 6),
                let value: UInt64 = Self.word(bytes, symbol + 8)
            else { return nil }
            if section != 0, let value = Int(exactly: value), value < bytes.byteCount, isString(at: strings + Int(nameOffset), name) {
                return value
            }
        }
        return nil
    }

    /// Whether a string that ends with a zero is this name.
    private func isString(at start: Int, _ name: StaticString) -> Bool {
        for index in 0..<name.utf8CodeUnitCount where Self.word(bytes, start + index) != Self.byte(of: name, at: index) { return false }
        return Self.word(bytes, start + name.utf8CodeUnitCount) == 0 as UInt8
    }

    private static func word<Value: FixedWidthInteger & BitwiseCopyable>(_ bytes: RawSpan, _ offset: Int) -> Value? {
        guard offset >= 0, offset <= bytes.byteCount else { return nil }
        var reader = ByteReader(bytes.extracting(droppingFirst: offset))
        return try? reader.read(Value.self, .little)
    }
}
