import Bench
import Foundation
import TestSupport
import Testing

/// A program of this machine in an instance, with a published port.
struct ProgramServer: Sendable {
    /// Where its package puts it; a link stays one, for some programs are what they are called.
    var program: String
    var options: [String] = []
    var arguments: [String] = []
    var memory = "256M"
    var port: Int

    static let monitors = [Monitor.process, .kvm].filter(\.isPresent)
    /// From the same image on a machine that is no monitor of ours.
    static let monitorsAndQEMU = monitors + [Monitor.microvm].filter(\.isPresent)

    /// Where Debian's package has one of these programs; nil: the package is not installed.
    static func find(_ names: String...) -> String? {
        for name in names {
            let folders = ["/usr/bin/", "/usr/sbin/", "/bin/"]
            let path = folders.map { $0 + name }.first { FileManager.default.isExecutableFile(atPath: $0) } ?? Command.find(name)
            if let path { return path }
        }
        return nil
    }

    static func has(_ names: String...) -> Bool { names.allSatisfy { find($0) != nil } }

    /// Runs it, and `body` with the published port while it serves; then ends it.
    func serve(on monitor: Monitor, until ready: (Int) async throws -> Bool, _ body: (Int) async throws -> Void) async throws {
        _ = try await Machine.image("linux")
        try await Machine.buildMonitors()
        let host = Int.random(in: 20_000..<32_000)
        let mark = "RUN=\(UUID().uuidString)"
        let words = ["run"] + monitor.options + ["--memory", memory, "-e", mark, "-p", "127.0.0.1:\(host):\(port)"] + options
        let tool = Machine.checkout.brique(words + ["--program", program, "--"] + arguments).limited(toSeconds: 300)
        async let run = tool.run()
        var isUp = false
        for _ in 0..<300 where !isUp {
            isUp = try await ready(host)
            if !isUp { try await Task.sleep(for: .milliseconds(100)) }
        }
        var failure: (any Error)?
        do { if isUp { try await body(host) } } catch { failure = error }
        for process in try Processes.naming(mark) { kill(process, SIGTERM) }
        let answer = try await run
        #expect(isUp, "no answer at port \(host): \(answer.output.suffix(1000))\(answer.errors.suffix(3000))")
        if let failure {
            Issue.record("\(failure)\n\(answer.output.suffix(1000))\(answer.errors.suffix(3000))")
        }
    }

    /// The same for one that speaks HTTP.
    func serveHTTP(on monitor: Monitor, _ body: (String) async throws -> Void) async throws {
        try await serve(on: monitor) { port in
            try await Command("curl", ["-s", "-m", "2", "-o", "/dev/null", "http://127.0.0.1:\(port)/"]).run().status == 0
        } _: { port in
            try await body("http://127.0.0.1:\(port)")
        }
    }

    static func curl(_ arguments: String...) async throws -> String {
        try await Command("curl", ["-s", "-S", "-m", "60"] + arguments).output()
    }

    /// The same over connections that stay open, for servers that do not close them by themselves.
    static func loadKept(_ url: String, count: Int = 2000) async throws {
        guard has("h2load") else { return }
        let words = ["--h1", "-n", String(count), "-c", "16", "-m", "1", url]
        let report = try await Command("h2load", words).limited(toSeconds: 120).output()
        #expect(report.contains("\(count) succeeded, 0 failed"), "\(report)")
    }

    /// Many requests at once, all of which have to succeed.
    static func load(_ url: String, count: Int = 1000) async throws {
        guard has("ab") else { return }
        let report = try await Command("ab", ["-q", "-n", String(count), "-c", "16", url]).limited(toSeconds: 120).output()
        #expect(report.contains(/Complete requests: +\d+\n/) && report.contains(/Failed requests: +0\n/), "\(report)")
        #expect(!report.contains("Non-2xx"), "\(report)")
    }
}

/// A program that runs to its end: on Linux and in an instance it says the same.
struct ProgramRun: Sendable, CustomStringConvertible {
    var name: String
    /// The program's names, in order of preference.
    var programs: [String]
    var options: [String] = []
    var arguments: [String]
    var memory = "256M"
    var description: String { name }

    private static let environment = ["PATH": "/usr/bin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"]
    private static let linux = ReferenceRuns()

    func compare(on monitor: Monitor, mayFail: Bool = false) async throws {
        guard let program = programs.lazy.compactMap({ ProgramServer.find($0) }).first else {
            return print("skipped: \(name): no \(programs.joined(separator: " or ")) here")
        }
        let there = try await Self.linux.answer(program, arguments, Self.environment)
        let variables = Self.environment.sorted { $0.key < $1.key }.flatMap { ["-e", "\($0.key)=\($0.value)"] }
        let here = try await Machine.runProgram(
            program, on: monitor, options: variables + options, arguments: arguments, memory: memory, seconds: 120)
        // An instance has one stream for both.
        #expect(here.output == there.output + there.errors, "\(here.errors.suffix(3000))")
        #expect(here.status == there.status)
        #expect(mayFail || !there.output.isEmpty && there.status == 0, "\(there.errors)")
    }
}

/// What programs say on Linux. One at a time, and each only once: they write into this machine's /tmp.
private actor ReferenceRuns {
    private var runs: [[String]: Task<Command.Answer, any Error>] = [:]
    private var last: Task<Command.Answer, any Error>?

    func answer(_ program: String, _ arguments: [String], _ environment: [String: String]) async throws -> Command.Answer {
        let words = [program] + arguments
        if let run = runs[words] { return try await run.value }
        let before = last
        let run = Task {
            _ = try? await before?.value
            return try await Command(program, arguments, environment: environment, directory: "/").limited(toSeconds: 60).run()
        }
        runs[words] = run
        last = run
        return try await run.value
    }
}
