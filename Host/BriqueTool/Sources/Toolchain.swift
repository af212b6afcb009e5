import Foundation

/// The Swift toolchain on PATH and the programs beside it.
struct Toolchain {
    /// `swift` as PATH names it.
    var swift: String
    private var folders: [String]

    /// - Throws: when there is no `swift` on PATH.
    init(searchPath: String?) throws(ToolFailure) {
        let path = (searchPath ?? "").split(separator: ":").map(String.init)
        guard let folder = path.first(where: { FileManager.default.isExecutableFile(atPath: $0 + "/swift") }) else {
            throw ToolFailure(.internalError, "no swift on PATH: install a Swift toolchain (https://www.swift.org/install)")
        }
        swift = folder + "/swift"
        let real = URL(filePath: swift).resolvingSymlinksInPath().deletingLastPathComponent().path
        folders = [folder, real] + path
    }

    static func current() throws(ToolFailure) -> Toolchain {
        try Toolchain(searchPath: ProcessInfo.processInfo.environment["PATH"])
    }

    /// A program of the toolchain; one elsewhere on PATH is taken only when the toolchain has none.
    func find(_ name: String) -> String? {
        folders.lazy.map { $0 + "/" + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    func require(_ name: String) throws(ToolFailure) -> String {
        guard let program = find(name) else {
            throw ToolFailure(.internalError, "no \(name) beside \(swift) or on PATH")
        }
        return program
    }

    /// The library that Tools/Toolchain/guest.json links, from the toolchain's usr/lib/swift.
    var embeddedConcurrency: String {
        let real = URL(filePath: swift).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent().path
        return real + "/lib/swift/embedded/x86_64-unknown-linux-gnu/libswift_Concurrency.a"
    }

    /// Changes when another toolchain is installed or selected.
    var identity: String {
        let real = URL(filePath: swift).resolvingSymlinksInPath().path
        return FileStamp(path: real)?.line ?? real
    }
}
