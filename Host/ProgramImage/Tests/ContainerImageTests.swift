import Foundation
@testable import ProgramImage
import Testing

/// Builds images of containers piece by piece; a test breaks one of them.
private struct Sample {
    var layer = TarSample()
    var architecture = "amd64"
    var configuration = #"{"Entrypoint":["/bin/app"],"Cmd":["-x"],"Env":["PATH=/bin","A=b=c"],"User":"app","WorkingDir":"srv"}"#
    var layerType = "application/vnd.oci.image.layer.v1.tar"
    var compressor: String?

    init() {
        layer.add("etc/passwd", content: Array("root:x:0:0::/root:\napp:x:7:8::/srv/app:\n".utf8))
        layer.add("bin/app", content: Array("app".utf8), permissions: 0o755)
    }

    private func digest(_ bytes: [UInt8], _ folder: String) async throws -> String {
        let path = folder + "/digest-\(UUID())"
        try Data(bytes).write(to: URL(filePath: path))
        return try await Digest.of(path)
    }

    private func config(_ folder: String) async throws -> String {
        let diff = try await digest(layer.archive, folder)
        return """
            {"architecture":"\(architecture)","os":"linux","config":\(configuration),
             "rootfs":{"type":"layers","diff_ids":["sha256:\(diff)"]}}
            """
    }

    /// Writes a layout and returns the digests of its manifest, configuration and layer.
    func layout(in folder: String, platform: String = "") async throws -> [String] {
        let blobs = folder + "/blobs/sha256"
        try FileManager.default.createDirectory(atPath: blobs, withIntermediateDirectories: true)
        func add(_ bytes: [UInt8]) async throws -> String {
            let name = try await digest(bytes, folder)
            try Data(bytes).write(to: URL(filePath: blobs + "/" + name))
            return name
        }
        var bytes = layer.archive
        if let compressor {
            let path = folder + "/plain"
            try Data(bytes).write(to: URL(filePath: path))
            _ = try await EROFSMaker.run("/bin/sh", ["-c", "\(compressor) -c <\(path) >\(path).packed"])
            bytes = [UInt8](try Data(contentsOf: URL(filePath: path + ".packed")))
        }
        let layer = try await add(bytes)
        let config = try await add(Array(try await config(folder).utf8))
        let manifest = try await add(
            Array(
                """
                {"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:\(config)","size":1},
                 "layers":[{"mediaType":"\(layerType)","digest":"sha256:\(layer)","size":1}]}
                """.utf8))
        try Data(#"{"imageLayoutVersion":"1.0.0"}"#.utf8).write(to: URL(filePath: folder + "/oci-layout"))
        try index(folder, [(manifest, "one", platform)])
        return [manifest, config, layer]
    }

    func index(_ folder: String, _ manifests: [(digest: String, name: String, platform: String)]) throws {
        let list = manifests.map { manifest in
            let platform = manifest.platform.isEmpty ? "" : #","platform":{"architecture":"\#(manifest.platform)","os":"linux"}"#
            return #"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:\#(manifest.digest)","size":1"#
                + #","annotations":{"org.opencontainers.image.ref.name":"\#(manifest.name)"}\#(platform)}"#
        }
        try Data("{\"manifests\":[\(list.joined(separator: ","))]}".utf8).write(to: URL(filePath: folder + "/index.json"))
    }

    func archive(_ folder: String) async throws -> String {
        var tar = TarSample()
        tar.add("layer.tar", content: layer.archive)
        tar.add("config.json", content: Array(try await config(folder).utf8))
        tar.add("manifest.json", content: Array(#"[{"Config":"config.json","RepoTags":["a:b"],"Layers":["layer.tar"]}]"#.utf8))
        let path = folder + "/archive.tar"
        try Data(tar.archive).write(to: URL(filePath: path))
        return path
    }
}

private func root(layout: String) async throws -> ProgramRoot {
    try await ContainerImage(layout: layout).root(scratch: layout)
}

private func check(_ root: ProgramRoot) {
    #expect(outline(root.tree).filter { !$0.hasSuffix("/") } == ["/bin/app", "/etc/passwd"])
    let defaults = root.defaults
    #expect(defaults.entrypoint == ["/bin/app"] && defaults.command == ["-x"] && defaults.environment == ["PATH=/bin", "A=b=c"])
    #expect(defaults.directory == "/srv" && defaults.user == UserIdentity(user: 7, group: 8))
    #expect(defaults.accounts.home(of: 7) == "/srv/app")
}

@Test(arguments: ["", "gzip", "zstd"]) func `a layout gives its files and its defaults`(compressor: String) async throws {
    let folder = try TemporaryFolder()
    var sample = Sample()
    if !compressor.isEmpty { sample.compressor = compressor }
    sample.layerType += compressor.isEmpty ? "" : "+" + compressor
    _ = try await sample.layout(in: folder.path)
    check(try await root(layout: folder.path))
}

@Test func `an archive gives the same`() async throws {
    let folder = try TemporaryFolder()
    let path = try await Sample().archive(folder.path)
    check(try await ContainerImage(archive: path).root(scratch: folder.path))
}

@Test func `damaged, missing and unknown parts of a layout are refused in one line`() async throws {
    func refused(
        _ change: (inout Sample) -> Void = { _ in }, platform: String = "", damage: (String, [String]) throws -> Void = { _, _ in }
    ) async throws -> String? {
        let folder = try TemporaryFolder()
        var sample = Sample()
        change(&sample)
        let digests = try await sample.layout(in: folder.path, platform: platform)
        try damage(folder.path, digests)
        let path = folder.path
        let found = await failure { _ = try await root(layout: path) }
        if let found { #expect(found.reason == .refused, "\(found)") }
        return found?.message.replacing(path, with: "X")
    }
    #expect(try await refused() == nil)
    for index in 0..<3 {
        let missing = try await refused(damage: { folder, digests in
            try FileManager.default.removeItem(atPath: "\(folder)/blobs/sha256/\(digests[index])")
        })
        #expect(missing?.hasSuffix("is missing") == true)
        let other = try await refused(damage: { folder, digests in
            let handle = try FileHandle(forWritingTo: URL(filePath: "\(folder)/blobs/sha256/\(digests[index])"))
            try handle.write(contentsOf: Data(" ".utf8))
            try handle.close()
        })
        #expect(other?.contains("another digest") == true)
    }
    #expect(try await refused { $0.layerType = "application/x-unknown" }?.contains("unsupported media type") == true)
    #expect(try await refused { $0.architecture = "arm64" }?.contains("another processor") == true)
    #expect(try await refused(platform: "arm64") == "X is built for another processor (arm64): only x86-64 runs")
    #expect(try await refused { $0.configuration = #"{"User":"nobody"}"# }?.contains("nobody") == true)
    #expect(try await refused { $0.configuration = #"{"Env":["BRIQUE_IP=1"]}"# }?.contains("BRIQUE_IP") == true)
    #expect(try await refused { $0.configuration = #"{"Env":["A"]}"# } != nil)
    #expect(try await refused { $0.configuration = #"{"Cmd":"text"}"# } != nil)
    #expect(try await refused { $0.layer.add("../out") }?.contains("leads out of the root") == true)
    for text in [
        "", "[]", "{", #"{"manifests":[]}"#, #"{"manifests":[{"digest":"sha256:../../x"}]}"#, #"{"manifests":[{"digest":"md5:1"}]}"#,
    ] {
        let answer = try await refused(damage: { folder, _ in try Data(text.utf8).write(to: URL(filePath: folder + "/index.json")) })
        #expect(answer != nil, "\(text)")
    }
    #expect(
        try await refused(damage: { folder, _ in
            try Data(#"{"imageLayoutVersion":"2"}"#.utf8).write(to: URL(filePath: folder + "/oci-layout"))
        })
            != nil)
}

@Test func `of several images one is named`() async throws {
    let folder = try TemporaryFolder()
    var sample = Sample()
    let first = try await sample.layout(in: folder.path)[0]
    sample.configuration = #"{"Cmd":["second"]}"#
    let second = try await sample.layout(in: folder.path)[0]
    try sample.index(folder.path, [(first, "one", ""), (second, "two", "amd64"), (second, "foreign", "arm64")])
    let path = folder.path
    #expect(await failure { _ = try await root(layout: path) }?.reason == .usage)
    #expect(try await ContainerImage(layout: path + ":two").root(scratch: path).defaults.command == ["second"])
    #expect(try await ContainerImage(layout: path + ":one").identity != ContainerImage(layout: path + ":two").identity)
    #expect(await failure { _ = try await ContainerImage(layout: path + ":three") }?.reason == .cannotRead)
}

@Test func `archives that are none, or damaged, are refused`() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    func refused(_ bytes: [UInt8]) async throws -> Bool {
        let scratch = try TemporaryFolder()
        let place = scratch.path
        try Data(bytes).write(to: URL(filePath: place + "/bad.tar"))
        return await failure { _ = try await ContainerImage(archive: place + "/bad.tar").root(scratch: place) }?.reason == .refused
    }
    let good = [UInt8](try Data(contentsOf: URL(filePath: try await Sample().archive(path))))
    #expect(try await !refused(good))
    #expect(try await refused([]))
    #expect(try await refused([0x1f, 0x8b, 8, 0, 1, 2, 3]))
    #expect(try await refused(Array(good.prefix(1000))))
    // A byte of the layer's content: its digest is another one.
    var changed = good
    changed[512 + 512] ^= 1
    #expect(try await refused(changed))
    var empty = TarSample()
    empty.add("x")
    #expect(try await refused(empty.archive))
    for manifest in ["[]", "{}", #"[{"Config":"../config.json","Layers":[]}]"#, #"[{"Config":"none","Layers":["none"]}]"#] {
        var tar = TarSample()
        tar.add("manifest.json", content: Array(manifest.utf8))
        #expect(try await refused(tar.archive), "\(manifest)")
    }
    #expect(await failure { _ = try ContainerImage(archive: path + "/none") }?.reason == .cannotRead)
}
