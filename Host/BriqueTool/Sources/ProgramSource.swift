import Foundation
import ProgramImage

/// What a Linux program is taken from.
enum ProgramSource: Equatable {
    case program(String)
    case folder(String)
    /// An OCI image layout (a folder).
    case layout(String)
    /// An archive, as `docker save` and skopeo write it.
    case archive(String)

    /// A short name, for files.
    var name: String {
        let path =
            switch self {
            case .program(let path), .folder(let path), .layout(let path), .archive(let path): path
            }
        let last = URL(filePath: path).standardizedFileURL.lastPathComponent
        guard case .archive = self else { return last }
        for suffix in [".tar.gz", ".tar.zst", ".tgz", ".tar"] where last.hasSuffix(suffix) && last.count > suffix.count {
            return String(last.dropLast(suffix.count))
        }
        return last
    }
}

/// What a word of the command line names.
enum Target: Equatable {
    case package(String)
    case image(String)
    case program(ProgramSource)

    /// - Parameter searchPath: where a word without a slash is looked for, if there is no such file.
    init(_ word: String, searchPath: String = ProcessInfo.processInfo.environment["PATH"] ?? "") throws(ToolFailure) {
        if word.hasPrefix("oci:") {
            self = .program(.layout(String(word.dropFirst(4))))
            return
        }
        if let file = FileStamp(path: word + "/.") ?? FileStamp(path: word) {
            guard !file.isFolder else {
                let isLayout = FileStamp(path: word + "/oci-layout") != nil && FileStamp(path: word + "/index.json") != nil
                self = isLayout ? .program(.layout(word)) : .package(word)
                return
            }
            self = try Self.file(word)
            return
        }
        guard !word.contains("/"), let found = Self.find(word, searchPath) else {
            throw ToolFailure(.cannotOpen, "no such file or directory: \(word)")
        }
        self = try Self.file(found)
    }

    private static func find(_ name: String, _ searchPath: String) -> String? {
        searchPath.split(separator: ":").lazy.map { $0 + "/" + name }.first {
            FileStamp(path: $0)?.isFolder == false && FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    /// By the first bytes: an ELF file with Brique's note, another ELF file, a script, an archive.
    private static func file(_ path: String) throws(ToolFailure) -> Target {
        let start: [UInt8]
        do {
            let handle = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? handle.close() }
            start = [UInt8](try handle.read(upToCount: 4096) ?? Data())
        } catch {
            throw ToolFailure(.cannotOpen, "cannot read \(path): \(error.localizedDescription)")
        }
        let absolute = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        if start.starts(with: Array("#!".utf8)) { return .program(.program(absolute)) }
        if start.starts(with: [0x7f] + Array("ELF".utf8)) {
            // The name of the note, and the zeros that fill it up.
            let hasNote = start.contains(subsequence: Array("Brique\0\0".utf8))
            return hasNote ? .image(path) : .program(.program(absolute))
        }
        let isArchive =
            start.count > 262 && Array(start[257..<262]) == Array("ustar".utf8) || start.starts(with: [0x1f, 0x8b])
            || start.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
        return isArchive ? .program(.archive(path)) : .image(path)
    }
}

extension [UInt8] {
    func contains(subsequence: [UInt8]) -> Bool {
        guard !subsequence.isEmpty, count >= subsequence.count else { return subsequence.isEmpty }
        return (0...count - subsequence.count).contains { self[$0] == subsequence[0] && self[$0...].starts(with: subsequence) }
    }
}

extension ToolFailure {
    init(_ failure: ProgramFailure) {
        let status: ExitStatus =
            switch failure.reason {
            case .usage: .usage
            case .refused: .imageRefused
            case .cannotRead: .cannotOpen
            case .cannotWrite: .cannotWrite
            case .tool: .internalError
            }
        self.init(status, failure.message)
    }
}
