import TestSupport
import Testing

/// A file imports what its target declares: nothing arrives by way of somebody else's needs.
struct LayerTests {
    /// Modules of the toolchain, which no manifest declares.
    private static let hostModules: Set = ["Foundation", "FoundationNetworking", "Glibc", "Swift", "Synchronization", "Testing"]
    private static let guestModules: Set = ["Swift", "_Builtin_float", "_Concurrency", "_Volatile", "Synchronization"]

    static func imports(of file: SourceFile) -> [(line: Int, module: String)] {
        guard file.isSwift else {
            return file.lines.enumerated().compactMap { index, line in
                line.firstMatch(of: /^\s*#\s*include\s+"([^"]+)\.h"/).map { (index + 1, String($0.1)) }
            }
        }
        return SwiftCode(file.text).lines.enumerated().compactMap { index, line in
            let words = line.split(whereSeparator: { $0.isWhitespace || $0 == "." })
            guard let keyword = words.firstIndex(of: "import") else { return nil }
            let kinds: Set<Substring> = ["struct", "class", "enum", "func", "var", "let", "protocol", "typealias"]
            return words[(keyword + 1)...].first { !kinds.contains($0) }.map { (index + 1, String($0)) }
        }
    }

    static func findings(in files: [SourceFile], targets: [Manifest.Target]) -> [Finding] {
        targets.flatMap { target -> [Finding] in
            guard let folder = target.path else { return [Finding("Package.swift", "\(target.name) has no path")] }
            let own = files.filter { $0.path.hasPrefix(folder + "/") && ($0.isSwift || $0.isC || $0.isAssembly) }
            let ownHeaders = Set(own.filter { $0.path.hasSuffix(".h") }.map { String($0.name.dropLast(2)) })
            let onHost = target.type == "test" || ["Host/", "Simulation/", "Tests/"].contains { folder.hasPrefix($0) }
            let declared = target.needs.union(ownHeaders).union(publicHeaders(of: target.needs, files, targets)).union([target.name])
            return own.flatMap { file in
                // What a guest's brick keeps for its tests on the host is never in an image.
                let allowed = declared.union(onHost || file.text.hasPrefix("#if !hasFeature(Embedded)") ? hostModules : guestModules)
                return imports(of: file).filter { !allowed.contains($0.module) }.map {
                    Finding(file.path, line: $0.line, "imports \($0.module), which \(target.name) does not need in Package.swift")
                }
            }
        }
    }

    /// What C and assembly may include: the public headers of what the target needs.
    private static func publicHeaders(of needs: Set<String>, _ files: [SourceFile], _ targets: [Manifest.Target]) -> Set<String> {
        let folders = targets.filter { needs.contains($0.name) }.compactMap { $0.path.map { $0 + "/include/" } }
        return Set(
            files.filter { file in file.path.hasSuffix(".h") && folders.contains { file.path.hasPrefix($0) } }
                .map { String($0.name.dropLast(2)) })
    }

    @Test func `imports are declared needs`() async throws {
        let manifest = try await Manifest.load()
        expectNone(Self.findings(in: try Repository.files(), targets: manifest.targets))
    }

    @Test func `every brick and program of the tree is in the manifest`() async throws {
        let declared = Set(try await Manifest.load().targets.compactMap(\.path))
        for folder in DocumentTests.brickFolders(in: try Repository.files()) {
            #expect(declared.contains(folder + "/Sources"), "\(folder) is not a target of Package.swift")
        }
    }

    @Test func `an app imports what its package lists`() throws {
        let files = try Repository.files()
        for package in files where package.path.hasPrefix("Apps/") && package.name == "Package.swift" {
            let folder = package.path.dropLast("Package.swift".count)
            let products = package.text.matches(of: /\.(?:product|target)\(name: "(\w+)"/).map { String($0.1) }
            for file in files where file.path.hasPrefix(folder) && file.path.contains("/Sources/") && file.isSwift {
                expectNone(
                    Self.imports(of: file).filter { !products.contains($0.module) && !Self.guestModules.contains($0.module) }
                        .map { Finding(file.path, line: $0.line, "imports \($0.module), which is not in \(package.path)") })
            }
        }
    }

    @Test(arguments: ["import Alpha", "@testable import Alpha", "internal import Alpha", "@_implementationOnly import struct Alpha.Type"])
    func `an undeclared import is found`(line: String) {
        let target = Manifest.Target(name: "Beta", type: "regular", path: "Bricks/Base/Beta/Sources", dependencies: [])
        let file = SourceFile(path: "Bricks/Base/Beta/Sources/B.swift", text: "// import Gamma\n\(line)\n")
        #expect(Self.findings(in: [file], targets: [target]).map(\.line) == [2])
    }

    @Test func `an undeclared header is found, an own one is not`() {
        let target = Manifest.Target(name: "Beta", type: "regular", path: "B/Sources", dependencies: [])
        let header = SourceFile(path: "B/Sources/include/Beta.h", text: "")
        let file = SourceFile(path: "B/Sources/b.c", text: "#include \"Beta.h\"\n#include <stdint.h>\n#include \"Alpha.h\"\n")
        #expect(Self.findings(in: [header, file], targets: [target]).map(\.line) == [3])
    }
}
