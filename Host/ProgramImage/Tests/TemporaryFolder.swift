import Foundation
@testable import ProgramImage
import SystemPackage
import Testing

/// An empty folder for one test, removed afterwards.
struct TemporaryFolder: ~Copyable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/brique-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { ImageCache.remove(path) }

    @discardableResult func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = URL(filePath: path).appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        // Closed on exec: other tests of this process start children.
        let descriptor = try FileDescriptor.open(
            FilePath(file.path), .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite])
        try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
        return file.path
    }

    @discardableResult func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: target)
    }

    func folder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
    }
}

/// The paths of a root, with what each is.
func outline(_ tree: RootTree) -> [String] {
    var lines: [String] = []
    tree.forEach { path, node in
        switch node.content {
        case .folder: lines.append(path + "/")
        case .link(let target): lines.append("\(path) -> \(target)")
        case .file, .piece: lines.append(path)
        }
    }
    return lines
}

func failure(_ body: () async throws -> Void) async -> ProgramFailure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? ProgramFailure ?? ProgramFailure(.usage, "another error: \(error)")
    }
}
