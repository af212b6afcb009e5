import Foundation

/// What `swift package dump-package` says of a package, as far as a build needs it.
struct AppPackage: Equatable {
    var name: String
    /// Executable products, and executable targets that SwiftPM makes products of by itself.
    var executables: [String]
    /// Absolute paths of packages that it depends on by path.
    var localDependencies: [String]

    /// Reads the manifest's JSON.
    init(json: Data) throws(ToolFailure) {
        let dump: Dump
        do {
            dump = try JSONDecoder().decode(Dump.self, from: json)
        } catch {
            throw ToolFailure(.internalError, "swift package dump-package wrote something unexpected: \(error)")
        }
        name = dump.name
        let products = dump.products.filter { $0.type["executable"] != nil }.map(\.name)
        let targets = dump.targets.filter { $0.type == "executable" }.map(\.name)
        executables = products + targets.filter { !products.contains($0) }
        localDependencies = dump.dependencies.flatMap { $0.fileSystem ?? [] }.map(\.path)
    }

    /// The product to build: the one asked for, or the only one there is.
    func product(named wanted: String?) throws(ToolFailure) -> String {
        if let wanted {
            guard executables.contains(wanted) else {
                throw ToolFailure(.usage, "package \(name) has no executable \(wanted); it has: \(executables.joined(separator: ", "))")
            }
            return wanted
        }
        guard let first = executables.first else {
            throw ToolFailure(.cannotOpen, "package \(name) has no executable target")
        }
        guard executables.count == 1 else {
            throw ToolFailure(.usage, "choose one with --product: \(executables.joined(separator: ", "))")
        }
        return first
    }

    private struct Dump: Decodable {
        struct Product: Decodable {
            var name: String
            var type: [String: Ignored?]
        }
        struct Target: Decodable {
            var name: String
            var type: String
        }
        struct Dependency: Decodable {
            struct FileSystem: Decodable { var path: String }
            var fileSystem: [FileSystem]?
        }
        /// Accepts any value and keeps none.
        struct Ignored: Decodable {
            init(from decoder: any Decoder) {}
        }
        var name: String
        var products: [Product]
        var targets: [Target]
        var dependencies: [Dependency]
    }
}
