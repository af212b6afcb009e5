import Bench
import TestSupport
import Testing

/// Each way to die has its status, its words and the function's name on standard error.
@Suite(.timeLimit(.minutes(20)))
struct CrashTests {
    struct Way: CustomTestStringConvertible, Sendable {
        var name: String
        var status: Int32
        /// A function of Apps/crash that the backtrace must name.
        var function: String
        var testDescription: String { name }
    }

    private static let illegal: Int32 = 132
    private static let abort: Int32 = 134
    private static let segment: Int32 = 139

    static let ways = [
        Way(name: "trap", status: illegal, function: "Crash.main()"),
        Way(name: "overflow", status: illegal, function: "overflow(by:)"),
        Way(name: "bounds", status: illegal, function: "outOfBounds(index:)"),
        Way(name: "unwrap", status: illegal, function: "unwrap"),
        Way(name: "pointer", status: segment, function: "readNowhere()"),
        Way(name: "readonly", status: segment, function: "writeToCode()"),
        Way(name: "stack", status: segment, function: "recurse"),
        Way(name: "fiber", status: segment, function: "recurse"),
        Way(name: "divide", status: illegal, function: "divide(by:)"),
        Way(name: "memory", status: abort, function: "exhaust()"),
        Way(name: "panic", status: illegal, function: "Crash.main()"),
    ]

    @Test(arguments: Machine.monitors, ways)
    func `a crash is told with its status and its function`(monitor: Monitor, way: Way) async throws {
        let answer = try await Machine.run("crash", on: monitor, arguments: [way.name])
        #expect(answer.output == "about to \(way.name)\n")
        #expect(answer.status == way.status)
        #expect(answer.errors.contains(way.function), "\(answer.errors)")
        #expect(answer.errors.contains("Crash.swift:"), "\(answer.errors)")
    }

    @Test(arguments: Machine.monitors)
    func `an exit is not a crash`(monitor: Monitor) async throws {
        let answer = try await Machine.run("crash", on: monitor, arguments: ["exit"])
        #expect(answer.status == 42)
        #expect(answer.errors == "")
    }

    @Test(arguments: Machine.monitors)
    func `a crash leaves the image and its symbols alone, and names nothing without them`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let copy = folder.path + "/crash.image"
        _ = try await Command("cp", [try await Machine.image("crash"), copy]).output()
        let answer = try await Machine.run(image: copy, on: monitor, arguments: ["divide"])
        #expect(answer.status == Self.illegal)
        #expect(!answer.errors.contains("divide(by:)"))
        #expect(answer.errors.contains("0x"))
    }
}
