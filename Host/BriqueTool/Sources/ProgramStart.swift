import Foundation
import ProgramImage

/// The words that a Linux program's instance is started with: the image's defaults and what the user says, merged.
struct ProgramStart {
    var arguments: [String]
    var environment: [String]
    /// What messages call the instance.
    let name: String

    /// Variables whose names begin so are the library OS's own.
    static let reservedPrefix = "BRIQUE_"

    /// - Parameter arguments: replace the image's own; nil keeps them.
    /// - Parameter variables: of -e, as `K=V` words.
    init(
        _ defaults: ProgramDefaults, arguments: [String]?, variables: [String], options: ProgramRunOptions, listing: () throws -> RootTree
    ) throws {
        let words = defaults.entrypoint + (arguments ?? defaults.command)
        guard let first = words.first, !first.isEmpty else {
            throw ToolFailure(.usage, "the image names no program: say which after --")
        }
        for variable in variables where variable.hasPrefix(Self.reservedPrefix) {
            throw ToolFailure(.usage, "-e \(variable.prefix { $0 != "=" }): names that begin with \(Self.reservedPrefix) are Brique's own")
        }
        let directory = options.directory ?? defaults.directory
        guard directory.hasPrefix("/") else { throw ToolFailure(.usage, "--directory \(directory): not an absolute path") }
        var user = defaults.user
        if let name = options.user {
            guard let identity = defaults.accounts.identity(name) else {
                throw ToolFailure(.usage, "--user \(name): the program's root has no such user or group")
            }
            user = identity
        }
        var environment = Self.merged(defaults.environment, variables)
        if !environment.contains(where: { $0.hasPrefix("PATH=") }) { environment.append(ProgramDefaults.defaultPath) }
        if !environment.contains(where: { $0.hasPrefix("HOME=") }) {
            environment.append("HOME=" + (defaults.accounts.home(of: user.user) ?? "/"))
        }
        let program: String
        if let known = defaults.program, !defaults.entrypoint.isEmpty {
            program = known
        } else {
            let path = environment.last { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? ""
            program = try Self.find(first, directory: directory, searchPath: String(path), try listing())
        }
        environment += ["BRIQUE_PROGRAM=" + program, "BRIQUE_DIRECTORY=" + directory, "BRIQUE_USER=" + user.text]
        if options.trace { environment.append("BRIQUE_TRACE=1") }
        if options.stats { environment.append("BRIQUE_STATS=1") }
        name = URL(filePath: program).lastPathComponent
        self.arguments = words
        self.environment = environment
    }

    /// `K=V` words, a later one instead of an earlier one of its name.
    static func merged(_ words: [String], _ others: [String]) -> [String] {
        var result: [String] = []
        for word in words + others {
            let name = word.prefix { $0 != "=" } + "="
            result.removeAll { $0.hasPrefix(name) }
            result.append(word)
        }
        return result
    }

    /// Where execvp(3) would find a program in a root.
    static func find(_ word: String, directory: String, searchPath: String, _ tree: RootTree) throws(ToolFailure) -> String {
        func isFile(_ path: String) -> Bool {
            if case .file? = tree.node(at: path)?.content { true } else { false }
        }
        if word.contains("/") {
            let path = word.hasPrefix("/") ? word : directory + "/" + word
            guard isFile(path) else { throw ToolFailure(.cannotOpen, "the program's root has no file \(word)") }
            return path
        }
        for folder in searchPath.split(separator: ":") {
            let path = folder + "/" + word
            if isFile(path) { return String(path) }
        }
        throw ToolFailure(.cannotOpen, "the program's root has no \(word) on its PATH")
    }
}
