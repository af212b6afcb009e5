import Bytes
import Errno
import VFS

/// The symbols of an ELF file, read from the file when they are wanted (elf(5)).
struct SymbolTable {
    /// More is not looked at.
    private static var headerLimit: Int { 4096 }
    private static var symbolLimit: UInt64 { 1 << 20 }
    private static var nameLimit: Int { 256 }
    private static var symbolByteCount: UInt64 { 24 }

    let file: OpenFile

    /// The name of the function that `address`, as the file counts, is in, and where in it.
    func name(of address: UInt64) -> (name: [UInt8], offset: UInt64)? {
        guard let start = bytes(at: 0, 64), start[0] == 0x7f, start[1] == 0x45, start[4] == 2 else { return nil }
        let table = start.number(at: 40, 8), count = min(Int(start.number(at: 60, 2)), Self.headerLimit)
        guard start.number(at: 58, 2) == 64 else { return nil }
        var sections: [(kind: UInt64, section: [UInt8])] = []
        for index in 0..<count {
            guard let section = bytes(at: table &+ UInt64(index) * 64, 64) else { return nil }
            let kind = section.number(at: 4, 4)
            // SHT_SYMTAB knows more than SHT_DYNSYM.
            if kind == 2 { sections.insert((kind, section), at: 0) } else if kind == 11 { sections.append((kind, section)) }
        }
        for (_, section) in sections {
            let link = section.number(at: 40, 4)
            guard link < UInt64(count), let strings = bytes(at: table &+ link * 64, 64) else { continue }
            if let found = search(section, address) {
                let name = string(at: strings.number(at: 24, 8) &+ found.name)
                if !name.isEmpty { return (name, address &- found.start) }
            }
        }
        return nil
    }

    private func search(_ section: [UInt8], _ address: UInt64) -> (name: UInt64, start: UInt64)? {
        let place = section.number(at: 24, 8)
        let count = min(section.number(at: 32, 8) / Self.symbolByteCount, Self.symbolLimit)
        var best: (name: UInt64, start: UInt64)?
        var index: UInt64 = 0
        while index < count {
            let step = min(count - index, 128)
            guard let part = bytes(at: place &+ index * Self.symbolByteCount, Int(step * Self.symbolByteCount)) else { break }
            for offset in stride(from: 0, to: part.count, by: Int(Self.symbolByteCount)) {
                let kind = part[offset + 4] & 15
                // STT_FUNC, STT_GNU_IFUNC, and labels of assembly; of those that are defined.
                guard kind == 2 || kind == 10 || kind == 0, part.number(at: offset + 6, 2) != 0 else { continue }
                let start = part.number(at: offset + 8, 8), size = part.number(at: offset + 16, 8)
                guard start != 0, start <= address, size == 0 ? kind == 0 : address - start < size else { continue }
                if start >= best?.start ?? 0 { best = (part.number(at: offset, 4), start) }
            }
            index += step
        }
        return best
    }

    func bytes(at offset: UInt64, _ count: Int) -> [UInt8]? {
        guard offset < UInt64(Int64.max) - UInt64(count) else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            var span = bytes.mutableSpan
            var whole = span.raw
            var rest = whole._mutatingExtracting(droppingFirst: filled)
            guard let read = try? file.read(at: Int64(offset) + Int64(filled), into: &rest), read > 0 else { return nil }
            filled += read
        }
        return bytes
    }

    private func string(at offset: UInt64) -> [UInt8] {
        var name: [UInt8] = []
        while name.count < Self.nameLimit, let byte = bytes(at: offset &+ UInt64(name.count), 1)?.first, byte != 0 { name.append(byte) }
        return name
    }
}

extension [UInt8] {
    /// Little-endian; what is not there counts as zero.
    func number(at offset: Int, _ byteCount: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<byteCount where offset + index < count { value |= UInt64(self[offset + index]) << UInt64(8 * index) }
        return value
    }
}
