import ArgumentParser
import Foundation
import ProgramImage

/// Where a Linux program's files come from.
struct ProgramOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A Linux program of this machine, with the libraries it needs.", valueName: "path"))
    var program: String?

    @Option(help: ArgumentHelp("A folder that is the root of a Linux program.", valueName: "dir"))
    var rootfs: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A file or folder for the program's root as well, at the same path or at another one.", valueName: "path[:guestpath]"))
    var include: [String] = []

    var inclusions: [Inclusion] { include.map { Inclusion($0) } }

    /// nil if neither was given.
    func source() throws(ToolFailure) -> ProgramSource? {
        switch (program, rootfs) {
        case (nil, nil): return nil
        case (let program?, nil):
            guard !program.contains("/") else { return .program(Self.absolute(program)) }
            // A name is looked for as a shell does.
            guard case .program(let source) = try Target(program) else {
                throw ToolFailure(.imageRefused, "\(program) is not a Linux program")
            }
            return source
        case (nil, let folder?): return .folder(Self.absolute(folder))
        case (_?, _?): throw ToolFailure(.usage, "--program and --rootfs: one of them")
        }
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}

/// How a Linux program is run; the rest is its image's, see ProgramDefaults.
struct ProgramRunOptions: ParsableArguments {
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("A file or folder of this machine that the program sees at a path of its own.", valueName: "path:guestpath"))
    var file: [String] = []

    @Option(help: ArgumentHelp("The program's working directory.", valueName: "guestpath"))
    var directory: String?

    @Option(
        help: ArgumentHelp("Whom the program believes to run as: a name or number of its root, and a group.", valueName: "user[:group]"))
    var user: String?

    @Flag(help: "Write every system call of the program to standard error.")
    var trace = false

    @Flag(help: "Count the program's system calls, and write the counts at its end.")
    var stats = false

    /// Whether any is given that only a Linux program has a use for.
    var areGiven: Bool { !file.isEmpty || directory != nil || user != nil || trace || stats }
}
