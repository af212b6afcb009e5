import Bench
import Foundation
import TestSupport
import Testing

/// An app outside the repository is as good as one inside.
@Suite(.timeLimit(.minutes(20)))
struct NewAppTests {
    @Test func `a new app outside the repository builds, runs and tests`() async throws {
        let folder = try TemporaryFolder()
        try await Machine.buildMonitors()
        let made = try await Machine.checkout.brique(["new", "mine"], directory: folder.path).run()
        #expect(made.status == 0, "\(made.errors)")
        let app = folder.path + "/mine"
        let first = try await Machine.checkout.brique(["run"], directory: app).run()
        #expect(first.status == 0, "\(first.errors)")
        #expect(!first.output.isEmpty)
        let second = try await Machine.checkout.brique(["run"], directory: app).run()
        #expect(second.output == first.output)
        #expect(second.errors == "", "nothing was to be built")
        let tests = try await Command("swift", ["test"], directory: app).run()
        #expect(tests.status == 0, "\(tests.output)\(tests.errors)")
        #expect(tests.output.contains("passed"))
    }

    @Test func `a new app does not overwrite what is there`() async throws {
        let folder = try TemporaryFolder()
        try Data("mine".utf8).write(to: URL(filePath: folder.path + "/taken"))
        let answer = try await Machine.checkout.brique(["new", "taken"], directory: folder.path).run()
        #expect(answer.status == 74)
        #expect(try String(contentsOfFile: folder.path + "/taken", encoding: .utf8) == "mine")
    }
}
