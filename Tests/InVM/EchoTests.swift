import Bench
import TestSupport
import Testing

/// What goes in comes out: arguments, environment, input, and the exit status.
@Suite(.timeLimit(.minutes(20)))
struct EchoTests {
    @Test(arguments: Machine.monitors)
    func `arguments, environment, input and exit status pass through`(monitor: Monitor) async throws {
        let answer = try await Machine.run(
            "echo", on: monitor, arguments: ["one", "two words", "ünï", "--memory", "a=b"], environment: ["EXIT": "7", "SPACED": "a b  c"],
            input: "first\nsecond\n\nno newline at the end")
        #expect(
            answer.output == """
                argument 1: one
                argument 2: two words
                argument 3: ünï
                argument 4: --memory
                argument 5: a=b
                environment EXIT: 7
                environment SPACED: a b  c
                first
                second

                no newline at the end
                4 lines

                """)
        #expect(answer.status == 7)
        #expect(answer.errors == "")
    }

    @Test(arguments: Machine.monitors, [0, 1, 63, 127, 255])
    func `every exit status comes back`(monitor: Monitor, status: Int) async throws {
        let answer = try await Machine.run("echo", on: monitor, environment: ["EXIT": String(status)])
        #expect(answer.status == status)
        #expect(answer.output == "environment EXIT: \(status)\n0 lines\n")
    }

    @Test(arguments: Machine.monitors)
    func `nothing of the tool's own environment goes in`(monitor: Monitor) async throws {
        #expect(try await Machine.run("echo", on: monitor).output == "0 lines\n")
    }

    @Test(arguments: Machine.monitors)
    func `a hundred kilobytes of input come back whole`(monitor: Monitor) async throws {
        let lines = (0..<2_000).map { "line \($0) \(String(repeating: "x", count: 40))" }
        let answer = try await Machine.run("echo", on: monitor, input: lines.joined(separator: "\n") + "\n")
        #expect(answer.output == (lines + ["2000 lines", ""]).joined(separator: "\n"))
    }
}
