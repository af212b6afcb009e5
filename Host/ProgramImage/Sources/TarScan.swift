import SystemPackage

/// One member of an archive.
struct TarMember: Equatable {
    enum Kind: Equatable { case file, folder, link, hardLink, other }
    var kind: Kind
    /// As written: perhaps absolute, perhaps with `..`.
    var path: String
    var target = ""
    var permissions: UInt32
    var owner: UInt32
    var group: UInt32
    var modifiedSeconds: Int64
    /// Where its bytes are in the archive.
    var offset: Int
    var byteCount: Int
}

/// Reads the headers of an uncompressed tar archive (POSIX ustar and pax, and GNU's long names): any byte may be hostile.
struct TarScan {
    static let memberLimit = 2_000_000
    private static let block = 512, nameLimit = 4096, extensionLimit = 1 << 20

    private let file: ReadableFile
    private let title: String
    private var offset = 0
    private var count = 0
    /// What the next header's fields are replaced by.
    private var longPath: String?
    private var longTarget: String?
    private var records: [String: String] = [:]

    init(_ file: ReadableFile, title: String) {
        self.file = file
        self.title = title
    }

    private func bad(_ reason: String) -> ProgramFailure { ProgramFailure(.refused, "\(title) is no archive that can be used: \(reason)") }

    private func bytes(at offset: Int, _ count: Int) throws(ProgramFailure) -> [UInt8] {
        guard count <= file.byteCount - offset else { throw bad("it ends too early") }
        do throws(Errno) {
            return try file.bytes(at: offset, count: count)
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(title): \(error)")
        }
    }

    /// The next member; nil at the end.
    mutating func next() throws(ProgramFailure) -> TarMember? {
        while true {
            if offset == file.byteCount && count > 0 { return nil }
            let header = try bytes(at: offset, Self.block)
            guard header.contains(where: { $0 != 0 }) else { return nil }
            try check(header)
            count += 1
            guard count <= Self.memberLimit else { throw bad("it has too many members") }
            let recordedSize = records["size"].flatMap { Int($0) }
            guard let size = recordedSize ?? number(header, 124, 12), size >= 0 else { throw bad("a size makes no sense") }
            let type = header[156]
            let start = offset + Self.block
            let hasData = !(UInt8(ascii: "1")...UInt8(ascii: "6")).contains(type)
            let stored = hasData ? size : 0
            guard stored <= file.byteCount - start else { throw bad("it ends too early") }
            offset = min(start + (stored + Self.block - 1) / Self.block * Self.block, file.byteCount)
            switch type {
            case UInt8(ascii: "L"): longPath = try text(start, size)
            case UInt8(ascii: "K"): longTarget = try text(start, size)
            case UInt8(ascii: "x"): try readRecords(start, size)
            case UInt8(ascii: "g"): break
            default:
                let member = try member(header, type, start, stored)
                (longPath, longTarget, records) = (nil, nil, [:])
                return member
            }
        }
    }

    private func check(_ header: [UInt8]) throws(ProgramFailure) {
        // The checksum counts itself as spaces.
        let sum = header.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
        guard number(header, 148, 8) == sum else { throw bad("a header's checksum is wrong") }
    }

    private func member(_ header: [UInt8], _ type: UInt8, _ start: Int, _ size: Int) throws(ProgramFailure) -> TarMember {
        var path = try field(header, 0, 100)
        // Only POSIX archives have a prefix; GNU's keep times there.
        if Array(header[257..<263]) == Array("ustar\0".utf8), header[345] != 0 { path = try field(header, 345, 155) + "/" + path }
        let kind: TarMember.Kind
        switch type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): kind = path.hasSuffix("/") ? .folder : .file
        case UInt8(ascii: "1"): kind = .hardLink
        case UInt8(ascii: "2"): kind = .link
        case UInt8(ascii: "5"): kind = .folder
        case UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "6"): kind = .other
        case UInt8(ascii: "S"): throw bad("it has sparse files")
        default: throw bad("it has a member of an unknown type")
        }
        guard records["GNU.sparse.major"] == nil, records["GNU.sparse.map"] == nil else { throw bad("it has sparse files") }
        func identity(_ key: String, _ offset: Int) -> UInt32 {
            UInt32(exactly: records[key].flatMap { Int($0) } ?? number(header, offset, 8) ?? 0) ?? 0
        }
        let ownTarget = try field(header, 157, 100)
        let target = records["linkpath"] ?? longTarget ?? ownTarget
        let seconds = records["mtime"].flatMap { Int64($0.prefix { $0 != "." }) } ?? Int64(number(header, 136, 12) ?? 0)
        return TarMember(
            kind: kind, path: records["path"] ?? longPath ?? path, target: target,
            permissions: UInt32(truncatingIfNeeded: number(header, 100, 8) ?? 0o644) & 0o7777, owner: identity("uid", 108),
            group: identity("gid", 116), modifiedSeconds: seconds, offset: start, byteCount: kind == .file ? size : 0)
    }

    private func field(_ header: [UInt8], _ offset: Int, _ count: Int) throws(ProgramFailure) -> String {
        guard let text = String(validating: header[offset..<offset + count].prefix { $0 != 0 }, as: UTF8.self) else {
            throw bad("a name is not UTF-8")
        }
        return text
    }

    /// Octal digits, or GNU's binary numbers.
    private func number(_ header: [UInt8], _ offset: Int, _ count: Int) -> Int? {
        let bytes = header[offset..<offset + count]
        if header[offset] == 0x80 {
            var value = 0
            for byte in bytes.dropFirst() {
                guard value < 1 << 48 else { return nil }
                value = value << 8 | Int(byte)
            }
            return value
        }
        let digits = bytes.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
        return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8)
    }

    private func text(_ start: Int, _ size: Int) throws(ProgramFailure) -> String {
        guard size <= Self.nameLimit else { throw bad("a name is too long") }
        guard let text = String(validating: try bytes(at: start, size).prefix { $0 != 0 }, as: UTF8.self) else {
            throw bad("a name is not UTF-8")
        }
        return text
    }

    /// pax(1): lines `LENGTH KEY=VALUE`.
    private mutating func readRecords(_ start: Int, _ size: Int) throws(ProgramFailure) {
        guard size <= Self.extensionLimit else { throw bad("a header is too long") }
        var rest = try bytes(at: start, size)[...]
        while let space = rest.firstIndex(of: 0x20) {
            guard let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 1,
                length <= rest.count
            else { throw bad("a header makes no sense") }
            let line = rest[(space + 1)..<(rest.startIndex + length)]
            rest = rest[(rest.startIndex + length)...]
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")), line.last == 0x0a else { throw bad("a header makes no sense") }
            let key = String(decoding: line[..<equals], as: UTF8.self)
            // Extended attributes are bytes, and not kept.
            guard ["path", "linkpath", "size", "uid", "gid", "mtime", "GNU.sparse.major", "GNU.sparse.map"].contains(key) else { continue }
            guard let value = String(validating: line[(equals + 1)...].dropLast(), as: UTF8.self), value.utf8.count <= Self.nameLimit else {
                throw bad("a name is not UTF-8, or too long")
            }
            records[key] = value
        }
    }
}
