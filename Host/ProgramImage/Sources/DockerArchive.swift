import Foundation
import SystemPackage

/// What `docker save` and skopeo's docker-archive write: a tar archive of layers, a configuration, and manifest.json.
struct DockerArchive {
    private struct Entry: Decodable {
        var Config: String
        var RepoTags: [String]?
        var Layers: [String]
    }

    private(set) var configuration: ContainerConfiguration
    private(set) var layers: [ContainerLayer] = []

    private static let layerLimit = 512

    /// - Parameter scratch: a folder of our own, for the parts of the archive.
    init(_ path: String, scratch: String) async throws {
        let plain = try await ContainerLayer(path: path, title: path).unpacked(to: scratch + "/archive.tar")
        // The archive is read as a layer would be: no member of it gets anywhere but into this tree.
        let tree = RootTree()
        _ = try tree.apply(layer: plain, title: path)
        guard tree.node(at: "/manifest.json") != nil else {
            throw ProgramFailure(.refused, "\(path) is no archive of a container image: it has no manifest.json")
        }
        let manifest = try Self.extract("/manifest.json", tree, path, to: scratch + "/manifest.json")
        let entries = try ContainerDocument.read([Entry].self, manifest, "manifest.json of \(path)")
        guard let entry = entries.first else { throw ProgramFailure(.refused, "\(path) has no image") }
        guard entries.count == 1 else { throw ProgramFailure(.refused, "\(path) has several images: save them one by one") }
        guard entry.Layers.count <= Self.layerLimit else { throw ProgramFailure(.refused, "\(path) has too many layers") }
        let file = try Self.extract(entry.Config, tree, path, to: scratch + "/config.json")
        configuration = try ContainerDocument.read(ContainerConfiguration.self, file, "the configuration of \(path)")
        let digests = configuration.layers?.digests
        guard digests == nil || digests?.count == entry.Layers.count else {
            throw ProgramFailure(.refused, "\(path) is damaged: its configuration names another number of layers")
        }
        for (index, name) in entry.Layers.enumerated() {
            let title = "layer \(index + 1) of \(path)"
            let layer = try Self.extract(name, tree, path, to: "\(scratch)/part-\(index)")
            layers.append(
                ContainerLayer(
                    path: layer, title: title,
                    plainDigest: try digests.map { (list) throws(ProgramFailure) in try Digest.digits(list[index], title) }))
        }
    }

    private static func extract(_ name: String, _ tree: RootTree, _ path: String, to target: String) throws(ProgramFailure) -> String {
        guard let node = tree.node(at: name), !node.isFolder else {
            throw ProgramFailure(.refused, "\(path) is damaged: it has no \(name.prefix(80).debugDescription)")
        }
        try Stage(root: target).write(node, to: target)
        return target
    }
}
