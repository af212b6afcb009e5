import ArgumentParser
import Foundation
import Subprocess

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Find out which monitors work here, and what is missing.",
        discussion: """
            Exits with 69 when no monitor works, with 70 when nothing can be built.

            Example: brique doctor --json
            """)

    @Flag(help: "Print JSON.")
    var json = false

    struct Finding: Encodable, Equatable {
        var name: String
        var works: Bool
        /// What was found, or why it does not work.
        var detail: String
    }

    private struct Findings: Encodable {
        var monitors: [Finding]
        var tools: [Finding]
    }

    func run() async throws {
        let doctor = Doctor(installation: try .current())
        let findings = Findings(monitors: await doctor.monitors(), tools: await doctor.tools())
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            StandardOutput.write(String(decoding: try encoder.encode(findings), as: UTF8.self) + "\n")
        } else {
            StandardOutput.write("monitors\n" + Self.table(findings.monitors) + "tools\n" + Self.table(findings.tools))
        }
        guard findings.monitors.contains(where: \.works) else { throw ToolFailure(.monitorUnavailable, "no monitor works here") }
        guard findings.tools.allSatisfy(\.works) else { throw ToolFailure(.internalError, "nothing can be built here yet") }
    }

    private static func table(_ findings: [Finding]) -> String {
        findings.map { "  \($0.works ? "yes" : "no ")  \($0.name.padded(to: 18))  \($0.detail)\n" }.joined()
    }
}
