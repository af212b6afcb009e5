import ArgumentParser
import Bench
import Foundation

@main struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "brique-bench", abstract: "Measures Brique beside what else starts a program.",
        subcommands: [StartCommand.self, NetCommand.self, LinuxCommand.self])
}

struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "First output from exec, beside processes, containers and other monitors, and what an instance costs.",
        discussion: "Example: ./dev bench start --runs 50 --json start.json --svg start.svg")

    @Option(help: "Rounds; every contender is started once in each.")
    var runs = 50

    @Option(help: "Seconds for which a waiting instance is watched.")
    var idle = 5.0

    @Option(help: "Write the figures here as JSON.", completion: .file())
    var json: String?

    @Option(help: "Write a plot here as SVG.", completion: .file())
    var svg: String?

    @Option(help: "The repository.", completion: .directory)
    var repository = "."

    @Option(help: "The tool's program.", completion: .file())
    var tool: String

    func validate() throws {
        guard runs > 0, idle > 0 else { throw ValidationError("--runs and --idle are more than 0") }
    }

    func run() async throws {
        let checkout = Checkout(root: URL(filePath: repository).standardizedFileURL.path, tool: URL(filePath: tool).path)
        let report = try await StartBench.run(
            checkout: checkout,
            options: .init(rounds: runs, idleSeconds: idle) { step in
                try? FileHandle.standardError.write(contentsOf: Data("\r\u{1b}[K\(step)".utf8))
            })
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1b}[K".utf8))
        print(report.table, terminator: "")
        if let json { try report.json().write(to: URL(filePath: json)) }
        if let svg { try Data(report.plot.utf8).write(to: URL(filePath: svg)) }
    }
}

struct NetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "net",
        abstract: "Bulk TCP and HTTP requests of instances beside Linux's own programs, in namespaces of their own. Takes root.",
        discussion: "Example: ./dev bench net --runs 5 --json net.json")

    @Option(help: "Rounds; everything is measured once in each.")
    var runs = 5

    @Option(help: "Megabytes of one bulk transfer.")
    var megabytes = 1000

    @Option(help: "Seconds of one run of requests.")
    var seconds = 5

    @Option(help: "Write the figures here as JSON.", completion: .file())
    var json: String?

    @Option(help: "The repository.", completion: .directory)
    var repository = "."

    @Option(help: "The tool's program.", completion: .file())
    var tool: String

    func validate() throws {
        guard runs > 0, megabytes > 0, seconds > 0 else { throw ValidationError("--runs, --megabytes and --seconds are more than 0") }
    }

    func run() async throws {
        let checkout = Checkout(root: URL(filePath: repository).standardizedFileURL.path, tool: URL(filePath: tool).path)
        let options = NetBench.Options(rounds: runs, byteCount: megabytes * 1_000_000, seconds: seconds) { step in
            try? FileHandle.standardError.write(contentsOf: Data("\r\u{1b}[K\(step)".utf8))
        }
        let report = try await NetBench.run(checkout: checkout, options: options)
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1b}[K".utf8))
        print(report.table, terminator: "")
        if let json { try report.json().write(to: URL(filePath: json)) }
    }
}

struct LinuxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "linux",
        abstract: "Linux programs in instances beside the same files on this Linux. Takes root for what goes over the network.",
        discussion: "Example: ./dev bench linux --runs 5 --json linux.json")

    @Option(help: "Rounds; everything is measured once in each.")
    var runs = 5

    @Option(help: "Seconds of one run of requests.")
    var seconds = 3

    @Option(parsing: .upToNextOption, help: "Only these parts.")
    var only: [LinuxBench.Part] = []

    @Option(help: "Write the figures here as JSON.", completion: .file())
    var json: String?

    @Option(help: "The repository.", completion: .directory)
    var repository = "."

    @Option(help: "The tool's program.", completion: .file())
    var tool: String

    func validate() throws {
        guard runs > 0, seconds > 0 else { throw ValidationError("--runs and --seconds are more than 0") }
    }

    func run() async throws {
        let checkout = Checkout(root: URL(filePath: repository).standardizedFileURL.path, tool: URL(filePath: tool).path)
        let options = LinuxBench.Options(rounds: runs, seconds: seconds, parts: Set(only)) { step in
            try? FileHandle.standardError.write(contentsOf: Data("\r\u{1b}[K\(step)".utf8))
        }
        let report = try await LinuxBench.run(checkout: checkout, options: options)
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1b}[K".utf8))
        print(report.table, terminator: "")
        if let json { try report.json().write(to: URL(filePath: json)) }
    }
}

extension LinuxBench.Part: ExpressibleByArgument {}
