import ArgumentParser
import Foundation
import Image

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what is in an image: digest, bricks, entries, segments, memory, a program's files.",
        discussion: """
            A directory is built first, as is a Linux program or a container image.

            Example: brique inspect Apps/hello
            Example: brique inspect --tree redis.image
            """)

    @Argument(help: "An image, or an app's package.", completion: .file())
    var target = "."

    @OptionGroup var options: BuildOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Show all files of a Linux program's image.")
    var tree = false

    func run() async throws {
        let image = try await image()
        let report = try await Self.report(of: image)
        var program = try ProgramReport(image: image, byteCount: report.bytes)
        if let listing = program?.listing {
            program?.calls = try await SystemCallReport.make(image: image, installation: try .current(), listing: listing)
        }
        guard !json else {
            StandardOutput.write(String(decoding: try Self.json(report, program), as: UTF8.self))
            return
        }
        StandardOutput.write(report.table(withBricks: program == nil) + (program?.text(isWhole: tree) ?? ""))
    }

    private func image() async throws -> String {
        guard case .program(let source) = try Target(target) else {
            return try await ImageTarget(target, product: options.product).image
        }
        return try await ProgramBuild(source, [], try .current()).image()
    }

    /// The report, with `program` as one more member.
    private static func json(_ report: ImageReport, _ program: ProgramReport?) throws -> Data {
        guard let program else { return try report.json() }
        guard var members = try JSONSerialization.jsonObject(with: try report.json()) as? [String: Any] else { return try report.json() }
        members["program"] = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(program))
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try JSONSerialization.data(withJSONObject: members, options: options) + Data("\n".utf8)
    }

    /// What the file itself says, and the bricks of the report that its build wrote if that is of the same digest.
    static func report(of path: String) async throws -> ImageReport {
        let file = try ImageFile.open(path)
        let digest = try await ToolRun.digest(of: path)
        let stem = path.hasSuffix(".image") ? String(path.dropLast(6)) : path
        let built = FileManager.default.contents(atPath: stem + ".json").flatMap { try? ImageReport(json: $0) }
        let isSame = built?.digest == digest
        let name = URL(filePath: stem).lastPathComponent
        return ImageReport(name: name, file: file, digest: digest, bricks: isSame ? built?.bricks : nil)
    }
}

/// What a command was pointed at: an image, or a package that is built first.
struct ImageTarget {
    let image: String

    init(_ target: String, product: String?) async throws {
        guard let file = FileStamp(path: target + "/.") ?? FileStamp(path: target) else {
            throw ToolFailure(.cannotOpen, "no such file or directory: \(target)")
        }
        guard file.isFolder else {
            image = target
            return
        }
        let build = try AppBuild(folder: target, product: product, installation: try .current(), toolchain: try .current())
        image = try await build.build().image
    }
}

extension ImageReport {
    /// For people.
    ///
    /// - Parameter withBricks: also the shares of the bricks, or that they are not known.
    func table(withBricks: Bool) -> String {
        var lines = [
            "image         \(name), \(bytes) bytes", "digest        \(digest)", "ABI version   \(abiVersion)",
            "least memory  \(MemorySize.describe(leastMemoryBytes)) (\(leastMemoryBytes) bytes) to load; the app's heap comes on top",
            "entries       start \(entries.start), exceptions \(entries.exceptions), core \(entries.core), pvh \(entries.pvh ?? "none")",
            "machine area  \(entries.machineArea)", "notes         \(notes.joined(separator: ", "))", "",
            "segment  access  file bytes  memory bytes  physical    virtual",
        ]
        for (index, segment) in segments.enumerated() {
            let fields = [
                "\(index)".padded(to: -7), segment.access.padded(to: 6), "\(segment.fileBytes)".padded(to: -10),
                "\(segment.memoryBytes)".padded(to: -12), segment.physicalAddress.padded(to: 10), segment.virtualAddress,
            ]
            lines.append(fields.joined(separator: "  "))
        }
        if let root {
            let fields = [
                "   root", "R".padded(to: 6), "\(root.fileBytes)".padded(to: -10), "beside it".padded(to: -12),
                root.physicalAddress.padded(to: 10), root.virtualAddress,
            ]
            lines.append(fields.joined(separator: "  "))
        }
        guard withBricks || bricks != nil else { return lines.joined(separator: "\n") + "\n" }
        guard let bricks else {
            return (lines + ["", "bricks: not known, the image's report is not beside it"]).joined(separator: "\n") + "\n"
        }
        lines += ["", "     bytes  zeroed bytes  brick"]
        lines += bricks.map { "\("\($0.bytes)".padded(to: -10))  \("\($0.zeroBytes)".padded(to: -12))  \($0.name)" }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension String {
    /// Filled with spaces to a width: on the right, or on the left when it is negative.
    func padded(to width: Int) -> String {
        let fill = String(repeating: " ", count: max(0, abs(width) - count))
        return width < 0 ? fill + self : self + fill
    }
}
