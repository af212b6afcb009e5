import TestSupport
import Testing

/// The pages that a reader relies on are there and say what the code says.
struct DocumentTests {
    static let sections = ["Purpose", "Provides", "Needs", "Specification", "Limits", "Try it"]
    static let readmeLimit = 40

    /// Bricks/<Layer>/<Brick>, Host/<Program> and Simulation/<Program>, as far as they hold sources.
    static func brickFolders(in files: [SourceFile]) -> [String] {
        Set(
            files.compactMap { file -> String? in
                let parts = file.path.split(separator: "/")
                guard let sources = parts.firstIndex(of: "Sources") else { return nil }
                let isBrick = parts[0] == "Bricks" && sources == 3
                let isProgram = ["Host", "Simulation"].contains(parts[0]) && sources == 2
                return isBrick || isProgram ? parts[..<sources].joined(separator: "/") : nil
            }
        ).sorted()
    }

    static func readmeFindings(in files: [SourceFile]) -> [Finding] {
        brickFolders(in: files).flatMap { folder -> [Finding] in
            guard let readme = files.first(where: { $0.path == folder + "/README.md" }) else { return [Finding(folder, "no README.md")] }
            var findings = sections.filter { !readme.text.contains("**\($0).**") }.map { Finding(readme.path, "no section **\($0).**") }
            if readme.lineCount > readmeLimit {
                findings.append(Finding(readme.path, "\(readme.lineCount) lines, the limit is \(readmeLimit)"))
            }
            return findings
        }
    }

    /// The calls that `BootFormat.h` numbers, and those that the page describes, in order.
    static func calls(inHeader text: String) -> [String] {
        text.matches(of: /#define BRIQUE_CALL_(\w+) \d+/).map { String($0.1) }.filter { $0 != "COUNT" }
    }

    static func calls(inPage text: String) -> [String] {
        var seen: Set<String> = []
        return text.matches(of: /BRIQUE_CALL_(\w+)/).map { String($0.1) }.filter { $0 != "COUNT" && seen.insert($0).inserted }
    }

    @Test func `every brick and program has a readme with its sections`() throws {
        expectNone(Self.readmeFindings(in: try Repository.files()))
    }

    @Test func `a missing readme and a missing section are found`() {
        let source = SourceFile(path: "Bricks/Base/A/Sources/A.swift", text: "")
        #expect(Self.readmeFindings(in: [source]).count == 1)
        let readme = SourceFile(path: "Bricks/Base/A/README.md", text: "**Purpose.** **Provides.** **Needs.** **Limits.** **Try it.**")
        #expect(Self.readmeFindings(in: [source, readme]) == [Finding(readme.path, "no section **Specification.**")])
    }

    @Test func `the page of hypercalls lists the calls of BootFormat.h, in its order`() throws {
        let files = try Repository.files()
        let header = try #require(files.first { $0.path == "Bricks/Formats/BootFormat/Sources/include/BootFormat.h" })
        let page = try #require(files.first { $0.path == "docs/hypercalls.md" }, "docs/hypercalls.md is missing")
        let calls = Self.calls(inHeader: header.text)
        #expect(Self.calls(inPage: page.text) == calls)
        #expect(header.text.contains("#define BRIQUE_CALL_COUNT \(calls.count)"))
        #expect(calls.count <= 20)
    }

    @Test(arguments: ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CAVEATS.md", "LICENSE"])
    func `the repository has its page`(name: String) throws {
        let page = try #require(try Repository.files().first { $0.path == name })
        #expect(page.lineCount > 10)
    }

    @Test func `links between pages lead somewhere`() throws {
        let files = try Repository.files()
        let known = Set(files.map(\.path))
        for page in files where page.path.hasSuffix(".md") {
            let folder = page.path.split(separator: "/").dropLast()
            for match in page.text.matches(of: /\]\(([^)#:]+)(?:#[^)]*)?\)/) {
                var parts = Array(folder)
                for part in match.1.split(separator: "/") where part != "." {
                    if part == ".." { _ = parts.popLast() } else { parts.append(part) }
                }
                let target = parts.joined(separator: "/")
                let exists = known.contains(target) || known.contains { $0.hasPrefix(target + "/") }
                if !exists { expectNone([Finding(page.path, "a link to \(match.1), which is not there")]) }
            }
        }
    }
}
