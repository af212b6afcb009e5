import Foundation
import Subprocess
import SystemPackage

/// Short helpers that run to their end, such as sha256sum.
enum ToolRun {
    struct Answer {
        var isSuccess: Bool
        var text: String
        var errors: String
    }

    private static let outputByteLimit = 8 << 20

    static func output(of program: String, _ arguments: [String]) async throws -> Answer {
        do {
            let result = try await run(
                .path(FilePath(program)), arguments: Arguments(arguments), output: .string(limit: outputByteLimit),
                error: .string(limit: outputByteLimit))
            return Answer(
                isSuccess: result.terminationStatus.isSuccess, text: result.standardOutput, errors: result.standardError)
        } catch let error as SubprocessError {
            throw ToolFailure(.hostRefused, "cannot run \(program): \(error)")
        }
    }

    static let digestProgram = "/usr/bin/sha256sum"

    /// `sha256:` and the digest in hexadecimal, by coreutils.
    static func digest(of path: String) async throws -> String {
        let answer = try await output(of: digestProgram, ["--binary", "--", path])
        let digest = answer.text.prefix(64)
        guard answer.isSuccess, digest.count == 64, digest.allSatisfy(\.isHexDigit) else {
            throw ToolFailure(.cannotOpen, "cannot read \(path): \(answer.errors)")
        }
        return "sha256:" + digest
    }
}
