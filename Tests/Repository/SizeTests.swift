import TestSupport
import Testing

/// Nothing is too long to be read at once.
struct SizeTests {
    static let fileLimit = 600
    static let functionLimit = 70
    static let columnLimit = 140

    static func findings(in file: SourceFile) -> [Finding] {
        guard file.isCode else { return [] }
        var findings: [Finding] = []
        if file.lineCount > fileLimit { findings.append(Finding(file.path, "\(file.lineCount) lines, the limit is \(fileLimit)")) }
        for (index, line) in file.lines.enumerated() where line.count > columnLimit {
            findings.append(Finding(file.path, line: index + 1, "\(line.count) columns, the limit is \(columnLimit)"))
        }
        let functions = file.isSwift ? SwiftCode(file.text).functions : file.isC ? functionsOfC(file) : []
        for function in functions where function.count > functionLimit {
            findings.append(Finding(file.path, line: function.line, "a function of \(function.count) lines, the limit is \(functionLimit)"))
        }
        return findings
    }

    /// A body begins where a line with a parameter list ends in `{` at the left margin, and ends with `}` there.
    private static func functionsOfC(_ file: SourceFile) -> [(line: Int, count: Int)] {
        var functions: [(line: Int, count: Int)] = []
        var start: Int?
        for (index, line) in file.lines.enumerated() {
            if line.hasSuffix("{"), let first = line.first, !first.isWhitespace, line.contains("(") { start = index }
            if line.hasPrefix("}"), let begun = start {
                functions.append((begun + 1, index - begun + 1))
                start = nil
            }
        }
        return functions
    }

    @Test func `files, functions and lines are short`() throws {
        expectNone(try Repository.files().flatMap(Self.findings))
    }

    @Test func `a long file, function and line are found`() {
        let file = String(repeating: "let a = 1\n", count: Self.fileLimit + 1)
        #expect(Self.findings(in: SourceFile(path: "A.swift", text: file)).count == 1)
        let body = String(repeating: "    f()\n", count: Self.functionLimit - 1)
        #expect(Self.findings(in: SourceFile(path: "A.swift", text: "func a(b: () -> Void = {}) {\n\(body)}\n")).count == 1)
        #expect(Self.findings(in: SourceFile(path: "A.swift", text: "init(a: [Int]) {\n\(body)}\n")).count == 1)
        #expect(Self.findings(in: SourceFile(path: "a.c", text: "int a(void) {\n\(body)}\n")).count == 1)
        #expect(Self.findings(in: SourceFile(path: "a.c", text: String(repeating: "a", count: Self.columnLimit + 1))).count == 1)
    }

    @Test func `a requirement without a body does not borrow the next one's`() {
        let body = String(repeating: "    f()\n", count: Self.functionLimit)
        let text = "protocol P {\n    func a()\n}\nstruct S {\n\(body)}\n"
        #expect(Self.findings(in: SourceFile(path: "A.swift", text: text)).isEmpty)
    }

    @Test func `a function at the limit is allowed`() {
        let body = String(repeating: "    f()\n", count: Self.functionLimit - 2)
        #expect(Self.findings(in: SourceFile(path: "A.swift", text: "func a() {\n\(body)}\n")).isEmpty)
    }
}
