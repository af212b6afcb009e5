import Bench
import Bytes
import ELFFormat
import Foundation
import TestSupport
import Testing

private let hasMaker = ["/usr/bin", "/usr/sbin"].contains { FileManager.default.isExecutableFile(atPath: $0 + "/mkfs.erofs") }

/// An image's root and a layer over it, as an instance finds them under every monitor.
@Suite(.timeLimit(.minutes(20)), .enabled(if: hasMaker, "mkfs.erofs is not installed"))
struct LayerTests {
    private func tool(_ words: [String], _ folder: String) async throws -> Command.Answer {
        try await Machine.buildMonitors()
        var command = Machine.checkout.brique(words)
        command.environment?["BRIQUE_LINUX"] = try await Machine.image("layers")
        command.environment?["XDG_CACHE_HOME"] = folder
        return try await command.run()
    }

    /// An image of the app `layers`, whose root is the program `ls` with its libraries.
    private func image(_ folder: String) async throws -> String {
        let path = folder + "/ls.image"
        let answer = try await tool(["build", "--program", "/bin/ls", "-o", path], folder)
        try #require(answer.status == 0, "\(answer.errors)")
        return path
    }

    /// What the app says of the root of an image.
    private func line(_ image: String) throws -> String {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: image)))
        let layout = try ImageLayout(parsing: ByteReader(bytes.span.extracting(first: 4096)).unread, fileByteCount: bytes.count)
        let root = try #require(layout.root)
        let sum = bytes[root.fileOffset..<root.fileOffset + root.byteCount].reduce(0xcbf2_9ce4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        return "layer 0: \(root.byteCount) bytes, sum \(sum)\n"
    }

    @Test(arguments: Machine.monitors) func `root and layer are there, byte for byte`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let image = try await image(folder.path)
        let plain = try await tool(["run"] + monitor.options + [image], folder.path)
        #expect(plain.output == (try line(image)) + "layer 1: none\n", "\(plain.errors)")
        let file = try await tool(["run"] + monitor.options + ["--file", "\(image):/etc/large", image], folder.path)
        #expect(file.output.hasPrefix(try line(image) + "layer 1: "), "\(file.errors)")
        #expect(!file.output.contains("none"))
        #expect(file.status == 0)
    }

    @Test(arguments: Machine.monitors) func `nothing in a layer can be written`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let answer = try await tool(["run"] + monitor.options + [try await image(folder.path), "--", "write"], folder.path)
        #expect(answer.status == 139)
        #expect(!answer.output.contains("was written"))
        #expect(answer.errors.contains("page fault"))
    }

    @Test(arguments: Machine.monitors) func `memory that the root leaves nothing of is refused`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let answer = try await tool(["run", "--memory", "64K"] + monitor.options + [try await image(folder.path)], folder.path)
        #expect(answer.status == 78, "\(answer.errors)")
    }
}
