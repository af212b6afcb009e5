import Foundation
import Image
import ProgramImage

/// Which system calls a program's code makes that the catalogue has not, or always refuses.
struct SystemCallReport: Encodable {
    /// A call and the files whose code makes it.
    struct Lacking: Encodable, Equatable {
        var call: String
        var files: [String]
        /// Files that link the C library's function of this name.
        var linkedBy: [String]
    }

    /// What was found in one file.
    struct Finding {
        var path: String
        var numbers: Set<Int>
        /// Of what it links dynamically.
        var names: Set<String>

        var isCLibrary: Bool {
            let name = path.split(separator: "/").last ?? ""
            return name.hasPrefix("libc.") || name.hasPrefix("ld-") || name.hasPrefix("libc-")
        }
    }

    /// Different calls in all code.
    var foundCount: Int
    var lacking: [Lacking]

    /// - Parameter catalogue: the text of docs/syscalls.md.
    init(catalogue: String, findings: [Finding]) {
        let present = Self.names(in: catalogue)
        let numbers = findings.reduce(into: Set<Int>()) { $0.formUnion($1.numbers) }
        let calls = numbers.sorted().compactMap { number in SystemCallName.name(of: UInt64(number)).map { (number, $0) } }
        foundCount = calls.count
        // A libc that is linked statically makes its calls itself.
        let others = findings.filter { !$0.isCLibrary }
        lacking = calls.filter { !present.contains($0.1) }.map { number, name in
            Lacking(
                call: name, files: others.filter { $0.numbers.contains(number) }.map(\.path).sorted(),
                linkedBy: others.filter { $0.names.contains(name) }.map(\.path).sorted())
        }
    }

    /// The names in the first column of a table's rows whose second column is not a refusal.
    static func names(in catalogue: String) -> Set<String> {
        var names: Set<String> = []
        for line in catalogue.split(separator: "\n") where line.hasPrefix("|") {
            let cells = line.split(separator: "|").map { $0.filter { $0 != "`" }.trimmingCharacters(in: .whitespaces) }
            guard cells.count > 1, !cells[1].hasPrefix("refused") else { continue }
            names.formUnion(cells[0].split { $0 == "," || $0 == " " }.map(String.init))
        }
        return names
    }

    /// For people: a line for each call that a file makes or links; the rest are the C library's, and need not be used.
    var text: String {
        var lines = ["calls         \(foundCount) in the code, \(lacking.count) of them lacking"]
        for call in lacking {
            let files = call.files + call.linkedBy.filter { !call.files.contains($0) }
            if !files.isEmpty { lines.append("lacking       \(call.call): \(files.joined(separator: ", "))") }
        }
        let rest = lacking.filter { $0.files.isEmpty && $0.linkedBy.isEmpty }
        if !rest.isEmpty { lines.append("unused        in the C library alone: \(rest.map(\.call).joined(separator: ", "))") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Scans the programs and libraries of an image; nil: there is no catalogue here.
    static func make(image: String, installation: Installation, listing: ImageListing) async throws -> SystemCallReport? {
        guard let catalogue = try? String(contentsOfFile: installation.callCatalogue, encoding: .utf8),
            let root = try ImageFile.open(image).layout.root
        else { return nil }
        var progress = Progress("reading the code")
        defer { progress.finish() }
        do throws(ProgramFailure) {
            let environment = ProcessInfo.processInfo.environment
            let scratch = try ImageCache(environment: environment).makeScratch()
            defer { ImageCache.remove(scratch) }
            let folder = try await RootExtraction.extract(
                image, offset: root.fileOffset, byteCount: root.byteCount, to: scratch, searchPath: environment["PATH"] ?? "")
            var findings: [Finding] = []
            for entry in listing.entries where entry.kind == .regular && (entry.permissions & 0o111 != 0 || entry.path.contains(".so")) {
                progress.show()
                guard let scan = SystemCallScan(path: folder + entry.path) else { continue }
                findings.append(Finding(path: entry.path, numbers: scan.numbers, names: scan.names))
            }
            return SystemCallReport(catalogue: catalogue, findings: findings)
        } catch {
            throw ToolFailure(error)
        }
    }
}
