import Foundation
import Image
import ProgramImage

/// What `brique inspect` says of a Linux program's image, beside what it says of every image.
struct ProgramReport: Encodable {
    struct File: Encodable {
        var path: String
        var bytes: Int64
        var permissions: String
        var owner: String
        var target: String?
    }

    var defaults: ProgramDefaults
    /// Of all regular files.
    var fileBytes: Int64
    /// The same in whole blocks of 4 KiB, as file systems keep them.
    var blockBytes: Int64
    /// Everything else in the image: the library OS, the file system's tables, this record.
    var addedBytes: Int64
    var files: [File]

    /// nil: there is no catalogue here to compare with.
    var calls: SystemCallReport?

    let listing: ImageListing

    /// nil: the image is none of a Linux program.
    init?(image: String, byteCount: Int) throws {
        guard let defaults = try RunCommand.defaults(of: image) else { return nil }
        do throws(ProgramFailure) {
            listing = try ImageListing.read(image) ?? ImageListing(parsing: "")
        } catch {
            throw ToolFailure(error)
        }
        self.defaults = defaults
        files = listing.entries.map {
            File(
                path: $0.path, bytes: $0.byteCount, permissions: String($0.permissions, radix: 8), owner: "\($0.owner):\($0.group)",
                target: $0.target)
        }
        fileBytes = listing.entries.reduce(0) { $0 &+ $1.byteCount }
        blockBytes = listing.entries.reduce(0) { $0 &+ ($1.byteCount &+ 4095) & ~4095 }
        addedBytes = max(0, Int64(byteCount) - blockBytes)
    }

    private enum CodingKeys: CodingKey { case defaults, fileBytes, blockBytes, addedBytes, files, calls }

    private static let largestCount = 15

    /// For people.
    ///
    /// - Parameter isWhole: every file, as a tree; otherwise the largest ones.
    func text(isWhole: Bool) -> String {
        let words = (defaults.entrypoint + defaults.command).map(\.quoted).joined(separator: " ")
        var lines = [
            "", "program       \(words.isEmpty ? "none: say which after --" : words)", "made from     \(defaults.source.printable)",
            "directory     \(defaults.directory.printable)", "user          \(defaults.user.text)",
        ]
        for variable in defaults.environment { lines.append("environment   \(variable.printable)") }
        let regular = listing.entries.filter { $0.kind == .regular }
        lines += [
            "files         \(regular.count), \(fileBytes) bytes, \(blockBytes) in whole blocks",
            "others        \(listing.entries.count - regular.count) folders and links",
            "added         \(addedBytes) bytes beside the files: the library OS and the file system's tables",
        ]
        if let calls { lines += calls.text.split(separator: "\n").map { String($0).printable } }
        lines.append("")
        if isWhole {
            lines.append("     bytes  file")
            lines += listing.entries.map(Self.treeLine)
        } else {
            lines.append("     bytes  largest files (--tree shows all)")
            lines += regular.sorted { ($1.byteCount, $0.path) < ($0.byteCount, $1.path) }.prefix(Self.largestCount).map {
                "\("\($0.byteCount)".padded(to: -10))  \($0.path.printable)"
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func treeLine(_ entry: ImageListing.Entry) -> String {
        let components = entry.path.split(separator: "/")
        let indent = String(repeating: "  ", count: max(0, components.count - 1))
        let name = String(components.last ?? "").printable
        let size = entry.kind == .regular ? "\(entry.byteCount)" : ""
        let end =
            switch entry.kind {
            case .folder: "/"
            case .link: " -> " + (entry.target ?? "").printable
            case .regular, .other: ""
            }
        return "\(size.padded(to: -10))  \(indent)\(name)\(end)"
    }
}

extension String {
    /// Without anything that a terminal acts on.
    var printable: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : $0 }))
    }

    /// As a word of a shell's command line.
    var quoted: String {
        let isPlain = !isEmpty && utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"'\\$`*?[]{}()<>|&;!#~".utf8.contains($0) }
        return isPlain ? self : "'" + replacing("'", with: "'\\''").printable + "'"
    }
}
