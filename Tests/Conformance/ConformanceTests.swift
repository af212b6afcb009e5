import Bench
import Foundation
import TestSupport
import Testing

/// The same programs on Linux and in an instance: what they print and how they end is the same.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Command.find("gcc") != nil, "no gcc here"))
struct ConformanceTests {
    static let monitors = [Monitor.process, .kvm].filter(\.isPresent)
    private static let isRoot = getuid() == 0

    private static func reference(_ program: ConformanceProgram) async throws -> (file: String, outcome: Outcome) {
        let file = try await ReferenceMachine.shared.build(program)
        let outcome = try await ReferenceMachine.shared.run(program.description, [file] + program.arguments)
        return (file, outcome)
    }

    @Test(arguments: ConformanceProgram.all, monitors)
    func `a program gives what it gives on Linux`(program: ConformanceProgram, monitor: Monitor) async throws {
        guard Self.isRoot || !ConformanceProgram.needRoot.contains(program.name) else {
            return print("skipped: \(program.description) takes root")
        }
        let (file, expected) = try await Self.reference(program)
        let answer = try await Machine.runProgram(file, on: monitor, arguments: program.arguments)
        let difference = expected.difference(to: Outcome(answer))
        #expect(difference.isEmpty, "\(difference)\n\(answer.errors.suffix(2000))")
    }

    @Test(arguments: ConformanceProgram.everyLinkage, monitors)
    func `a program in every linkage gives what it gives on Linux`(program: ConformanceProgram, monitor: Monitor) async throws {
        let (file, expected) = try await Self.reference(program)
        let answer = try await Machine.runProgram(file, on: monitor)
        let difference = expected.difference(to: Outcome(answer))
        #expect(difference.isEmpty, "\(difference)\n\(answer.errors.suffix(2000))")
    }

    @Test(.enabled(if: Command.find("musl-gcc") != nil, "no musl-gcc here"), arguments: ConformanceProgram.withMusl, monitors)
    func `a program with musl gives what it gives on Linux`(program: ConformanceProgram, monitor: Monitor) async throws {
        let (file, expected) = try await Self.reference(program)
        let answer = try await Machine.runProgram(file, on: monitor)
        let difference = expected.difference(to: Outcome(answer))
        #expect(difference.isEmpty, "\(difference)\n\(answer.errors.suffix(2000))")
    }

    @Test func `there are at least three hundred checks`() async throws {
        var count = 0
        for program in ConformanceProgram.all where Self.isRoot || !ConformanceProgram.needRoot.contains(program.name) {
            count += try await Self.reference(program).outcome.checkCount
        }
        #expect(count >= 300)
    }

    @Test(arguments: monitors) func `what makes another process is refused in one way`(monitor: Monitor) async throws {
        let file = try await ReferenceMachine.shared.build(ConformanceProgram(name: "fork", linkage: .dynamic))
        let answer = try await Machine.runProgram(file, on: monitor)
        let all = answer.output.split(separator: "\n").map(String.init)
        #expect(all.filter { $0.hasPrefix("brique: ") } == ["brique: fork is not available here"])
        let lines = all.filter { !$0.hasPrefix("brique: ") }
        #expect(lines.count == 7 && answer.status == 0, "\(answer.output)\(answer.errors)")
        for line in lines.prefix(5) { #expect(line.hasSuffix("= ENOSYS"), "\(line)") }
        #expect(lines.last == "fork: popen = no")
    }

    @Test(arguments: monitors) func `two thousand threads pass a word around`(monitor: Monitor) async throws {
        let file = try await ReferenceMachine.shared.build(ConformanceProgram(name: "ring", linkage: .dynamic))
        let answer = try await Machine.runProgram(file, on: monitor, arguments: ["2000", "5"])
        #expect(answer.output == "ring: threads = 2000\nring: ended = 2000\nring: the word came back = yes\n", "\(answer.errors)")
    }

    /// A second of misuse; `./dev fuzz calls` runs it for longer.
    @Test(arguments: monitors) func `no misuse of calls ends the instance`(monitor: Monitor) async throws {
        let program = ConformanceProgram(name: "fuzz-calls", linkage: .staticPIE)
        let file = try await ReferenceMachine.shared.build(program)
        let answer = try await Machine.runProgram(file, on: monitor, arguments: ["4711", "5", "all"], seconds: 120)
        #expect(answer.status == 0 && answer.output.contains("calls"), "\(answer.output)\(answer.errors.suffix(4000))")
    }
}

/// Programs of other compilers, each with what its runtime asks of a system.
@Suite(.timeLimit(.minutes(20)))
struct LanguageTests {
    static let monitors = ConformanceTests.monitors

    private func compare(
        _ name: String, _ file: String, on monitor: Monitor, options: [String] = [], arguments: [String] = [], memory: String = "512M"
    ) async throws {
        let expected = try await ReferenceMachine.shared.run(name, [file] + arguments, seconds: 120)
        let answer = try await Machine.runProgram(
            file, on: monitor, options: options, arguments: arguments, memory: memory, seconds: 240)
        let difference = expected.difference(to: Outcome(answer))
        #expect(difference.isEmpty, "\(difference)\n\(answer.errors.suffix(2000))")
        #expect(expected.checkCount >= 5)
    }

    @Test(.enabled(if: Command.find("g++") != nil, "no g++ here"), arguments: monitors)
    func `C++ has its threads, exceptions and streams`(monitor: Monitor) async throws {
        let file = try await ReferenceMachine.shared.build("cxx") { source, target in
            ("g++", ["-O2", "-std=c++20", "-pthread", "-o", target, "\(source)/cxx.cpp"])
        }
        try await compare("cxx", file, on: monitor)
    }

    @Test(.enabled(if: Command.find("go") != nil, "no go here"), arguments: monitors)
    func `Go serves and collects while a goroutine spins`(monitor: Monitor) async throws {
        let file = try await ReferenceMachine.shared.build("gohttp") { source, target in
            ("go", ["build", "-o", target, "\(source)/gohttp.go"])
        }
        try await compare("gohttp", file, on: monitor)
    }

    @Test(.enabled(if: Command.find("rustc") != nil, "no rustc here"), arguments: monitors)
    func `Rust serves by threads and catches panics`(monitor: Monitor) async throws {
        let file = try await ReferenceMachine.shared.build("rust-tcp") { source, target in
            ("rustc", ["-O", "-o", target, "\(source)/tcp.rs"])
        }
        try await compare("rust-tcp", file, on: monitor)
    }

    @Test(.enabled(if: Command.find("javac") != nil, "no javac here"), arguments: monitors)
    func `Java serves and collects while a thread spins`(monitor: Monitor) async throws {
        let classes = try await ReferenceMachine.shared.build("java-classes") { source, target in
            ("javac", ["-d", target, "\(source)/Spin.java"])
        }
        let java = try #require(Command.find("java").map { URL(filePath: $0).resolvingSymlinksInPath() })
        let home = java.deletingLastPathComponent().deletingLastPathComponent().path
        var options = ["--include", home, "--include", classes]
        if FileManager.default.fileExists(atPath: "/etc/java-17-openjdk") { options += ["--include", "/etc/java-17-openjdk"] }
        let arguments = ["-Xmx128m", "-cp", classes, "Spin"]
        try await compare("java", java.path, on: monitor, options: options, arguments: arguments, memory: "1G")
    }
}
