import Foundation

/// `bench start`: everything of the table of targets, measured side by side in one run.
public struct StartBench {
    public struct Options: Sendable {
        public var rounds: Int
        /// Seconds that a waiting instance is watched.
        public var idleSeconds: Double
        public var onProgress: @Sendable (String) -> Void

        public init(rounds: Int, idleSeconds: Double, onProgress: @escaping @Sendable (String) -> Void) {
            (self.rounds, self.idleSeconds, self.onProgress) = (rounds, idleSeconds, onProgress)
        }
    }

    let checkout: Checkout
    let options: Options
    let folder: String
    let launcher: Launcher
    var report: Report

    static let memory = 16 << 20
    static let reference = "static"

    /// Builds what is compared: images, monitors and the bench's own programs.
    public static func run(checkout: Checkout, options: Options) async throws -> Report {
        let folder = FileManager.default.temporaryDirectory.appending(path: "brique-bench-\(ProcessInfo.processInfo.processIdentifier)")
            .path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        options.onProgress("building images")
        for app in Checkout.apps { try await checkout.build(app) }
        let launcher = try await Launcher(checkout: checkout, folder: folder)
        var bench = StartBench(
            checkout: checkout, options: options, folder: folder, launcher: launcher,
            report: Report(machine: try Self.machine(), load: Self.load(), rounds: options.rounds))
        try await bench.measure()
        return bench.report
    }

    private mutating func measure() async throws {
        let docker = await DockerImage(program: launcher.tiny)
        let contenders = try await contenders(docker: docker)
        try await race(contenders)
        await docker?.remove()
        try await measureFigures()
        report.targets = Targets(report: report).all
    }

    // MARK: Starts

    private mutating func contenders(docker: DockerImage?) async throws -> [Contender] {
        var contenders = [
            Contender(key: Self.reference, title: "fork+exec of a static ELF", program: launcher.tiny),
            Contender(key: "spawn", title: "posix_spawn of it", method: .spawn, program: launcher.tiny),
            Contender(key: "libc", title: "fork+exec of a static glibc ELF", program: launcher.libc),
        ]
        for monitor in Monitor.allCases {
            if let reason = monitor.reasonAgainst {
                report.absent[monitor.key] = reason
            } else {
                contenders.append(try await monitor.contender(image: checkout.image(of: "hello"), checkout: checkout, memory: Self.memory))
            }
        }
        contenders += floors
        let bundle = try Container(folder: folder + "/bundle", program: launcher.tiny)
        for runtime in ["crun", "runc"] {
            let (contender, reason) = try await bundle.contender(runtime, launcher: launcher)
            if let contender { contenders.append(contender) } else { report.absent[runtime] = reason }
        }
        if let docker { contenders.append(docker.contender) } else { report.absent["docker"] = "no docker daemon answers" }
        if let spt = SoloFive.contender() {
            contenders.append(spt)
        } else {
            report.absent["solo5-spt"] = "no solo5-spt on PATH with SOLO5_HELLO set"
        }
        return contenders
    }

    /// QEMU with the least guest there is, on the machines that our image is started on.
    private var floors: [Contender] {
        [Monitor.microvm, .q35].filter(\.isPresent).map { machine in
            var contender = Contender(
                key: "floor-\(machine.rawValue)", title: "floor guest, \(machine.title)", program: QEMUFloor.program,
                arguments: QEMUFloor.arguments(machine: machine, image: launcher.floor, memory: Self.memory))
            contender.isWarmed = false
            contender.everyRounds = machine.everyRounds
            contender.status = QEMUFloor.status
            return contender
        }
    }

    /// Every contender once a round, so that what else the machine does falls on all alike.
    private mutating func race(_ contenders: [Contender]) async throws {
        var first: [String: Series] = [:]
        var exit: [String: Series] = [:]
        for round in 0..<options.rounds {
            options.onProgress("round \(round + 1) of \(options.rounds)")
            for contender in contenders where round.isMultiple(of: contender.everyRounds) {
                let start = try await launcher.start(contender)
                guard start.status == contender.status, let output = start.firstOutputMilliseconds else {
                    throw BenchError.unexpected(
                        "\(contender.key) ended with \(start.status), output: \(start.firstOutputMilliseconds != nil)")
                }
                first[contender.key, default: Series()].add(output)
                exit[contender.key, default: Series()].add(start.exitMilliseconds)
            }
        }
        let reference = first[Self.reference]?.median
        for contender in contenders {
            guard let output = first[contender.key].flatMap(Report.Spread.init), let end = exit[contender.key].flatMap(Report.Spread.init)
            else { continue }
            report.rows.append(
                Report.Row(
                    key: contender.key, title: contender.title, runs: first[contender.key]?.count ?? 0, firstOutput: output, exit: end,
                    ratio: reference.map { output.median / $0 }))
        }
    }

    // MARK: The machine

    static func machine() throws -> String {
        let processor =
            try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).split(separator: "\n")
            .first { $0.hasPrefix("model name") }?.split(separator: ":").last.map { $0.drop(while: \.isWhitespace) } ?? "unknown processor"
        let kernel = try String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8).split(separator: "\n").first ?? ""
        return "\(processor), \(ProcessInfo.processInfo.activeProcessorCount) processors, Linux \(kernel)"
    }

    static func load() -> String {
        (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)).map { $0.split(separator: " ").prefix(3).joined(separator: " ") }
            ?? "?"
    }
}

/// Solo5's test_hello under its sandboxed process tender; `SOLO5_HELLO` names the unikernel's file.
enum SoloFive {
    static func contender() -> Contender? {
        guard let program = Command.find("solo5-spt"), let image = ProcessInfo.processInfo.environment["SOLO5_HELLO"] else { return nil }
        return Contender(key: "solo5-spt", title: "Solo5 spt, test_hello", program: program, arguments: ["--mem=2", image, "Hello_Solo5"])
    }
}
