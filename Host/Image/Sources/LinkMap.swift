/// What the linker placed where, summed by brick: the map that `ld.lld -Map` writes.
public struct LinkMap: Equatable, Sendable {
    /// The bytes that one brick, library or the linker itself added to an image.
    public struct Share: Equatable, Sendable {
        /// The module's name, a library's name, or `linker`.
        public var name: String
        /// Bytes kept in the file.
        public var byteCount: UInt64
        /// Bytes that only exist in memory, filled with zeros at start.
        public var zeroByteCount: UInt64
    }

    /// Largest first, then by name.
    public private(set) var shares: [Share]

    /// Sums the input sections of the map's allocated output sections.
    ///
    /// Lines are `VMA LMA Size Align`, hexadecimal but for the last, then a name indented by 0 (output section),
    /// 8 (input section) or 16 (symbol) columns.
    public init(parsing text: String) throws(LinkMapError) {
        var lines = text.utf8.split(separator: UInt8(ascii: "\n")).makeIterator()
        guard let header = lines.next(), String(Substring(header)).split(separator: " ") == Self.header else { throw .notALinkMap }
        var totals: [String: Share] = [:]
        var output = Output.skipped
        while let line = lines.next() {
            guard let row = try Row(parsing: line) else { continue }
            switch row.indentation {
            case 0: output = Output(sectionName: row.name)
            case Row.inputIndentation where output != .skipped && row.size > 0:
                guard let owner = Self.owner(ofInput: row.name) else { continue }
                try Self.add(row.size, zero: output == .zero, to: owner, in: &totals)
            default: continue
            }
        }
        shares = totals.values.sorted { ($1.byteCount, $1.zeroByteCount, $0.name) < ($0.byteCount, $0.zeroByteCount, $1.name) }
    }

    private static let header: [Substring] = ["VMA", "LMA", "Size", "Align", "Out", "In", "Symbol"]

    private enum Output {
        case kept, zero, skipped

        /// Only the sections of Tools/Toolchain/image.ld are loaded; debugging sections and tables of names are not.
        init(sectionName: Substring) {
            self =
                switch sectionName {
                case ".note", ".rodata", ".text", ".data": .kept
                case ".bss": .zero
                default: .skipped
                }
        }
    }

    private static func add(_ size: UInt64, zero: Bool, to owner: String, in totals: inout [String: Share]) throws(LinkMapError) {
        var share = totals[owner] ?? Share(name: owner, byteCount: 0, zeroByteCount: 0)
        let (sum, overflow) = (zero ? share.zeroByteCount : share.byteCount).addingReportingOverflow(size)
        guard !overflow else { throw .sizeOverflow }
        if zero { share.zeroByteCount = sum } else { share.byteCount = sum }
        totals[owner] = share
    }

    /// The brick that an input section such as `/…/Time.build/Time.swift.o:(.text.f)` comes from; nil for an assignment.
    static func owner(ofInput input: Substring) -> String? {
        if input.hasPrefix("<internal>:") { return "linker" }
        guard let colon = input.lastIndex(of: ":"), input[colon...].hasPrefix(":(") else { return nil }
        let components = input[..<colon].split(separator: "/")
        guard let file = components.last else { return nil }
        if let archive = file.firstIndex(of: "("), file[..<archive].hasSuffix(".a") {
            let name = file[..<archive].dropLast(2)
            return String(name.hasPrefix("lib") ? name.dropFirst(3) : name)
        }
        if let folder = components.last(where: { $0.hasSuffix(".build") && $0.count > 6 && !$0.hasPrefix(".") }) {
            return String(folder.dropLast(6))
        }
        return String(file)
    }
}

/// Why a link map was refused.
public enum LinkMapError: Error, Equatable {
    case notALinkMap, malformedLine, sizeOverflow
}

private struct Row {
    static let inputIndentation = 8

    var size: UInt64
    var indentation: Int
    var name: Substring

    /// Nil for an empty line.
    init?(parsing line: Substring.UTF8View) throws(LinkMapError) {
        var rest = Substring(line)
        guard !rest.allSatisfy({ $0 == " " }) else { return nil }
        var numbers: [Substring] = []
        for _ in 0..<4 {
            rest = rest.drop { $0 == " " }
            let word = rest.prefix { $0 != " " }
            numbers.append(word)
            rest = rest.dropFirst(word.count)
        }
        guard UInt64(numbers[0], radix: 16) != nil, UInt64(numbers[1], radix: 16) != nil,
            let size = UInt64(numbers[2], radix: 16), UInt64(numbers[3]) != nil, rest.first == " "
        else { throw .malformedLine }
        rest = rest.dropFirst()
        name = rest.drop { $0 == " " }
        // The discarded output section has no name.
        indentation = name.isEmpty ? 0 : rest.count - name.count
        self.size = size
    }
}
