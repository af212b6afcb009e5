import Bench
import Foundation
import TestSupport

/// Builds the programs and runs them on this Linux, one at a time and each once.
actor ReferenceMachine {
    static let shared = ReferenceMachine()

    private let folder: String
    private let scratch: String
    private var built: [String: Task<String, any Error>] = [:]
    private var outcomes: [String: Outcome] = [:]
    private var last: Task<Void, Never>?

    private init() {
        let name = "brique-conformance-\(ProcessInfo.processInfo.processIdentifier)"
        folder = FileManager.default.temporaryDirectory.appending(path: name).path
        // The instance's files are in memory too: both have the same kind of file system.
        let memory = "/dev/shm"
        scratch = (FileManager.default.isWritableFile(atPath: memory) ? memory : folder) + "/" + name
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    }

    /// Removes what was built and what programs left.
    func clear() {
        for path in [folder, scratch] { try? FileManager.default.removeItem(atPath: path) }
    }

    /// The program's file, compiled at the first call.
    func build(_ program: ConformanceProgram) async throws -> String {
        try await build("\(program.name)-\(program.linkage.rawValue)") { source, target in
            let language = ["-D_GNU_SOURCE", "-O2", "-w", "-std=gnu17", "-pthread"]
            return ("gcc", language + program.linkage.options + ["-o", target, "\(source)/\(program.name).c", "-lm"])
        }
    }

    /// A program by a compiler of its own. `command` is given the folder of the sources and the target.
    func build(_ name: String, _ command: @Sendable @escaping (String, String) -> (String, [String])) async throws -> String {
        if let task = built[name] { return try await task.value }
        let target = folder + "/" + name
        let (program, arguments) = command(Repository.path("Tests/Conformance/Programs"), target)
        var environment = ProcessInfo.processInfo.environment
        environment["CGO_ENABLED"] = "0"
        environment["GO111MODULE"] = "off"
        environment["GOCACHE"] = folder + "/go"
        let compile = Command(program, arguments, environment: environment, directory: folder)
        let task = Task {
            _ = try await compile.output()
            return target
        }
        built[name] = task
        return try await task.value
    }

    /// What this Linux gives.
    func run(_ name: String, _ words: [String], seconds: Int = 60) async throws -> Outcome {
        if let known = outcomes[name] { return known }
        let before = last
        let environment = ["SCRATCH": scratch, "PATH": "/usr/bin:/bin"]
        let command = Command(words[0], Array(words.dropFirst()), environment: environment, directory: "/").limited(toSeconds: seconds)
        let task = Task {
            await before?.value
            return Outcome(try await command.run())
        }
        last = Task { _ = try? await task.value }
        let outcome = try await task.value
        outcomes[name] = outcome
        return outcome
    }
}
