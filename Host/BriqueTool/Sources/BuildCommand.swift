import ArgumentParser
import Foundation
import Image

struct BuildOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The executable to build, when the package has several.", valueName: "name"))
    var product: String?
}

struct BuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Build an app package into a bootable image.",
        discussion: """
            Writes NAME.image, NAME.symbols and NAME.json to DIR/.build-brique.

            Example: brique build Apps/hello --json
            """)

    @Argument(help: "The app's package.", completion: .directory)
    var directory = "."

    @OptionGroup var options: BuildOptions

    @Flag(help: "Print the image's report as JSON.")
    var json = false

    func run() async throws {
        let build = try AppBuild(
            folder: directory, product: options.product, installation: try .current(), toolchain: try .current())
        let products = try await build.build()
        let data = try build.read(products.report)
        guard !json else {
            StandardOutput.write(String(decoding: data, as: UTF8.self))
            return
        }
        let report = try ImageReport(json: data)
        StandardOutput.write("\(products.image)  \(report.bytes) bytes  \(report.digest)\n")
    }
}

enum StandardOutput {
    static func write(_ text: String) {
        // A reader that has gone away, such as `head`, is no error of ours.
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}
