import Foundation
import Image
import ProgramImage
import Subprocess
import SystemPackage

/// Makes the image of a Linux program, or finds the one made earlier.
struct ProgramBuild {
    let source: ProgramSource
    let inclusions: [Inclusion]
    let installation: Installation
    private let environment = ProcessInfo.processInfo.environment

    init(_ source: ProgramSource, _ inclusions: [Inclusion], _ installation: Installation) {
        self.source = source
        self.inclusions = inclusions
        self.installation = installation
    }

    /// The image in the cache.
    func image() async throws -> String {
        do {
            let cache = try ImageCache(environment: environment)
            let kernel = try await kernel()
            switch source {
            case .program, .folder:
                let root = try collect()
                let build = ProgramImageBuild(root: root, kernel: kernel)
                return try await cached(cache, try build.fingerprint(kernelStamp: Self.stamp(kernel)), kernel) { scratch, target in
                    try await write(build, scratch, target)
                }
            case .layout(let folder):
                let layout = try await ContainerImage(layout: folder)
                return try await image(of: layout, cache, kernel)
            case .archive(let path):
                return try await image(of: try ContainerImage(archive: path), cache, kernel)
            }
        } catch let failure as ProgramFailure {
            throw ToolFailure(failure)
        }
    }

    private func image(of container: ContainerImage, _ cache: ImageCache, _ kernel: String) async throws -> String {
        let key = [container.identity, Self.stamp(kernel), inclusions.map { "\($0.place):\($0.path ?? "")" }.joined(separator: "\0")]
        return try await cached(cache, key.joined(separator: "\n"), kernel) { scratch, target in
            var root = try await container.root(scratch: scratch)
            try root.include(inclusions)
            try await write(ProgramImageBuild(root: root, kernel: kernel), scratch, target)
        }
    }

    private func write(_ build: ProgramImageBuild, _ scratch: String, _ target: String) async throws {
        for note in build.root.notes { StandardError.line(note) }
        var progress = Progress("making the image of \(build.root.defaults.source)")
        defer { progress.finish() }
        try await build.write(to: target, scratch: scratch, maker: try EROFSMaker(searchPath: environment["PATH"] ?? ""))
    }

    private func collect() throws(ProgramFailure) -> ProgramRoot {
        switch source {
        case .program(let path):
            return try ProgramRoot(program: path, inclusions: inclusions, searchPath: environment["PATH"] ?? "")
        case .folder(let path): return try ProgramRoot(folder: path, inclusions: inclusions)
        case .layout, .archive: preconditionFailure()
        }
    }

    private func cached(
        _ cache: ImageCache, _ text: String, _ kernel: String, make: (_ scratch: String, _ target: String) async throws -> Void
    ) async throws -> String {
        let key = try await ToolRun.digest(ofText: text)
        let path = try await cache.image(for: key, make: make)
        // The kernel's names, for backtraces.
        let symbols = String(path.dropLast(6)) + ".symbols"
        let own = (kernel.hasSuffix(".image") ? String(kernel.dropLast(6)) : kernel) + ".symbols"
        if FileStamp(path: symbols) == nil, FileStamp(path: own) != nil {
            try? FileManager.default.removeItem(atPath: symbols)
            try? FileManager.default.createSymbolicLink(atPath: symbols, withDestinationPath: own)
        }
        return path
    }

    /// A copy of an image of the cache, which appears at once, with the kernel's names beside it.
    static func copy(_ image: String, to target: String) throws(ToolFailure) {
        let temporary = target + ".\(ProcessInfo.processInfo.processIdentifier)"
        let files = FileManager.default
        do {
            try? files.removeItem(atPath: temporary)
            try files.copyItem(atPath: image, toPath: temporary)
            try ImageCache.replace(target, with: temporary)
            let symbols = String(image.dropLast(6)) + ".symbols"
            if target.hasSuffix(".image"), files.fileExists(atPath: symbols) {
                let own = String(target.dropLast(6)) + ".symbols"
                try? files.removeItem(atPath: own)
                try files.copyItem(at: URL(filePath: symbols).resolvingSymlinksInPath(), to: URL(filePath: own))
            }
        } catch let failure as ProgramFailure {
            try? files.removeItem(atPath: temporary)
            throw ToolFailure(failure)
        } catch {
            try? files.removeItem(atPath: temporary)
            throw ToolFailure(.cannotWrite, "cannot write \(target): \(error.localizedDescription)")
        }
    }

    private static func stamp(_ path: String) -> String { FileStamp(path: path)?.line ?? path }

    /// The image that runs programs: what BRIQUE_LINUX names, one that came with the installation, or the app `linux` built now.
    private func kernel() async throws -> String {
        if let path = environment["BRIQUE_LINUX"], !path.isEmpty { return path }
        if FileStamp(path: installation.linuxImage) != nil { return installation.linuxImage }
        guard FileStamp(path: installation.linuxApp + "/Package.swift") != nil else {
            throw ToolFailure(.internalError, "this installation cannot run Linux programs: there is no \(installation.linuxImage)")
        }
        let build = try AppBuild(folder: installation.linuxApp, product: nil, installation: installation, toolchain: try .current())
        return try await build.build().image
    }
}

extension ToolRun {
    /// The digest of a text, in hexadecimal.
    static func digest(ofText text: String) async throws -> String {
        let result = try await run(.path(FilePath(digestProgram)), input: .string(text), output: .string(limit: 256), error: .discarded)
        let digest = String(result.standardOutput.prefix(64))
        guard result.terminationStatus.isSuccess, digest.count == 64, digest.allSatisfy(\.isHexDigit) else {
            throw ToolFailure(.internalError, "cannot run \(digestProgram)")
        }
        return digest
    }
}
