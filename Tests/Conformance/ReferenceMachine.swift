import Bench
import Foundation
import TestSupport

/// Builds the programs and runs them on this Linux, one at a time and each once.
actor ReferenceMachine {
    static let shared = ReferenceMachine()

    private static let name = "brique-conformance-\(ProcessInfo.processInfo.processIdentifier)"
    /// What was built; and where programs leave files.
    private static let folder = FileManager.default.temporaryDirectory.appending(path: name).path
    private static let scratch: String = {
        // The instance's files are in memory too: both have the same kind of file system.
        let memory = "/dev/shm"
        return (FileManager.default.isWritableFile(atPath: memory) ? memory : folder) + "/" + name
    }()

    private var built: [String: Task<String, any Error>] = [:]
    private var outcomes: [String: Outcome] = [:]
    private var last: Task<Void, Never>?

    private init() {
        for path in [Self.folder, Self.scratch] {
            try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        atexit {
            for path in [ReferenceMachine.folder, ReferenceMachine.scratch] { try? FileManager.default.removeItem(atPath: path) }
        }
    }

    /// The program's file, compiled at the first call.
    func build(_ program: ConformanceProgram) async throws -> String {
        try await build("\(program.name)-\(program.linkage.rawValue)") { source, target in
            let language = ["-D_GNU_SOURCE", "-O2", "-w", "-std=gnu17", "-pthread"]
            return (program.linkage.compiler, language + program.linkage.options + ["-o", target, "\(source)/\(program.name).c", "-lm"])
        }
    }

    /// A program by a compiler of its own. `command` is given the folder of the sources and the target.
    func build(_ name: String, _ command: @Sendable @escaping (String, String) -> (String, [String])) async throws -> String {
        if let task = built[name] { return try await task.value }
        let target = Self.folder + "/" + name
        let (program, arguments) = command(Repository.path("Tests/Conformance/Programs"), target)
        var environment = ProcessInfo.processInfo.environment
        environment["CGO_ENABLED"] = "0"
        environment["GO111MODULE"] = "off"
        environment["GOCACHE"] = Self.folder + "/go"
        let compile = Command(program, arguments, environment: environment, directory: Self.folder)
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
        let environment = ["SCRATCH": Self.scratch, "PATH": "/usr/bin:/bin"]
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
