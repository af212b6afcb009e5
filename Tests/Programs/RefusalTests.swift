import Bench
import Foundation
import TestSupport
import Testing

/// What cannot be run, or runs out of something, is told in one clear line.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ProgramServer.has("gcc"), "no gcc here"))
struct RefusalTests {
    private static func compile(_ text: String, _ options: [String], in folder: String, as name: String) async throws -> String {
        let target = folder + "/" + name
        _ = try await Command("gcc", ["-x", "c", "-", "-x", "none", "-o", target] + options, input: text).output()
        return target
    }

    /// One line of the tool's, that names what is wrong.
    private static func expectOneLine(_ answer: Command.Answer, naming text: String, status: Int32? = nil) {
        let lines = answer.errors.split(separator: "\n")
        #expect(answer.status != 0 && answer.output.isEmpty)
        if let status { #expect(answer.status == status, "\(answer.errors)") }
        #expect(lines.count == 1 && lines[0].hasPrefix("brique: ") && lines[0].contains(text), "\(answer.errors)")
    }

    private static func run(_ program: String, memory: String = "64M") async throws -> Command.Answer {
        try await Machine.runProgram(program, on: ProgramServer.monitors[0], memory: memory)
    }

    @Test func `a program of another architecture is refused`() async throws {
        let folder = try TemporaryFolder()
        let file = try await Self.compile("int main(void) { return 0; }", [], in: folder.path, as: "foreign")
        var bytes = try Data(contentsOf: URL(filePath: file))
        // e_machine: EM_AARCH64.
        bytes[18] = 183
        try bytes.write(to: URL(filePath: file))
        Self.expectOneLine(try await Self.run(file), naming: "foreign", status: 65)
    }

    @Test func `a missing library and a missing interpreter are named`() async throws {
        let folder = try TemporaryFolder()
        let library = try await Self.compile("int f(void) { return 1; }", ["-shared", "-fPIC"], in: folder.path, as: "libgone.so")
        let needing = "int f(void); int main(void) { return f(); }"
        let program = try await Self.compile(needing, [library], in: folder.path, as: "needing")
        try FileManager.default.removeItem(atPath: library)
        Self.expectOneLine(try await Self.run(program), naming: "libgone.so")
        let other = try await Self.compile(
            "int main(void) { return 0; }", ["-Wl,-dynamic-linker,/none/ld.so"], in: folder.path, as: "lost")
        Self.expectOneLine(try await Self.run(other), naming: "/none/ld.so")
    }

    @Test func `what is no program, and what is not there, is named`() async throws {
        let folder = try TemporaryFolder()
        try Data("text".utf8).write(to: URL(filePath: folder.path + "/text"))
        Self.expectOneLine(try await Self.run(folder.path + "/text"), naming: "text", status: 65)
        Self.expectOneLine(try await Self.run(folder.path + "/none"), naming: "none", status: 66)
        Self.expectOneLine(try await Self.run(folder.path), naming: folder.path)
    }

    @Test(arguments: ProgramServer.monitors) func `a full overlay gives ENOSPC, and room again when files go`(monitor: Monitor) async throws
    {
        let folder = try TemporaryFolder()
        let source = Repository.path("Tests/Conformance/Programs/full.c")
        let file = folder.path + "/full"
        _ = try await Command("gcc", ["-D_GNU_SOURCE", "-O2", "-static", "-o", file, source]).output()
        let answer = try await Machine.runProgram(file, on: monitor, memory: "64M")
        let lines = answer.output.split(separator: "\n").map(String.init)
        let expected = [
            "full: writing until nothing fits = ENOSPC", "full: something fitted = yes", "full: one byte more, at the end = ENOSPC",
            "full: what is there can be read = 10", "full: the size is what was written = yes", "full: cut = 0",
            "full: then there is room = 65536",
        ]
        #expect(lines == expected, "\(answer.errors)")
        #expect(answer.status == 0)
    }

    @Test(arguments: ProgramServer.monitors) func `memory that is too small is told in one line`(monitor: Monitor) async throws {
        let program = try #require(ProgramServer.find("true"))
        let answer = try await Machine.runProgram(program, on: monitor, memory: "1M")
        #expect(answer.status == 78, "\(answer.errors)")
        #expect(answer.errors.split(separator: "\n").count == 1 && answer.output.isEmpty, "\(answer.errors)")
    }
}
