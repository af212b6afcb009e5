import Foundation
import Subprocess
import SystemPackage

/// A program to run to its end, with what it wrote.
public struct Command: Sendable {
    public var program: String
    public var arguments: [String]
    /// Nil: this process's own.
    public var environment: [String: String]?
    public var directory: String?
    public var input: String

    /// `program` is a path, or a name to be found on PATH.
    public init(
        _ program: String, _ arguments: [String] = [], environment: [String: String]? = nil, directory: String? = nil, input: String = ""
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.input = input
    }

    public struct Answer: Sendable {
        /// The exit status, or 128 plus the signal that it died of.
        public var status: Int32
        public var isSignalled: Bool
        public var output: String
        public var errors: String
    }

    /// The same, killed after so many seconds: its status is then 137.
    public func limited(toSeconds seconds: Int) -> Command {
        var limited = self
        limited.program = "/usr/bin/timeout"
        limited.arguments = ["--signal=KILL", String(seconds), program] + arguments
        return limited
    }

    private static let outputByteLimit = 16 << 20

    public func run() async throws -> Answer {
        let executable: Executable = program.contains("/") ? .path(FilePath(program)) : .name(program)
        let variables = environment.map { custom in
            Environment.custom(Dictionary(uniqueKeysWithValues: custom.map { (Environment.Key(stringLiteral: $0.key), $0.value) }))
        }
        let result = try await Subprocess.run(
            executable, arguments: Arguments(arguments), environment: variables ?? .inherit,
            workingDirectory: directory.map { FilePath($0) }, input: .string(input), output: .string(limit: Self.outputByteLimit),
            error: .string(limit: Self.outputByteLimit))
        let (status, isSignalled): (Int32, Bool) =
            switch result.terminationStatus {
            case .exited(let status): (status, false)
            case .signaled(let signal): (128 + signal, true)
            }
        return Answer(status: status, isSignalled: isSignalled, output: result.standardOutput, errors: result.standardError)
    }

    /// The output of a program that has to succeed.
    public func output() async throws -> String {
        let answer = try await run()
        guard answer.status == 0 else { throw BenchError.failed(command: ([program] + arguments).joined(separator: " "), answer.errors) }
        return answer.output
    }

    /// Where PATH has `name`; nil when it has not.
    public static func find(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").lazy.map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

public enum BenchError: Error, CustomStringConvertible {
    case failed(command: String, String)
    case unexpected(String)

    public var description: String {
        switch self {
        case .failed(let command, let errors): "\(command): \(errors)"
        case .unexpected(let text): text
        }
    }
}
