import Foundation

/// Throughput, requests and their tails, of instances beside Linux's own programs on the same machine.
public enum NetBench {
    public struct Options: Sendable {
        public var rounds: Int
        /// Of one bulk transfer.
        public var byteCount: Int
        /// Of one run of wrk.
        public var seconds: Int
        public var progress: @Sendable (String) -> Void

        public init(rounds: Int, byteCount: Int, seconds: Int, progress: @escaping @Sendable (String) -> Void = { _ in }) {
            self.rounds = rounds
            self.byteCount = byteCount
            self.seconds = seconds
            self.progress = progress
        }
    }

    public static let monitors: [Monitor] = [.process, .kvm]

    /// Whatever is missing here is named in the report, not measured.
    public static func run(checkout: Checkout, options: Options) async throws -> Report {
        var report = Report(machine: try StartBench.machine(), load: StartBench.load(), rounds: options.rounds)
        if let reason = NetworkLab.reasonAgainst {
            report.absent["net"] = reason
            return report
        }
        let folder = NSTemporaryDirectory() + "brique-net-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let programs = try await NetPrograms(checkout: checkout, folder: folder)
        try await measureBulk(checkout, programs, options, &report)
        try await measureRequests(checkout, programs, options, &report)
        report.targets = NetTargets(report: report).all
        return report
    }

    private static func present(_ report: inout Report) -> [Monitor] {
        for monitor in monitors { report.absent[monitor.rawValue] = monitor.reasonAgainst }
        return monitors.filter(\.isPresent)
    }

    // MARK: Bulk

    private static func measureBulk(
        _ checkout: Checkout, _ programs: NetPrograms, _ options: Options, _ report: inout Report
    ) async throws {
        options.progress("building bulk")
        let image = try await checkout.build("bulk")
        var contenders: [NetContender] = []
        defer { contenders.forEach { $0.lab.stop() } }
        for monitor in present(&report) {
            contenders.append(try await .instance(monitor, image: image, app: "bulk", checkout: checkout))
        }
        for path in NetContender.Path.allCases {
            contenders.append(try await .linux(path, app: "bulk", server: [programs.bulk, "serve"], programs: programs))
        }
        for contender in contenders { for port in [5001, 5002] { try await contender.lab.waitForServer(port: port) } }
        var series: [String: Series] = [:]
        for round in 1...options.rounds {
            for verb in ["put", "get"] {
                for contender in contenders {
                    options.progress("round \(round): \(contender.title), \(verb)")
                    series["\(contender.key)-\(verb)", default: Series()]
                        .add(try await contender.bulk(verb, byteCount: options.byteCount, programs: programs))
                }
            }
        }
        for verb in ["put", "get"] {
            for contender in contenders {
                let key = "\(contender.key)-\(verb)"
                guard let median = series[key]?.median else { continue }
                report.figures.append(
                    .init(key: key, title: "\(contender.title), \(verb == "put" ? "to" : "from") it", value: median, unit: "Gbit/s"))
            }
        }
    }

    // MARK: Requests

    private static func measureRequests(
        _ checkout: Checkout, _ programs: NetPrograms, _ options: Options, _ report: inout Report
    ) async throws {
        guard Command.find("wrk") != nil else { return report.absent["requests"] = "no wrk on PATH" }
        options.progress("building web")
        let image = try await checkout.build("web")
        var contenders: [NetContender] = []
        defer { contenders.forEach { $0.lab.stop() } }
        for monitor in present(&report) {
            contenders.append(try await .instance(monitor, image: image, app: "web", checkout: checkout))
        }
        if Command.find("nginx") == nil { report.absent["nginx"] = "no nginx on PATH" }
        for path in NetContender.Path.allCases where Command.find("nginx") != nil {
            contenders.append(try await .linux(path, app: "nginx", server: ["nginx", "-c", programs.configuration], programs: programs))
        }
        for contender in contenders { try await contender.lab.waitForServer(port: 80) }
        var rates: [String: Series] = [:], tails: [String: Series] = [:]
        for round in 1...options.rounds {
            for contender in contenders {
                options.progress("round \(round): \(contender.title)")
                let (rate, tail) = try await contender.requests(seconds: options.seconds)
                rates[contender.key, default: Series()].add(rate)
                tails[contender.key, default: Series()].add(tail)
            }
        }
        for contender in contenders {
            guard let rate = rates[contender.key]?.median, let tail = tails[contender.key]?.median else { continue }
            report.figures.append(.init(key: contender.key, title: contender.title, value: rate, unit: "requests/s"))
            report.figures.append(
                .init(key: contender.key + "-p99", title: "\(contender.title), 99th percentile at full load", value: tail, unit: "ms"))
        }
    }
}

/// What the network must reach, beside what was measured.
struct NetTargets {
    let report: Report

    var all: [Report.Target] {
        var targets: [Report.Target] = []
        for monitor in NetBench.monitors {
            for (verb, words) in [("put", "bulk to"), ("get", "bulk from")] {
                targets.append(
                    quotient(
                        "\(words) the instance / Linux behind a TAP, \(monitor.title)", "bulk-\(monitor.rawValue)-\(verb)",
                        over: "bulk-linux-relay-\(verb)", atLeast: 0.9))
            }
        }
        for (monitor, limit) in [(Monitor.process, 1.2), (.kvm, 1.0)] {
            for path in NetContender.Path.allCases {
                targets.append(
                    quotient(
                        "requests / nginx, \(path.title), \(monitor.title)", "web-\(monitor.rawValue)",
                        over: "nginx-linux-\(path.rawValue)",
                        atLeast: limit))
            }
        }
        return targets
    }

    private func quotient(_ title: String, _ key: String, over other: String, atLeast limit: Double) -> Report.Target {
        let measured = report.figure(key).flatMap { value in report.figure(other).map { value / $0 } }
        return Report.Target(
            title: title, limit: ">= \(Report.number(limit))x", measured: measured.map { Report.number($0) + "x" } ?? "-",
            isReached: measured.map { $0 >= limit })
    }
}
