import Bytes
import Errno
import Testing
import VFS

@testable import Backtrace

/// A file that is these bytes.
final class BytesFile: OpenFile {
    let content: [UInt8]
    init(_ content: [UInt8]) {
        self.content = content
        super.init(OpenFlags(rawValue: 0))
    }
    override func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard offset < content.count else { return 0 }
        let count = min(bytes.byteCount, content.count - Int(offset))
        for index in 0..<count { bytes.storeBytes(of: content[Int(offset) + index], toByteOffset: index, as: UInt8.self) }
        return count
    }
}

struct SymbolTableTests {
    /// An ELF file of a symbol table and its names alone.
    static func file(_ symbols: [(name: String, start: UInt64, size: UInt64, kind: UInt8)]) -> [UInt8] {
        var names: [UInt8] = [0], table: [UInt8] = []
        func word(_ value: UInt64, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) } }
        for symbol in symbols {
            table += word(UInt64(names.count), 4) + [symbol.kind, 0] + word(1, 2) + word(symbol.start, 8) + word(symbol.size, 8)
            names += Array(symbol.name.utf8) + [0]
        }
        let nameStart = UInt64(64 + table.count), headers = nameStart + UInt64(names.count)
        func section(_ kind: UInt64, _ start: UInt64, _ size: Int, link: UInt64) -> [UInt8] {
            word(0, 4) + word(kind, 4) + word(0, 16) + word(start, 8) + word(UInt64(size), 8) + word(link, 4) + word(0, 20)
        }
        let start: [UInt8] =
            [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + word(0, 9) + word(0, 24) + word(headers, 8) + word(0, 10) + word(64, 2) + word(3, 2)
            + word(0, 2)
        return start + table + names + section(0, 0, 0, link: 0) + section(2, 64, table.count, link: 2)
            + section(3, nameStart, names.count, link: 0)
    }

    static func name(_ content: [UInt8], _ address: UInt64) -> String? {
        SymbolTable(file: BytesFile(content)).name(of: address).map { "\(String(decoding: $0.name, as: UTF8.self))+\($0.offset)" }
    }

    @Test func `an address is named by the function around it`() {
        let file = Self.file([
            ("main", 0x1000, 0x20, 0x12), ("data", 0x1000, 0x100, 0x11), ("start", 0x1020, 0, 0x10), ("inner", 0x1008, 4, 2),
        ])
        #expect(Self.name(file, 0x1000) == "main+0")
        #expect(Self.name(file, 0x100a) == "inner+2")
        #expect(Self.name(file, 0x101f) == "main+31")
        #expect(Self.name(file, 0x1030) == "start+16")
        #expect(Self.name(file, 0xfff) == nil)
    }

    @Test func `a damaged file has no names, and does no harm`() {
        let file = Self.file([("main", 0x1000, 0x20, 0x12)])
        for count in 0..<file.count { _ = Self.name(Array(file.prefix(count)), 0x1000) }
        for index in file.indices {
            for value in [0, 0xff, 0x80] as [UInt8] {
                var damaged = file
                damaged[index] = value
                _ = Self.name(damaged, 0x1000)
            }
        }
    }
}
