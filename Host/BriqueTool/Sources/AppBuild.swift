import Foundation
import Image

/// Builds one app package into an image, and knows when nothing is to be done.
struct AppBuild {
    let folder: String
    let wantedProduct: String?
    let installation: Installation
    let toolchain: Toolchain
    private let files = FileManager.default

    init(folder: String, product: String?, installation: Installation, toolchain: Toolchain) throws(ToolFailure) {
        let path = URL(filePath: folder).standardizedFileURL.resolvingSymlinksInPath().path
        guard files.fileExists(atPath: path + "/Package.swift") else {
            throw ToolFailure(.cannotOpen, "no Package.swift in \(folder): start an app with `brique new NAME`")
        }
        self.folder = path
        wantedProduct = product
        self.installation = installation
        self.toolchain = toolchain
    }

    var scratch: String { folder + "/.build-brique" }
    private var stampPath: String { scratch + "/" + (wantedProduct ?? "default") + ".stamp" }
    private var toolsetPath: String { scratch + "/toolset.json" }
    private var scriptPath: String { scratch + "/image.ld" }
    private var mapPath: String { scratch + "/link.map" }

    /// What a build leaves in the scratch folder.
    struct Products: Equatable {
        var image: String
        var symbols: String
        var report: String

        init(scratch: String, name: String) {
            image = "\(scratch)/\(name).image"
            symbols = "\(scratch)/\(name).symbols"
            report = "\(scratch)/\(name).json"
        }

        var all: [String] { [image, symbols, report] }
    }

    /// The products, built when anything changed since they were.
    func build() async throws -> Products {
        if let products = upToDate() { return products }
        try makeFolder(scratch)
        let package = try await describe(folder)
        let name = try package.product(named: wantedProduct)
        let roots = try await sourceRoots(of: package)
        // Listed before the build: an edit during it makes the next build start again.
        let stamp = SourceStamp(roots: roots, settings: settings)
        let linked = scratch + "/x86_64-unknown-linux-gnu/release/" + name
        try prepareLink(of: linked)
        try compile(name)
        let products = Products(scratch: scratch, name: name)
        try await finish(linked, name: name, into: products)
        if let stamp { try writeStamp(stamp, name: name, roots: roots, products: products) }
        return products
    }

    // MARK: Stamps

    private var settings: [String] {
        ["brique \(BriqueCommand.version)", toolchain.identity, ProcessInfo.processInfo.environment["BRIQUE_PACKAGE"] ?? ""]
    }

    /// A stamp file: the product's name, how many roots there are, the roots, then the stamps of sources and products.
    private func upToDate() -> Products? {
        guard let text = try? String(contentsOfFile: stampPath, encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 2, let rootCount = Int(lines[1]), rootCount >= 0, rootCount <= lines.count - 2 else { return nil }
        let roots = lines[2..<(2 + rootCount)].map(String.init)
        let products = Products(scratch: scratch, name: String(lines[0]))
        guard let now = SourceStamp(roots: roots + products.all, settings: settings),
            text == stampText(now, name: String(lines[0]), roots: roots)
        else { return nil }
        return products
    }

    private func stampText(_ stamp: SourceStamp, name: String, roots: [String]) -> String {
        ([name, String(roots.count)] + roots).joined(separator: "\n") + "\n" + stamp.text
    }

    private func writeStamp(_ sources: SourceStamp, name: String, roots: [String], products: Products) throws(ToolFailure) {
        guard let now = SourceStamp(roots: roots + products.all, settings: settings),
            let built = SourceStamp(roots: products.all, settings: []),
            now == sources.adding(built)
        else { return }
        try write(Data(stampText(now, name: name, roots: roots).utf8), to: stampPath)
    }

    /// The app, the packages that it depends on by path, and of Brique's own what an image is made of.
    private func sourceRoots(of package: AppPackage) async throws -> [String] {
        var roots = [folder]
        var pending = package.localDependencies
        var seen: Set<String> = [folder]
        while let path = pending.popLast() {
            guard seen.insert(path).inserted else { continue }
            if files.fileExists(atPath: path + "/Tools/Toolchain/guest.json") {
                roots += [path + "/Package.swift", path + "/Bricks"]
            } else {
                roots.append(path)
                pending += try await describe(path).localDependencies
            }
        }
        return roots + [installation.toolchainFolder]
    }

    // MARK: Building

    private func describe(_ path: String) async throws -> AppPackage {
        let answer = try await ToolRun.output(
            of: toolchain.swift, ["package", "--package-path", path, "--scratch-path", scratch, "dump-package"])
        guard answer.isSuccess else {
            StandardError.write(answer.errors)
            throw ToolFailure(.buildFailed, "the manifest \(path)/Package.swift does not compile")
        }
        return try AppPackage(json: Data(answer.text.utf8))
    }

    /// SwiftPM does not watch the linker script or the map: without the one or after a change of the other, link again.
    private func prepareLink(of linked: String) throws(ToolFailure) {
        let script = try read(installation.linkerScript)
        let template = try read(installation.guestToolset)
        let toolset = try Toolset.fill(template: template, with: ["LINKER_SCRIPT": scriptPath, "LINK_MAP": mapPath])
        let isSameScript = files.contents(atPath: scriptPath) == script
        if !isSameScript { try write(script, to: scriptPath) }
        if files.contents(atPath: toolsetPath) != toolset { try write(toolset, to: toolsetPath) }
        let mapOwner = mapPath + ".owner"
        let owner = files.contents(atPath: mapOwner)
        if !isSameScript || !files.fileExists(atPath: mapPath) || owner != Data(linked.utf8) {
            try? files.removeItem(atPath: linked)
        }
        try write(Data(linked.utf8), to: mapOwner)
    }

    /// The manifest leaves out the host's programs and their packages when it sees BRIQUE_GUEST.
    private var environment: [String: String] {
        ProcessInfo.processInfo.environment.merging(["BRIQUE_GUEST": "1"]) { $1 }
    }

    private func compile(_ name: String) throws(ToolFailure) {
        var progress = Progress("building \(name)")
        var lines = LineCollector(lineByteLimit: 16384)
        var log = BuildLog()
        let launch = ChildLaunch(
            path: toolchain.swift,
            arguments: [
                "build", "--package-path", folder, "--triple", "x86_64-unknown-linux-gnu", "--toolset", toolsetPath,
                "-c", "release", "--scratch-path", scratch, "--product", name,
                // A cached plan does not see files that come and go in packages that the app depends on.
                "--disable-build-manifest-caching",
            ],
            environment: environment.map { "\($0)=\($1)" }, collected: [1, 2], withoutInput: true)
        let end = try Supervisor.run(
            launch,
            receive: { bytes in
                for line in lines.lines(adding: bytes) { if let step = log.add(line) { progress.note(step) } }
            },
            tick: { progress.show() })
        if let line = lines.rest() { _ = log.add(line) }
        progress.finish()
        switch end.end {
        case .exited(0): return
        case .exited:
            StandardError.write(log.text)
            throw ToolFailure(.buildFailed, "\(name) does not build")
        case .signalled(let signal): Supervisor.die(of: signal)
        }
    }

    /// Strips the linked file into the image, keeps the whole beside it, and writes the report; each appears at once.
    private func finish(_ linked: String, name: String, into products: Products) async throws {
        let temporary = "\(scratch)/.\(name).\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? files.removeItem(atPath: temporary) }
        let stripped = try await ToolRun.output(
            of: toolchain.require("llvm-objcopy"), ["--strip-all", "--strip-sections", linked, temporary])
        guard stripped.isSuccess else { throw ToolFailure(.internalError, "llvm-objcopy: \(stripped.errors)") }
        let map: LinkMap
        do {
            map = try LinkMap(parsing: String(decoding: try read(mapPath), as: UTF8.self))
        } catch let error as LinkMapError {
            throw ToolFailure(.internalError, "the linker's map cannot be read: \(error)")
        }
        let file = try ImageFile.open(temporary)
        let report = ImageReport(
            name: name, file: file, digest: try await ToolRun.digest(of: temporary),
            bricks: ImageReport.bricks(of: map, imageByteCount: file.bytes.count))
        try write(try read(linked), to: products.symbols)
        try write(file.bytes, to: products.image)
        try write(try report.json(), to: products.report)
    }
}

/// What SwiftPM writes while it builds: steps to show, and everything else to keep for the case that it fails.
struct BuildLog {
    static let byteLimit = 1 << 20
    private(set) var text = ""

    /// Returns the words of a step such as `[3/10] Compiling X`, nil for a line that was kept.
    mutating func add(_ line: String) -> String? {
        if line.hasPrefix("["), let close = line.firstIndex(of: "]"), line[..<close].dropFirst().allSatisfy({ $0.isNumber || $0 == "/" }) {
            return line
        }
        if line.hasPrefix("Building for ") || line.isEmpty { return nil }
        if text.utf8.count + line.utf8.count < Self.byteLimit { text += line + "\n" }
        return nil
    }
}
