import Bench
import Foundation
import Testing

/// The tool as `swift test` built it, with monitors and images built once for all tests.
public enum Machine {
    public static let checkout = Checkout(root: Repository.root, tool: toolPath)

    /// The tool stands beside the test program: SwiftPM builds both into one folder.
    private static var toolPath: String {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: program).deletingLastPathComponent().appending(path: "brique").path
    }

    /// The monitors that are here, in the order of `Monitor.tested`.
    public static let monitors = Monitor.tested.filter(\.isPresent)

    private static let builder = Builder()
    private static let gate = Gate(width: max(2, ProcessInfo.processInfo.activeProcessorCount))

    /// The app's image, built at the first call.
    public static func image(_ app: String) async throws -> String { try await builder.image(app) }

    /// Runs the app's image by the tool under `monitor`.
    public static func run(
        _ app: String, on monitor: Monitor, arguments: [String] = [], environment: [String: String] = [:], memory: String = "16M",
        input: String = ""
    ) async throws -> Command.Answer {
        let image = try await image(app)
        return try await run(image: image, on: monitor, arguments: arguments, environment: environment, memory: memory, input: input)
    }

    public static func run(
        image: String, on monitor: Monitor, arguments: [String] = [], environment: [String: String] = [:], memory: String = "16M",
        input: String = ""
    ) async throws -> Command.Answer {
        try await builder.ready()
        let variables = environment.sorted { $0.key < $1.key }.flatMap { ["-e", "\($0.key)=\($0.value)"] }
        let words = ["run"] + monitor.options + ["--memory", memory] + variables + [image, "--"] + arguments
        return try await gate.through { try await checkout.brique(words, input: input).run() }
    }

    /// Runs a Linux program of this machine by the tool under `monitor`; `options` are more of the tool's.
    public static func runProgram(
        _ program: String, on monitor: Monitor, options: [String] = [], arguments: [String] = [], memory: String = "256M",
        seconds: Int = 90
    ) async throws -> Command.Answer {
        _ = try await image("linux")
        try await builder.ready()
        let words = ["run"] + monitor.options + ["--memory", memory] + options + ["--program", program, "--"] + arguments
        return try await gate.through { try await checkout.brique(words).limited(toSeconds: seconds).run() }
    }

    /// Our monitors stand ready in their scratch folder.
    public static func buildMonitors() async throws { try await builder.ready() }
}

/// Builds one thing at a time: the images share the bricks, and two processors are soon busy.
private actor Builder {
    private var last: Task<Void, any Error>?
    private var images: [String: Task<String, any Error>] = [:]
    private var monitors: Task<Void, any Error>?

    func ready() async throws {
        if monitors == nil { monitors = Task { try await Machine.checkout.buildMonitors() } }
        try await monitors?.value
    }

    func image(_ app: String) async throws -> String {
        if let task = images[app] { return try await task.value }
        let before = last
        let task = Task {
            // A build that failed is its own test's failure, not the next one's.
            try? await before?.value
            return try await Machine.checkout.build(app)
        }
        images[app] = task
        last = Task { _ = try await task.value }
        return try await task.value
    }
}

/// Lets a few through at once: as many instances as processors, or all would be slow together.
private actor Gate {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(width: Int) { free = width }

    func through<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        await enter()
        defer { leave() }
        return try await body()
    }

    private func enter() async {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    }

    private func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// A folder that is gone when the test is over.
public struct TemporaryFolder: ~Copyable {
    public let path: String

    public init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "brique-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Processes of this machine, as proc(5) shows them.
public enum Processes {
    /// Those whose command line names `text`.
    public static func naming(_ text: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { pid in
            guard let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
            return String(decoding: line, as: UTF8.self).contains(text)
        }
    }

    /// The field of /proc/PID/status; nil when the process is gone.
    public static func status(_ field: String, of pid: Int32) -> String? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return nil }
        return text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
            .map { $0.dropFirst(field.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    /// Runs and is not a zombie.
    public static func isAlive(_ pid: Int32) -> Bool { status("State", of: pid).map { !$0.hasPrefix("Z") } ?? false }

    /// Polls until `condition` holds; false when it did not within `seconds`.
    public static func wait(seconds: Double, until condition: () throws -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
        while ContinuousClock.now < deadline {
            if try condition() { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return try condition()
    }
}
