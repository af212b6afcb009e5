import Foundation
import SystemPackage

/// A folder in the format of the OCI image layout specification. Every blob is checked against the digest that names it.
struct OCILayout {
    struct Image {
        var digest: String
        var configuration: ContainerConfiguration
        var layers: [ContainerLayer]
    }

    private struct Descriptor: Decodable {
        struct Platform: Decodable {
            var architecture: String?
            var os: String?
        }
        var mediaType: String?
        var digest: String
        var size: Int?
        var platform: Platform?
        var annotations: [String: String]?

        var isIndex: Bool {
            mediaType == "application/vnd.oci.image.index.v1+json"
                || mediaType == "application/vnd.docker.distribution.manifest.list.v2+json"
        }
        var isManifest: Bool {
            mediaType == "application/vnd.oci.image.manifest.v1+json"
                || mediaType == "application/vnd.docker.distribution.manifest.v2+json"
        }
        var name: String? { annotations?["org.opencontainers.image.ref.name"] }
    }

    private struct Index: Decodable { var manifests: [Descriptor] }
    private struct Manifest: Decodable {
        var config: Descriptor
        var layers: [Descriptor]
    }
    private struct Marker: Decodable { var imageLayoutVersion: String }

    private static let depthLimit = 4, layerLimit = 512
    private static let layerTypes: Set<String> = [
        "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.diff.tar.zstd",
    ]

    private let folder: String

    init(folder: String) throws(ProgramFailure) {
        self.folder = folder
        let marker = try ContainerDocument.read(Marker.self, folder + "/oci-layout", folder + "/oci-layout")
        guard marker.imageLayoutVersion.hasPrefix("1.") else {
            throw ProgramFailure(
                .refused, "\(folder) is an OCI image layout of the unknown version \(marker.imageLayoutVersion.prefix(20))")
        }
    }

    /// The image for this processor.
    ///
    /// - Parameter tag: its name, where there are several.
    func image(tag: String?) async throws -> Image {
        let index = try ContainerDocument.read(Index.self, folder + "/index.json", folder + "/index.json")
        var descriptor = try choose(index.manifests.filter { tag == nil || $0.name == tag }, tag)
        for _ in 0..<Self.depthLimit where descriptor.isIndex {
            let path = try await blob(descriptor)
            descriptor = try choose(try ContainerDocument.read(Index.self, path, descriptor.digest).manifests, nil)
        }
        guard descriptor.isManifest || descriptor.mediaType == nil else { throw unsupported(descriptor) }
        let manifest = try ContainerDocument.read(Manifest.self, try await blob(descriptor), descriptor.digest)
        guard manifest.layers.count <= Self.layerLimit else { throw ProgramFailure(.refused, "\(folder) has too many layers") }
        let configuration = try ContainerDocument.read(
            ContainerConfiguration.self, try await blob(manifest.config), manifest.config.digest)
        var layers: [ContainerLayer] = []
        for layer in manifest.layers {
            guard let type = layer.mediaType, Self.layerTypes.contains(type) else { throw unsupported(layer) }
            layers.append(ContainerLayer(path: try path(layer), title: "the layer \(layer.digest.prefix(19))…", blobDigest: layer.digest))
        }
        return Image(digest: descriptor.digest, configuration: configuration, layers: layers)
    }

    private func unsupported(_ descriptor: Descriptor) -> ProgramFailure {
        ProgramFailure(
            .refused,
            "\(folder) has something of an unsupported media type: \((descriptor.mediaType ?? "none").prefix(80).debugDescription)")
    }

    private func choose(_ descriptors: [Descriptor], _ tag: String?) throws(ProgramFailure) -> Descriptor {
        let fitting = descriptors.filter { ($0.platform?.architecture ?? "amd64") == "amd64" && ($0.platform?.os ?? "linux") == "linux" }
        guard let first = fitting.first else {
            if let tag { throw ProgramFailure(.cannotRead, "\(folder) has no image \(tag)") }
            let others = Set(descriptors.compactMap(\.platform?.architecture)).sorted().joined(separator: ", ")
            throw ProgramFailure(
                .refused,
                others.isEmpty ? "\(folder) has no image" : "\(folder) is built for another processor (\(others)): only x86-64 runs")
        }
        guard fitting.allSatisfy({ $0.digest == first.digest }) else {
            let names = fitting.compactMap(\.name).prefix(8).joined(separator: ", ")
            throw ProgramFailure(
                .usage, "\(folder) has several images; say which with oci:\(folder):NAME\(names.isEmpty ? "" : ", of \(names)")")
        }
        return first
    }

    private func path(_ descriptor: Descriptor) throws(ProgramFailure) -> String {
        "\(folder)/blobs/sha256/\(try Digest.digits(descriptor.digest, folder))"
    }

    /// A small blob's file, checked.
    private func blob(_ descriptor: Descriptor) async throws -> String {
        let path = try path(descriptor)
        try await ContainerLayer(path: path, title: descriptor.digest, blobDigest: descriptor.digest).checkBlob()
        return path
    }
}
