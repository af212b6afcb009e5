import Foundation
import TestSupport
import Testing

/// Assembly and C are counted: a change that needs more says so in line-budget.json, with the reason.
struct LineBudgetTests {
    struct Budget: Decodable {
        /// The folder of a brick whose C and assembly is counted.
        var folder: String
        var lines: Int
        var reason: String
    }

    /// Lines with code: neither empty nor comment alone.
    static func count(_ file: SourceFile) -> Int {
        guard file.isC || file.isAssembly else { return 0 }
        return file.lines.filter { line in
            let text = line.drop(while: \.isWhitespace)
            return !text.isEmpty && !text.hasPrefix("//") && !text.hasPrefix("/*") && !text.hasPrefix("*")
        }.count
    }

    static func findings(in files: [SourceFile], budgets: [Budget]) -> [Finding] {
        let outside = files.filter { file in
            (file.path.hasPrefix("Bricks/") || file.path.hasPrefix("Host/")) && count(file) > 0
                && !budgets.contains { file.path.hasPrefix($0.folder + "/") }
        }
        return outside.map { Finding($0.path, "C or assembly in a brick without a line budget") }
            + budgets.compactMap { budget in
                let lines = files.filter { $0.path.hasPrefix(budget.folder + "/") }.reduce(0) { $0 + count($1) }
                guard lines > budget.lines || budget.reason.isEmpty else { return nil }
                return Finding(budget.folder, "\(lines) lines of C and assembly, the recorded budget is \(budget.lines): \(budget.reason)")
            }
    }

    @Test func `C and assembly stay within their recorded budgets`() throws {
        let data = try Data(contentsOf: URL(filePath: Repository.path("Tests/Repository/line-budget.json")))
        expectNone(Self.findings(in: try Repository.files(), budgets: try JSONDecoder().decode([Budget].self, from: data)))
    }

    @Test func `a line more than the budget, and C without a budget, are found`() {
        let file = SourceFile(path: "Bricks/A/a.c", text: "// why\nint a;\n\nint b;\n")
        #expect(Self.findings(in: [file], budgets: [Budget(folder: "Bricks/A", lines: 2, reason: "entry")]).isEmpty)
        #expect(Self.findings(in: [file], budgets: [Budget(folder: "Bricks/A", lines: 1, reason: "entry")]).count == 1)
        #expect(Self.findings(in: [file], budgets: [Budget(folder: "Bricks/A", lines: 2, reason: "")]).count == 1)
        #expect(Self.findings(in: [file], budgets: []).count == 1)
    }
}
