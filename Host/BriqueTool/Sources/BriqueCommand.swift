import ArgumentParser

/// The command line `brique`.
public struct BriqueCommand: AsyncParsableCommand {
    public static let version = "0.1.0"

    public static let configuration = CommandConfiguration(
        commandName: "brique",
        abstract: "Turns one Swift app into one unikernel, and runs it.",
        discussion: """
            Example: brique new hello && cd hello && brique run

            Exit status:
            \(ExitStatus.table.map { "  \($0.status): \($0.meaning)" }.joined(separator: "\n"))
              Any other is the instance's own.
            """,
        version: "brique \(version)",
        subcommands: [
            NewCommand.self, BuildCommand.self, RunCommand.self, InspectCommand.self, DoctorCommand.self, SymbolicateCommand.self,
        ])

    public init() {}
}
