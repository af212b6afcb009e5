import Subprocess
import SystemPackage

/// Makes file systems with mkfs.erofs (Debian's erofs-utils).
public struct EROFSMaker {
    private let program: String

    /// - Parameter searchPath: PATH; the folders of system programs are looked at as well.
    public init(searchPath: String) throws(ProgramFailure) {
        let folders = searchPath.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        guard let folder = folders.first(where: { (try? HostFile.status($0 + "/mkfs.erofs")) != nil }) else {
            throw ProgramFailure(.tool, "no mkfs.erofs on PATH: install Debian's erofs-utils")
        }
        program = folder + "/mkfs.erofs"
    }

    /// The same for every image: a root is known by its digest.
    private static let identifier = "42726971-7565-4c61-9965-720000000001"

    /// Writes a root as a file system: uncompressed, blocks of 4 KiB, no data of regular files between the metadata.
    ///
    /// - Parameter scratch: an empty folder of our own, best on the file system of `target`; what it holds afterwards is nobody's.
    public func make(_ tree: RootTree, scratch: String, target: String) async throws(ProgramFailure) {
        let stage = scratch + "/root"
        var layout = Stage(root: stage)
        try layout.lay(tree)
        let arguments = ["--quiet", "-x-1", "-E", "noinline_data,force-inode-extended", "-T0", "-U", Self.identifier]
        let answer = try await Self.run(program, arguments + [target, stage])
        guard answer.isSuccess else { throw ProgramFailure(.tool, "mkfs.erofs: \(answer.errors)") }
        try EROFSAttributes.apply(tree, to: target)
    }

    struct Answer {
        var isSuccess: Bool
        var output: String
        /// One line.
        var errors: String
    }

    private static let outputLimit = 1 << 20

    static func run(_ program: String, _ arguments: [String], folder: String? = nil) async throws(ProgramFailure) -> Answer {
        do {
            let result = try await Subprocess.run(
                .path(FilePath(program)), arguments: Arguments(arguments),
                environment: .inherit.updating(["LC_ALL": "C"]).updating(["SOURCE_DATE_EPOCH": nil]),
                workingDirectory: folder.map { FilePath($0) }, output: .string(limit: outputLimit), error: .string(limit: outputLimit))
            let line = result.standardError.split(separator: "\n").last.map(String.init) ?? "it failed without a word"
            return Answer(isSuccess: result.terminationStatus.isSuccess, output: result.standardOutput, errors: line)
        } catch {
            throw ProgramFailure(.tool, "cannot run \(program): \(error)")
        }
    }
}
