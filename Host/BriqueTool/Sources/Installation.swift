import Foundation

/// Where the parts of Brique are: a checked-out repository, or below a prefix.
struct Installation {
    /// The package that apps depend on: Package.swift, Bricks, Tools/Toolchain.
    var package: String
    var monitorFolder: String

    /// `BRIQUE_HOME` names a repository; otherwise the folders are those beside the running program.
    init(environment: [String: String], executable: String) throws(ToolFailure) {
        let files = FileManager.default
        if let home = environment["BRIQUE_HOME"], !home.isEmpty {
            package = home
            monitorFolder = home + "/.build-monitor/x86_64-unknown-linux-gnu/release"
        } else {
            let prefix = URL(filePath: executable).resolvingSymlinksInPath().deletingLastPathComponent()
                .deletingLastPathComponent().path
            package = prefix + "/share/brique"
            monitorFolder = prefix + "/libexec/brique"
        }
        guard files.fileExists(atPath: guestToolset) else {
            throw ToolFailure(
                .internalError, "no Brique package at \(package): install with ./dev install, or set BRIQUE_HOME to a repository")
        }
    }

    static func current() throws(ToolFailure) -> Installation {
        try Installation(
            environment: ProcessInfo.processInfo.environment,
            executable: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "")
    }

    func monitor(_ name: String) -> String { "\(monitorFolder)/brique-monitor-\(name)" }

    /// The app that runs Linux programs, and its image where that came with the installation.
    var linuxApp: String { package + "/Apps/linux" }
    var linuxImage: String { monitorFolder + "/linux.image" }

    /// What is known of every system call.
    var callCatalogue: String { package + "/docs/syscalls.md" }

    var toolchainFolder: String { package + "/Tools/Toolchain" }
    var guestToolset: String { toolchainFolder + "/guest.json" }
    var linkerScript: String { toolchainFolder + "/image.ld" }
}
