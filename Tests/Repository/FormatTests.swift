import Subprocess
import TestSupport
import Testing

/// `swift format lint` with the tree's own .swift-format.
struct FormatTests {
    @Test func `Swift sources are laid out as .swift-format says`() async throws {
        let sources = try Repository.files().filter(\.isSwift).map(\.path)
        let result = try await run(
            .name("swift"), arguments: Arguments(["format", "lint", "--strict", "--parallel"] + sources),
            workingDirectory: .init(Repository.root), output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        if result.terminationStatus != .exited(0) { Issue.record("\(result.standardError)") }
    }
}
