/// Writes ustar archives member by member.
struct TarSample {
    private(set) var bytes: [UInt8] = []

    mutating func add(
        _ path: String, type: Character = "0", target: String = "", content: [UInt8] = [], permissions: Int = 0o644, owner: Int = 0,
        group: Int = 0
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int) { header.replaceSubrange(offset..<offset + text.utf8.count, with: Array(text.utf8)) }
        func number(_ value: Int, _ offset: Int, _ count: Int) {
            let digits = String(value, radix: 8)
            put(String(repeating: "0", count: count - 1 - digits.count) + digits, offset)
        }
        put(String(path.prefix(100)), 0)
        number(permissions, 100, 8)
        number(owner, 108, 8)
        number(group, 116, 8)
        number(content.count, 124, 12)
        number(1_600_000_000, 136, 12)
        put(String(type), 156)
        put(String(target.prefix(100)), 157)
        put("ustar\u{0}00", 257)
        header.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
        number(header.reduce(0) { $0 + Int($1) }, 148, 7)
        header[154] = 0
        bytes += header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    mutating func folder(_ path: String) { add(path, type: "5", permissions: 0o755) }

    /// pax: `records` are for the next member.
    mutating func extend(_ records: [(String, String)]) {
        var text = ""
        for (key, value) in records {
            let rest = " \(key)=\(value)\n"
            var length = rest.utf8.count + 1
            while "\(length)\(rest)".utf8.count != length { length += 1 }
            text += "\(length)\(rest)"
        }
        add("PaxHeaders/x", type: "x", content: Array(text.utf8))
    }

    /// The whole archive, with its end.
    var archive: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}
