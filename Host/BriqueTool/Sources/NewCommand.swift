import ArgumentParser
import Foundation

struct NewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Start an app package that builds and tests at once.",
        discussion: "Example: brique new hello && cd hello && brique run")

    @Argument(help: "The app's name, and the directory's.")
    var name: String

    func run() throws {
        let template = try AppTemplate(name: name, package: try Installation.current().package)
        let files = FileManager.default
        guard FileStamp(path: name) == nil else { throw ToolFailure(.cannotWrite, "\(name) is already there") }
        do {
            for file in template.files {
                let place = URL(filePath: name).appending(path: file.path)
                try files.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(file.text.utf8).write(to: place, options: .withoutOverwriting)
            }
        } catch {
            throw ToolFailure(.cannotWrite, "cannot write \(name): \(error.localizedDescription)")
        }
        StandardOutput.write("\(name): now `cd \(name)` and `brique run`, or `swift test`\n")
    }
}
