import Foundation
import Subprocess
import SystemPackage

/// What a waiting instance costs its host.
public struct WaitingInstance: Sendable {
    /// Proportional set size of the monitor and its children, bytes.
    var residentByteCount: Int
    /// Processor time used while it waited, as a part of one processor.
    var processorShare: Double

    /// Starts `monitor` on an image that prints a line and waits, looks at it for `seconds`, and ends it.
    static func measure(program: String, arguments: [String], seconds: Double) async throws -> WaitingInstance {
        let outcome = try await Subprocess.run(
            .path(FilePath(program)), arguments: Arguments(arguments), environment: .custom([:]), input: .none, output: .sequence,
            error: .discarded
        ) { execution in
            for try await _ in execution.standardOutput { break }
            let pid = execution.processIdentifier.value
            try await Task.sleep(for: .milliseconds(300))
            let bytes = try residentByteCount(of: pid)
            let before = try processorNanoseconds(of: pid)
            try await Task.sleep(for: .seconds(seconds))
            let used = try processorNanoseconds(of: pid) - before
            try execution.send(signal: .terminate)
            return WaitingInstance(residentByteCount: bytes, processorShare: Double(used) / (seconds * 1e9))
        }
        return outcome.closureResult
    }

    /// The process and all that descend from it.
    public static func family(of pid: Int32) -> [Int32] {
        let children = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        return [pid] + children.split(separator: " ").compactMap { Int32($0) }.flatMap(family)
    }

    /// The sum of `Pss:` in proc(5)'s smaps_rollup.
    static func residentByteCount(of pid: Int32) throws -> Int {
        try family(of: pid).reduce(0) { sum, member in
            let text = try String(contentsOfFile: "/proc/\(member)/smaps_rollup", encoding: .utf8)
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") }),
                let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
            else { throw BenchError.unexpected("no Pss in smaps_rollup") }
            return sum + kilobytes * 1024
        }
    }

    /// The first field of every thread's schedstat: nanoseconds on a processor, a guest's time included.
    static func processorNanoseconds(of pid: Int32) throws -> UInt64 {
        try family(of: pid).reduce(0) { sum, member in
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(member)/task").reduce(sum) { sum, thread in
                let text = try String(contentsOfFile: "/proc/\(member)/task/\(thread)/schedstat", encoding: .utf8)
                return sum + (text.split(separator: " ").first.flatMap { UInt64($0) } ?? 0)
            }
        }
    }
}

/// The least memory with which an image does what it does with plenty.
public struct LeastMemory {
    private static let enough = 16 << 20
    private static let secondsLimit = 5

    /// For the app's image on `monitor`, as its own monitor counts memory: pages, for QEMU steps of 64 KiB.
    public static func find(_ app: String, on monitor: Monitor, checkout: Checkout) async throws -> Int? {
        let image = try await checkout.build(app)
        let expected = try await monitor.command(image: image, checkout: checkout, memory: enough).run()
        return try await find(enough: enough, step: monitor.isQEMU ? 64 << 10 : 4 << 10) { memory in
            // With too little a machine may be refused, stop, or never get anywhere.
            guard let command = try? await monitor.command(image: image, checkout: checkout, memory: memory) else { return false }
            let answer = try await command.limited(toSeconds: secondsLimit).run()
            return answer.status == expected.status && answer.output == expected.output
        }
    }

    /// Bisects between nothing and `enough`, in steps of `step` bytes; nil when even `enough` is too small.
    static func find(enough: Int, step: Int, works: (Int) async throws -> Bool) async throws -> Int? {
        guard try await works(enough) else { return nil }
        var (low, high) = (0, enough / step)
        while high - low > 1 {
            let middle = (low + high) / 2
            if try await works(middle * step) { high = middle } else { low = middle }
        }
        return high * step
    }
}
