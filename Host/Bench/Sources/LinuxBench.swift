import Foundation

/// `bench linux`: unmodified Linux programs in instances beside the same files on this Linux, on the same core, in turn.
public struct LinuxBench {
    public struct Options: Sendable {
        public var rounds: Int
        /// Of one run of a load generator.
        public var seconds: Int
        /// Which parts; empty: all.
        public var parts: Set<Part> = []
        public var progress: @Sendable (String) -> Void

        public init(rounds: Int, seconds: Int, parts: Set<Part> = [], progress: @escaping @Sendable (String) -> Void = { _ in }) {
            (self.rounds, self.seconds, self.parts, self.progress) = (rounds, seconds, parts, progress)
        }
    }

    public enum Part: String, CaseIterable, Sendable {
        case calls, start, redis, nginx, memory, size
    }

    let checkout: Checkout
    let options: Options
    let folder: String
    let monitors: [Monitor]
    var report: Report

    /// Servers and what is measured have one core, those who ask the other.
    static let serverCore = ["taskset", "-c", "1"], clientCore = ["taskset", "-c", "0"]

    /// What is missing here is named in the report, not measured.
    public static func run(checkout: Checkout, options: Options) async throws -> Report {
        let folder = NSTemporaryDirectory() + "brique-linux-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var bench = LinuxBench(
            checkout: checkout, options: options, folder: folder, monitors: [.process, .kvm].filter(\.isPresent),
            report: Report(machine: try StartBench.machine(), load: StartBench.load(), rounds: options.rounds))
        for monitor in [Monitor.process, .kvm] { bench.report.absent[monitor.rawValue] = monitor.reasonAgainst }
        guard ProcessInfo.processInfo.activeProcessorCount > 1, Command.find("taskset") != nil else {
            bench.report.absent["linux"] = "two processors and taskset are needed"
            return bench.report
        }
        try await bench.measure()
        return bench.report
    }

    private mutating func measure() async throws {
        options.progress("building the image of Linux programs")
        try await checkout.build("linux")
        try await checkout.buildMonitors()
        for name in ["calls", "answer"] {
            let source = checkout.path("Host/Bench/Programs/\(name).c")
            let words = ["-O2", "-D_GNU_SOURCE", "-pthread", "-static", "-fuse-ld=lld", source, "-o", "\(folder)/\(name)"]
            _ = try await Command("clang", words).output()
        }
        try await attempt(.calls) { bench in try await bench.measureCalls() }
        try await attempt(.start) { bench in try await bench.measureStarts() }
        try await attempt(.redis) { bench in try await bench.measureRedis() }
        try await attempt(.nginx) { bench in try await bench.measureNginx() }
        try await attempt(.memory) { bench in try await bench.measureMemory() }
        try await attempt(.size) { bench in try await bench.measureAddedBytes() }
    }

    /// One part that fails leaves the others.
    private mutating func attempt(_ part: Part, _ body: (inout LinuxBench) async throws -> Void) async throws {
        guard options.parts.isEmpty || options.parts.contains(part) else { return }
        do { try await body(&self) } catch { report.absent[part.rawValue] = String("\(error)".prefix(300)).replacing("\n", with: " ") }
    }

    // MARK: Programs

    /// The tool's words for a Linux program under `monitor`.
    func words(_ monitor: Monitor, _ program: String, _ options: [String] = [], _ arguments: [String] = []) -> [String] {
        [checkout.tool, "run"] + monitor.options + options + ["--program", program, "--"] + arguments
    }

    var environment: [String: String] { ProcessInfo.processInfo.environment.merging(["BRIQUE_HOME": checkout.root]) { $1 } }

    func output(_ words: [String], seconds: Int = 120) async throws -> String {
        let command = Command(words[0], Array(words.dropFirst()), environment: environment, directory: folder)
        return try await command.limited(toSeconds: seconds).output()
    }

    /// nil, and a line in the report, if a program is not installed.
    mutating func find(_ name: String) -> String? {
        // What a version manager puts into the path under a program's name is a script.
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init) + ["/usr/sbin"]
        let path = folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) && Self.isELF($0) }
        if path == nil { report.absent[name] = "not installed" }
        return path
    }

    private static func isELF(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        return (try? file.read(upToCount: 4)) == Data([0x7f] + "ELF".utf8)
    }

    // MARK: Figures

    mutating func add(_ key: String, _ title: String, _ value: Double, _ unit: String) {
        report.figures.append(.init(key: key, title: title, value: value, unit: unit))
    }

    /// A figure of each and the ratio round by round, with its limit.
    mutating func addRatio(
        _ key: String, _ title: String, _ unit: String, native: Readings, here: Readings, monitor: Monitor, limit: Limit?
    ) {
        var ratios = Readings()
        for (one, other) in zip(here.inOrder, native.inOrder) where other > 0 { ratios.add(one / other) }
        if let value = here.median { add("\(key)-\(monitor.rawValue)", "\(title), \(monitor.title)", value, unit) }
        let ratio = "\(title) / Linux, \(monitor.title)"
        if let limit {
            report.targets.append(limit.target(ratio, ratios))
        } else if let value = ratios.median {
            add("\(key)-\(monitor.rawValue)-ratio", ratio, value, "x")
        }
    }

    mutating func addNative(_ key: String, _ title: String, _ unit: String, _ series: Readings) {
        if let value = series.median { add("\(key)-linux", "\(title), Linux", value, unit) }
    }

    /// What a figure must reach.
    enum Limit {
        case atMost(Double, String), atLeast(Double, String)

        /// The median decides; the least and the most are beside it.
        func target(_ title: String, _ series: Readings) -> Report.Target {
            guard let spread = series.spread else {
                return .init(title: title, limit: words, measured: "-", isReached: nil)
            }
            let measured = "\(Report.number(spread.median))\(unit) [\(Report.number(spread.minimum)), \(Report.number(spread.maximum))]"
            return .init(title: title, limit: words, measured: measured, isReached: isReached(spread.median))
        }

        private var unit: String {
            switch self {
            case .atMost(_, let unit), .atLeast(_, let unit): unit
            }
        }

        private var words: String {
            switch self {
            case .atMost(let limit, let unit): "<= \(Report.number(limit))\(unit)"
            case .atLeast(let limit, let unit): ">= \(Report.number(limit))\(unit)"
            }
        }

        private func isReached(_ value: Double) -> Bool {
            switch self {
            case .atMost(let limit, _): value <= limit
            case .atLeast(let limit, _): value >= limit
            }
        }
    }
}

/// What was measured, a round each, in the order of the rounds.
struct Readings {
    private(set) var inOrder: [Double] = []

    init(_ values: [Double] = []) { inOrder = values }

    mutating func add(_ value: Double) { inOrder.append(value) }
    var spread: Report.Spread? { Report.Spread(Series(milliseconds: inOrder)) }
    var median: Double? { spread?.median }
}
