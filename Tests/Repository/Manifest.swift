import Foundation
import Subprocess
import TestSupport

/// What Package.swift declares, as SwiftPM itself reads it.
struct Manifest: Decodable {
    struct Target: Decodable {
        struct Dependency: Decodable {
            /// Each kind begins with the name of a target or product; what follows may be null, text or an object.
            var byName: [Field]?
            var product: [Field]?
            var target: [Field]?

            var name: String? { (byName ?? product ?? target)?.first?.text }
        }

        struct Field: Decodable {
            var text: String?

            init(from decoder: any Decoder) throws {
                text = try? decoder.singleValueContainer().decode(String.self)
            }
        }

        var name: String
        var type: String
        var path: String?
        var dependencies: [Dependency]

        var needs: Set<String> { Set(dependencies.compactMap(\.name)) }
    }

    var targets: [Target]

    /// Reads the manifest in a scratch folder of its own: a build may hold the usual one.
    static func load() async throws -> Manifest {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "brique-manifest-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let result = try await run(
            .name("swift"), arguments: ["package", "--package-path", Repository.root, "--scratch-path", scratch, "dump-package"],
            output: .string(limit: 4 << 20), error: .string(limit: 1 << 20))
        return try JSONDecoder().decode(Manifest.self, from: Data(result.standardOutput.utf8))
    }
}
