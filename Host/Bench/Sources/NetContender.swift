import Foundation

/// A server that is measured from its lab's client: an instance on a TAP, or Linux's own programs.
struct NetContender {
    var key: String
    var title: String
    let lab: NetworkLab

    /// An instance of `image` under `monitor`.
    static func instance(
        _ monitor: Monitor, image: String, app: String, checkout: Checkout, memory: String = "64M"
    ) async throws -> NetContender {
        let lab = try await NetworkLab()
        try await lab.addTAP("t0")
        let words =
            [checkout.tool, "run"] + monitor.options
            + ["--memory", memory, "--network", "tap:t0", "--ip", NetworkLab.serverAddress + "/24", image]
        try lab.start(in: lab.client, words, environment: ["BRIQUE_HOME": checkout.root])
        return NetContender(key: "\(app)-\(monitor.rawValue)", title: "\(app), \(monitor.title)", lab: lab)
    }

    /// What stands between a Linux server and its client.
    enum Path: String, CaseIterable {
        case veth, relay
        var title: String {
            switch self {
            case .veth: "Linux behind veth"
            case .relay: "Linux behind a TAP (two TAPs and a relay)"
            }
        }
    }

    /// Linux's TCP with `words` as the server.
    static func linux(_ path: Path, app: String, server words: [String], programs: NetPrograms) async throws -> NetContender {
        let lab = try await NetworkLab()
        let server =
            switch path {
            case .veth: try await lab.addServerBehindVeth()
            case .relay: try await lab.addServerBehindRelay(programs.relay)
            }
        try lab.start(in: server, words)
        return NetContender(key: "\(app)-linux-\(path.rawValue)", title: "\(app), \(path.title)", lab: lab)
    }

    /// Gigabits in a second, of `byteCount` bytes to (put) or from (get) the server.
    func bulk(_ verb: String, byteCount: Int, programs: NetPrograms) async throws -> Double {
        let command = lab.client.command([programs.bulk, verb, NetworkLab.serverAddress, String(byteCount)]).limited(toSeconds: 120)
        let output = try await command.output()
        guard let seconds = Double(output.trimmingCharacters(in: .whitespacesAndNewlines)), seconds > 0 else {
            throw BenchError.unexpected("\(title): the client said \(output)")
        }
        return Double(byteCount) * 8 / seconds / 1e9
    }

    /// Requests in a second, and the 99th percentile of their time in milliseconds, from 64 kept connections.
    func requests(seconds: Int) async throws -> (rate: Double, tail: Double) {
        let command = lab.client.command(
            [
                "wrk", "--threads", "1", "--connections", "64", "--duration", "\(seconds)s", "--latency",
                "http://\(NetworkLab.serverAddress)/small",
            ])
        return try Self.parse(wrk: try await command.limited(toSeconds: seconds + 30).output())
    }

    /// From wrk's report.
    static func parse(wrk report: String) throws -> (rate: Double, tail: Double) {
        var rate: Double?
        var tail: Double?
        for line in report.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first == "Requests/sec:", words.count == 2 { rate = Double(words[1]) }
            if words.first == "99%", words.count == 2 { tail = milliseconds(words[1]) }
        }
        if report.contains("Non-2xx") { throw BenchError.unexpected("wrk met errors: \(report)") }
        guard let rate, let tail else { throw BenchError.unexpected("wrk said: \(report)") }
        return (rate, tail)
    }

    /// "1.5ms", "800.00us", "1.2s".
    private static func milliseconds(_ word: Substring) -> Double? {
        for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] where word.hasSuffix(unit) {
            return Double(word.dropLast(unit.count)).map { $0 * factor }
        }
        return nil
    }
}

/// The bench's own programs for networks, built once.
struct NetPrograms {
    let folder: String
    var bulk: String { folder + "/bulk" }
    var relay: String { folder + "/relay" }
    var configuration: String { folder + "/nginx.conf" }

    init(checkout: Checkout, folder: String) async throws {
        self.folder = folder
        for name in ["bulk", "relay"] {
            let words = ["-O2", "-D_GNU_SOURCE", "-static", "-fuse-ld=lld", checkout.path("Host/Bench/Programs/\(name).c"), "-o"]
            _ = try await Command("clang", words + [folder + "/" + name]).output()
        }
        try Data(Self.nginx(folder).utf8).write(to: URL(filePath: folder + "/nginx.conf"))
    }

    /// One process, one core, an answer of 200 bytes, nothing written to disk.
    private static func nginx(_ folder: String) -> String {
        """
        worker_processes 1; daemon off; master_process off; pid \(folder)/nginx.pid; error_log /dev/null;
        events { worker_connections 1024; }
        http {
            access_log off; keepalive_requests 100000000;
            server { listen 80; location / { default_type text/plain; return 200 "\(String(repeating: "x", count: 200))"; } }
        }
        """
    }
}
