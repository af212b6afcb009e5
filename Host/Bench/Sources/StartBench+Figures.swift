import Foundation
import Image

extension StartBench {
    mutating func measureFigures() async throws {
        for app in Checkout.apps {
            let bytes = try FileManager.default.attributesOfItem(atPath: checkout.image(of: app))[.size] as? Int ?? 0
            add("bytes-\(app)", "\(app) image", Double(bytes), "bytes")
        }
        try await countInstructions()
        try await leastMemory()
        for monitor in [Monitor.kvm, .process] where monitor.isPresent {
            try await measureWaiting(monitor)
            try await measureYields(monitor)
        }
        try await measureEdit()
    }

    mutating func add(_ key: String, _ title: String, _ value: Double, _ unit: String) {
        report.figures.append(Report.Figure(key: key, title: title, value: value, unit: unit))
    }

    private mutating func countInstructions() async throws {
        guard Monitor.microvm.isPresent else { return }
        options.onProgress("counting instructions")
        let count = try await InstructionCount.ofHello(checkout: checkout, log: folder + "/trace")
        add("instructions", "guest instructions from entry to the end of hello, QEMU microvm", Double(count), "")
    }

    private mutating func leastMemory() async throws {
        for app in ["hello", "tasks"] {
            for monitor in Monitor.tested where monitor.isPresent {
                options.onProgress("least memory for \(app), \(monitor.title)")
                let least = try await LeastMemory.find(app, on: monitor, checkout: checkout)
                if let least {
                    add("least-\(app)-\(monitor.rawValue)", "least memory for \(app), \(monitor.title)", Double(least), "bytes")
                }
            }
        }
    }

    private mutating func measureWaiting(_ monitor: Monitor) async throws {
        options.onProgress("a waiting instance, \(monitor.title)")
        let command = try await monitor.command(image: checkout.image(of: "wait"), checkout: checkout, memory: Self.memory)
        let waiting = try await WaitingInstance.measure(
            program: command.program, arguments: command.arguments, seconds: options.idleSeconds)
        add("pss-\(monitor.rawValue)", "host memory of a waiting instance, \(monitor.title)", Double(waiting.residentByteCount), "bytes")
        add("idle-\(monitor.rawValue)", "processor of a waiting instance, \(monitor.title)", waiting.processorShare, "of one")
    }

    /// The app itself counts: `task yield: 93 ns`. The median of five runs.
    private mutating func measureYields(_ monitor: Monitor) async throws {
        options.onProgress("yields, \(monitor.title)")
        let command = try await monitor.command(image: checkout.image(of: "yield"), checkout: checkout, memory: Self.memory)
        var series: [String: Series] = [:]
        for _ in 0..<5 {
            for match in try await command.output().matches(of: /(task|fiber) yield: (\d+) ns/) {
                series[String(match.1), default: Series()].add(Double(match.2) ?? 0)
            }
        }
        guard let task = series["task"]?.median, let fiber = series["fiber"]?.median else {
            throw BenchError.unexpected("Apps/yield printed no figures")
        }
        add("yield-\(monitor.rawValue)", "a yield between two tasks, \(monitor.title)", task, "ns")
        add("fiber-yield-\(monitor.rawValue)", "a yield between two fibers, \(monitor.title)", fiber, "ns")
    }

    /// An app outside the repository: its text is changed, and the clock runs until the new text is out.
    private mutating func measureEdit() async throws {
        options.onProgress("app edit to running again")
        _ = try await checkout.brique(["new", "edited"], directory: folder).output()
        let sources = folder + "/edited/Sources"
        guard
            let name = FileManager.default.enumerator(atPath: sources)?.compactMap({ $0 as? String }).first(where: {
                $0.hasSuffix(".swift")
            })
        else { throw BenchError.unexpected("brique new made no source") }
        let run = checkout.brique(["run"], directory: folder + "/edited")
        var seconds = Series()
        for number in 0...3 {
            let text = "import Brique\n\n@main struct Edited {\n    static func main() { print(\"edit \(number)\") }\n}\n"
            try Data(text.utf8).write(to: URL(filePath: sources + "/" + name))
            let start = ContinuousClock.now
            guard try await run.output().contains("edit \(number)") else { throw BenchError.unexpected("the edit did not run") }
            // The first build compiles the bricks too.
            if number > 0 { seconds.add(start.duration(to: .now) / .seconds(1)) }
        }
        add("edit", "app edit to running again", seconds.median ?? 0, "s")
    }
}
