import Bench
import Foundation
import TestSupport
import Testing

/// What must not grow unnoticed: a change that needs more says so in budgets.json, with its reason.
@Suite(.timeLimit(.minutes(20)))
struct BudgetTests {
    struct Budget: Decodable {
        var limit: Int
        var reason: String
    }

    private func budget(_ name: String) throws -> Budget {
        let data = try Data(contentsOf: URL(filePath: Repository.path("Tests/Budgets/budgets.json")))
        let budget = try #require(try JSONDecoder().decode([String: Budget].self, from: data)[name], "no budget \(name)")
        #expect(!budget.reason.isEmpty)
        return budget
    }

    private func byteCount(_ app: String) async throws -> Int {
        try Data(contentsOf: URL(filePath: try await Machine.image(app))).count
    }

    @Test func `the image of hello stays small`() async throws {
        let limit = try budget("helloImageByteCount").limit
        #expect(try await byteCount("hello") <= limit)
    }

    @Test func `the image of a hello with the async runtime stays small`() async throws {
        let limit = try budget("asyncHelloImageByteCount").limit
        #expect(try await byteCount("wait") <= limit)
    }

    @Test func `the image of a web server does not grow`() async throws {
        let limit = try budget("webImageByteCount").limit
        #expect(try await byteCount("web") <= limit)
    }

    @Test func `the image that runs programs does not grow`() async throws {
        let limit = try budget("linuxImageByteCount").limit
        #expect(try await byteCount("linux") <= limit)
    }

    @Test(.enabled(if: Monitor.microvm.isPresent, "no QEMU here"))
    func `hello needs few instructions from entry to its end`() async throws {
        let folder = try TemporaryFolder()
        let count = try await InstructionCount.ofHello(checkout: Machine.checkout, log: folder.path + "/trace")
        let limit = try budget("helloInstructionCount").limit
        #expect(count <= limit)
        #expect(count > 1_000, "hello cannot be that short: was its entry seen?")
    }
}
