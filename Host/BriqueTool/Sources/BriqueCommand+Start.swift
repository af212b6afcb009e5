import ArgumentParser
import Foundation

extension BriqueCommand {
    /// Parses the command line and runs the command: the whole program.
    public static func start() async -> Never {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            Foundation.exit(ExitStatus.success.rawValue)
        } catch let failure as ToolFailure {
            StandardError.line(failure.message)
            Foundation.exit(failure.status.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}
