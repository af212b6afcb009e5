import TestSupport

/// Swift source with the content of comments, string literals and quoted identifiers blanked, so that what is left is
/// code. Lines keep their numbers.
struct SwiftCode {
    private(set) var text: String

    init(_ source: String) {
        var blanking = Blanking(Array(source.utf8))
        blanking.code(until: nil)
        text = String(decoding: blanking.output, as: UTF8.self)
    }

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The first line of each function, initializer and accessor with a body, and how many lines it has.
    var functions: [(line: Int, count: Int)] {
        let lines = lines
        return lines.indices.compactMap { index in
            guard lines[index].contains(/(^|\s)(func\s|init[?!]?\s*[<(]|deinit\b|subscript\s*[<(])/) else { return nil }
            guard !lines[index].contains(/[.=]\s*init\(/) else { return nil }
            return bodyEnd(lines, from: index).map { (index + 1, $0 - index + 1) }
        }
    }

    /// The line that closes the body of the declaration at `start`; nil when it has none, as in a protocol.
    private func bodyEnd(_ lines: [Substring], from start: Int) -> Int? {
        var parentheses = 0
        var braces = 0
        for index in start..<lines.count {
            if index > start, braces == 0, parentheses == 0, lines[index].contains(/^\s*(\}|func\s|var\s|init\(|case\s|@|$)/) { return nil }
            for character in lines[index] {
                switch character {
                case "(", "[": parentheses += 1
                case ")", "]": parentheses -= 1
                case "{" where parentheses == 0 || braces > 0: braces += 1
                case "}" where braces > 0:
                    braces -= 1
                    if braces == 0 { return index }
                default: break
                }
            }
        }
        return nil
    }
}

private struct Blanking {
    private let input: [UInt8]
    private var position = 0
    var output: [UInt8] = []

    init(_ input: [UInt8]) {
        self.input = input
        output.reserveCapacity(input.count)
    }

    private func starts(with text: StaticString) -> Bool {
        let wanted = Array(text.description.utf8)
        return position + wanted.count <= input.count && Array(input[position..<position + wanted.count]) == wanted
    }

    private mutating func keep(_ count: Int = 1) {
        output += input[position..<min(position + count, input.count)]
        position += count
    }

    private mutating func blank(_ count: Int = 1) {
        for byte in input[position..<min(position + count, input.count)] {
            output.append(byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " "))
        }
        position += count
    }

    /// Copies code up to the closing parenthesis of an interpolation, or to the end.
    mutating func code(until closing: UInt8?) {
        var depth = 0
        while position < input.count {
            switch input[position] {
            case UInt8(ascii: "/") where starts(with: "//"): lineComment()
            case UInt8(ascii: "/") where starts(with: "/*"): blockComment()
            case UInt8(ascii: "`"): quotedIdentifier()
            case UInt8(ascii: "\""): string(hashes: 0)
            case UInt8(ascii: "#") where hashesOfString > 0: string(hashes: hashesOfString)
            case UInt8(ascii: "("):
                depth += 1
                keep()
            case UInt8(ascii: ")"):
                if closing != nil, depth == 0 { return }
                depth -= 1
                keep()
            default: keep()
            }
        }
    }

    private var hashesOfString: Int {
        var end = position
        while end < input.count, input[end] == UInt8(ascii: "#") { end += 1 }
        return end < input.count && input[end] == UInt8(ascii: "\"") ? end - position : 0
    }

    private mutating func lineComment() {
        while position < input.count, input[position] != UInt8(ascii: "\n") { blank() }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                blank(2)
            } else if starts(with: "*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && position < input.count
    }

    private mutating func quotedIdentifier() {
        keep()
        while position < input.count, input[position] != UInt8(ascii: "`"), input[position] != UInt8(ascii: "\n") {
            output.append(UInt8(ascii: "_"))
            position += 1
        }
        keep()
    }

    private mutating func string(hashes: Int) {
        keep(hashes)
        let quotes = starts(with: "\"\"\"") ? 3 : 1
        keep(quotes)
        while position < input.count {
            if input[position] == UInt8(ascii: "\\"), escapeLength(hashes: hashes) > 0 {
                let length = escapeLength(hashes: hashes)
                let interpolates = position + length < input.count && input[position + length] == UInt8(ascii: "(")
                blank(length + 1)
                if interpolates {
                    code(until: UInt8(ascii: ")"))
                    blank()
                }
            } else if closes(quotes: quotes, hashes: hashes) {
                keep(quotes + hashes)
                return
            } else if quotes == 1, input[position] == UInt8(ascii: "\n") {
                return
            } else {
                blank()
            }
        }
    }

    /// The length of `\`, or of `\##` in a raw string; 0 when the backslash stands for itself.
    private func escapeLength(hashes: Int) -> Int {
        let end = position + 1 + hashes
        guard end <= input.count, input[position + 1..<end].allSatisfy({ $0 == UInt8(ascii: "#") }) else { return 0 }
        return 1 + hashes
    }

    private func closes(quotes: Int, hashes: Int) -> Bool {
        let end = position + quotes + hashes
        guard end <= input.count else { return false }
        return input[position..<position + quotes].allSatisfy { $0 == UInt8(ascii: "\"") }
            && input[position + quotes..<end].allSatisfy { $0 == UInt8(ascii: "#") }
    }
}
