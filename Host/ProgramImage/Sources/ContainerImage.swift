import Foundation
import SystemPackage

/// A container image on this host's disk: an OCI image layout, or an archive as `docker save` and skopeo write it.
public struct ContainerImage {
    private enum Place {
        case layout(String, OCILayout.Image)
        case archive(String)
    }
    private let place: Place
    /// What decides which files are in it.
    public let identity: String

    /// - Parameter layout: a folder, `:TAG` behind it if it holds several images.
    public init(layout: String) async throws {
        var folder = layout
        var tag: String?
        if (try? HostFile.status(folder)) == nil, let colon = folder.lastIndex(of: ":") {
            tag = String(folder[folder.index(after: colon)...])
            folder = String(folder[..<colon])
        }
        let image = try await OCILayout(folder: folder).image(tag: tag)
        place = .layout(layout, image)
        identity = "oci " + image.digest
    }

    public init(archive: String) throws(ProgramFailure) {
        place = .archive(archive)
        do throws(Errno) {
            identity = "archive \(try HostFile.status(archive).stamp) \(archive)"
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(archive): \(error)")
        }
    }

    /// The image's files and how its program is started. The files are in `scratch`, a folder of our own, until the root is made.
    public func root(scratch: String) async throws -> ProgramRoot {
        switch place {
        case .layout(let title, let image):
            return try await Self.root(image.configuration, image.layers, title, scratch)
        case .archive(let path):
            let archive = try await DockerArchive(path, scratch: scratch)
            return try await Self.root(archive.configuration, archive.layers, path, scratch)
        }
    }

    private static func root(
        _ configuration: ContainerConfiguration, _ layers: [ContainerLayer], _ title: String, _ scratch: String
    ) async throws -> ProgramRoot {
        try configuration.check(title)
        let tree = RootTree()
        var skipped = 0
        for (index, layer) in layers.enumerated() {
            let path = try await layer.unpacked(to: "\(scratch)/layer-\(index).tar")
            skipped += try tree.apply(layer: path, title: layer.title)
        }
        tree.addMountPoints()
        var root = ProgramRoot(tree: tree, defaults: try configuration.defaults(title, tree))
        if skipped > 0 { root.notes.append("\(title): \(skipped) devices and pipes are left out") }
        return root
    }
}

/// One layer: a tar archive, perhaps compressed, perhaps inside a larger file.
struct ContainerLayer {
    var path: String
    /// What it is called in a failure.
    var title: String
    /// Digest of the archive when it is not compressed, in hexadecimal.
    var plainDigest: String?
    /// Digest of the file itself, as `sha256:…`.
    var blobDigest: String?

    /// More than any root can have.
    private static let byteLimit = 8 << 30

    /// Where the uncompressed archive is: itself, or a file that is written.
    func unpacked(to target: String) async throws -> String {
        try await checkBlob()
        let start: [UInt8]
        do {
            start = try ReadableFile(path).bytes(at: 0, count: 4)
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(path): \(error)")
        }
        let program: String? =
            if start.starts(with: [0x1f, 0x8b]) { "gzip" } else if start == [0x28, 0xb5, 0x2f, 0xfd] { "zstd" } else { nil }
        var plain = path
        if let program {
            // The shell bounds what may be written, in units of 512 bytes.
            let script = "ulimit -f \(Self.byteLimit / 512) && exec \(program) -dcq <\"$1\" >\"$2\""
            let answer = try await EROFSMaker.run("/bin/sh", ["-c", script, "sh", path, target])
            guard answer.isSuccess else { throw ProgramFailure(.refused, "\(title) cannot be decompressed: \(answer.errors)") }
            plain = target
        }
        if let plainDigest, try await Digest.of(plain) != plainDigest {
            throw ProgramFailure(.refused, "\(title) is damaged: its digest is another one than the image says")
        }
        return plain
    }
}

extension ContainerLayer {
    func checkBlob() async throws {
        guard let blobDigest else { return }
        guard (try? HostFile.status(path)) != nil else { throw ProgramFailure(.refused, "the image is damaged: \(title) is missing") }
        guard try await Digest.of(path) == Digest.digits(blobDigest, title) else {
            throw ProgramFailure(.refused, "the image is damaged: \(title) has another digest than its name")
        }
    }
}

/// SHA-256 by coreutils.
enum Digest {
    static func of(_ path: String) async throws(ProgramFailure) -> String {
        let answer = try await EROFSMaker.run("/usr/bin/sha256sum", ["--binary", "--", path])
        let digest = String(answer.output.prefix(64))
        guard answer.isSuccess, isHexadecimal(digest) else { throw ProgramFailure(.cannotRead, "cannot read \(path): \(answer.errors)") }
        return digest
    }

    static func isHexadecimal(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// The digits of `sha256:…`, the only kind there is here.
    static func digits(_ digest: String, _ title: String) throws(ProgramFailure) -> String {
        let digits = digest.dropFirst(7)
        guard digest.hasPrefix("sha256:"), isHexadecimal(digits) else {
            throw ProgramFailure(.refused, "\(title) has a digest that is none of SHA-256: \(digest.prefix(80).debugDescription)")
        }
        return String(digits)
    }
}
