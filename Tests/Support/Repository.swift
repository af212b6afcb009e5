import Foundation

/// The checked-out tree that these tests were built from.
public enum Repository {
    public static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    public static func path(_ relative: String) -> String { root + "/" + relative }

    /// The text of every file a clone would have, by its path from the root, in order. Binary files are left out.
    public static func files() throws -> [SourceFile] {
        var found: [SourceFile] = []
        try collect(below: "", into: &found)
        return found.sorted { $0.path < $1.path }
    }

    private static let hiddenFilesOfOurs: Set = [".ci", ".gitignore", ".swift-format"]
    private static let derivedNames: Set = ["Package.resolved"]
    private static let derivedEndings = [".image", ".symbols"]

    private static func collect(below folder: String, into found: inout [SourceFile]) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path(folder)) {
            if name.hasPrefix("."), !hiddenFilesOfOurs.contains(name) { continue }
            if derivedNames.contains(name) || derivedEndings.contains(where: name.hasSuffix) { continue }
            let relative = folder.isEmpty ? name : folder + "/" + name
            let kind = try FileManager.default.attributesOfItem(atPath: path(relative))[.type] as? FileAttributeType
            if kind == .typeDirectory {
                try collect(below: relative, into: &found)
            } else if kind == .typeRegular, let text = try? String(contentsOfFile: path(relative), encoding: .utf8) {
                found.append(SourceFile(path: relative, text: text))
            }
        }
    }
}

/// One file of the tree, or a sample that a check is tried on.
public struct SourceFile: Sendable {
    public var path: String
    public var text: String

    public init(path: String, text: String) {
        self.path = path
        self.text = text
    }

    public var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    public var lineCount: Int { text.isEmpty ? 0 : lines.count - (text.hasSuffix("\n") ? 1 : 0) }
    public var isSwift: Bool { path.hasSuffix(".swift") }
    public var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }
    public var isAssembly: Bool { path.hasSuffix(".S") }
    public var isCode: Bool { isSwift || isC || isAssembly || path.hasSuffix(".py") || path.hasSuffix(".sh") || isScript }
    private var isScript: Bool { text.hasPrefix("#!") }

    /// The name of the file without its folders.
    public var name: String { String(path.split(separator: "/").last ?? "") }
}
