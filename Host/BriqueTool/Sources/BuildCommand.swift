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
        abstract: "Build an app package, a Linux program or a container image into a bootable image.",
        discussion: """
            Of an app package: writes NAME.image, NAME.symbols and NAME.json to DIR/.build-brique. Of a Linux program, a root
            folder, an OCI image layout (oci:DIR) or a docker-save archive: writes NAME.image to the current directory.

            Example: brique build Apps/hello --json
            Example: brique build --program /usr/bin/redis-server -o redis.image
            Example: brique build --program /usr/bin/python3 --include /usr/lib/python3.11
            """)

    @Argument(help: "The app's package, or a container image.", completion: .directory)
    var directory: String?

    @OptionGroup var options: BuildOptions

    @OptionGroup(title: "Linux programs") var programs: ProgramOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the image of a Linux program goes.", valueName: "image"))
    var output: String?

    @Flag(help: "Print the image's report as JSON.")
    var json = false

    func run() async throws {
        let source = try programs.source()
        guard source == nil || directory == nil else {
            throw ToolFailure(.usage, "--program or --rootfs, or something else to build: one of them")
        }
        switch try source.map(Target.program) ?? Target(directory ?? ".") {
        case .package(let folder): try await buildPackage(folder)
        case .image(let path): throw ToolFailure(.usage, "\(path) is neither a package nor a program")
        case .program(let source): try await buildProgram(source)
        }
    }

    private func buildProgram(_ source: ProgramSource) async throws {
        let image = try await ProgramBuild(source, programs.inclusions, try .current()).image()
        let target = output ?? source.name + ".image"
        try ProgramBuild.copy(image, to: target)
        let report = try await InspectCommand.report(of: target)
        StandardOutput.write(
            json ? String(decoding: try report.json(), as: UTF8.self) : "\(target)  \(report.bytes) bytes  \(report.digest)\n")
    }

    private func buildPackage(_ directory: String) async throws {
        guard programs.inclusions.isEmpty, output == nil else {
            throw ToolFailure(.usage, "--include and --output are for Linux programs")
        }
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
