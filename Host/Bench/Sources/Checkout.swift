import Foundation

/// A checked-out repository with its tool, monitors and images.
public struct Checkout: Sendable {
    public let root: String
    /// The tool's program.
    public let tool: String

    public init(root: String, tool: String) {
        self.root = root
        self.tool = tool
    }

    public static let apps = ["hello", "tasks", "echo", "crash", "memory", "hostile", "wait", "yield"]

    public func path(_ relative: String) -> String { root + "/" + relative }

    public func image(of app: String) -> String { path("Apps/\(app)/.build-brique/\(app).image") }

    public func monitor(_ name: String) -> String {
        path(".build-monitor/x86_64-unknown-linux-gnu/release/brique-monitor-\(name)")
    }

    /// The tool's command line `arguments`, told where its parts are.
    public func brique(_ arguments: [String], directory: String? = nil, input: String = "") -> Command {
        let environment = ProcessInfo.processInfo.environment.merging(["BRIQUE_HOME": root]) { $1 }
        return Command(tool, arguments, environment: environment, directory: directory ?? root, input: input)
    }

    /// Builds the app's image, and returns its path.
    @discardableResult
    public func build(_ app: String) async throws -> String {
        _ = try await brique(["build", "Apps/\(app)"]).output()
        return image(of: app)
    }

    /// Both monitors, in the scratch folder where the tool looks for them.
    public func buildMonitors() async throws {
        for name in ["kvm", "process"] {
            _ = try await Command(
                "swift",
                [
                    "build", "--package-path", root, "--scratch-path", path(".build-monitor"), "--triple", "x86_64-unknown-linux-gnu",
                    "--toolset", path("Tools/Toolchain/monitor.json"), "-c", "release", "--product", "brique-monitor-\(name)",
                ]
            ).output()
        }
    }
}
