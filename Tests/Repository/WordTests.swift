import TestSupport
import Testing

/// Words that promise instead of doing, names that say nothing, and places that exist on one machine alone.
struct WordTests {
    private static let rulesFile = "Tests/Repository/WordTests.swift"

    /// Hosts that a reader anywhere can reach: specifications, licences, public projects.
    private static let publicHosts: Set = [
        "github.com", "www.apache.org", "www.swift.org", "swift.org", "docs.oasis-open.org", "xenbits.xen.org", "www.kernel.org",
        "docs.kernel.org", "man7.org", "refspecs.linuxfoundation.org", "www.rfc-editor.org", "www.w3.org",
    ]

    static func findings(in file: SourceFile) -> [Finding] {
        guard file.path != rulesFile else { return [] }
        let unfinished = /\b(TODO|FIXME|XXX|HACK)\b|\b(?:(?i:for now|unimplemented)|not implemented)\b/.wordBoundaryKind(.simple)
        return file.lines.enumerated().flatMap { index, line -> [Finding] in
            var found: [String] = []
            if let word = line.firstMatch(of: unfinished) {
                found.append("\"\(word.0)\"")
            }
            if let place = line.firstMatch(of: /(^|[\s"'=:(`,])\/(work|opt|home|root|Users)\/[\w.]/) {
                found.append("a path of one machine:\(place.0)")
            }
            for match in line.matches(of: /\b(?:https?|git|ssh):\/\/([A-Za-z0-9.\-]+)/) where !isAllowed(host: match.1) {
                found.append("the host \(match.1)")
            }
            return found.map { Finding(file.path, line: index + 1, $0) }
        } + names(in: file)
    }

    /// Public ones, those that stand for any (RFC 2606), and placeholders: names of one label, addresses.
    private static func isAllowed(host: Substring) -> Bool {
        publicHosts.contains(String(host)) || host.hasSuffix("example.org") || !host.contains(".")
            || host.allSatisfy { $0.isNumber || $0 == "." }
    }

    private static func names(in file: SourceFile) -> [Finding] {
        // Calls have the names that Linux gave them.
        guard file.isSwift, file.path != "Bricks/Formats/LinuxFormat/Sources/SyscallNumber.swift" else { return [] }
        let verb = /\b(?:func|var|let)\s+((?:get|do)[A-Z]\w*)/.wordBoundaryKind(.simple)
        let type = /\b(?:class|struct|enum|actor|protocol|typealias)\s+(\w*(?:Manager|Helpers?|Utils?))\b/.wordBoundaryKind(.simple)
        return SwiftCode(file.text).lines.enumerated().flatMap { index, line -> [Finding] in
            var found: [Finding] = []
            if let name = line.firstMatch(of: verb) {
                found.append(Finding(file.path, line: index + 1, "\(name.1) begins with get or do"))
            }
            if let name = line.firstMatch(of: type) {
                found.append(Finding(file.path, line: index + 1, "\(name.1) says nothing"))
            }
            return found
        }
    }

    @Test func `no unfinished words, empty names or local places`() throws {
        expectNone(try Repository.files().flatMap(Self.findings))
    }

    @Test(arguments: [
        "// TODO: later", "// good enough for now", "fatalError(\"not implemented\")", "x.FIXME", "func getName() {}",
        "func doWork() {}", "struct TaskManager {}", "enum StringUtils {}", "let a = \"/home/me/x\"", "see /opt/swift/usr",
        "https://registry.example.net/a",
    ])
    func `a banned word is found`(line: String) {
        #expect(Self.findings(in: SourceFile(path: "A.swift", text: line)).count == 1)
    }

    @Test(arguments: ["func getter() {}", "let manager = FileManager.default", "usr/opt/x", "https://github.com/apple/x"])
    func `an ordinary line is allowed`(line: String) {
        #expect(Self.findings(in: SourceFile(path: "A.swift", text: line)).isEmpty)
    }
}
