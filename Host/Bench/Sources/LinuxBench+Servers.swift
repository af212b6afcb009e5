import Foundation

extension LinuxBench {
    /// A server that is asked from its lab's client.
    private struct Server {
        let lab: NetworkLab
        var monitor: Monitor?
    }

    /// The program on Linux behind a veth pair, and in instances on TAPs: each in a lab of its own.
    private func servers(_ program: String, options: [String], arguments: [String], port: Int) async throws -> [Server] {
        var servers: [Server] = []
        let native = try await NetworkLab()
        servers.append(Server(lab: native))
        try native.start(in: try await native.addServerBehindVeth(), Self.serverCore + [program] + arguments)
        for monitor in monitors {
            let lab = try await NetworkLab()
            servers.append(Server(lab: lab, monitor: monitor))
            try await lab.addTAP("t0")
            let network = ["--network", "tap:t0", "--ip", NetworkLab.serverAddress + "/24"]
            let line = Self.serverCore + words(monitor, program, network + options, arguments)
            try lab.start(in: lab.client, line, environment: ["BRIQUE_HOME": checkout.root])
        }
        for server in servers { try await server.lab.waitForServer(port: port) }
        return servers
    }

    /// GET and SET of fifty clients, one request at a time and sixteen.
    mutating func measureRedis() async throws {
        guard let redis = find("redis-server"), find("redis-benchmark") != nil else { return }
        if let reason = NetworkLab.reasonAgainst { return report.absent["redis"] = reason }
        let all = try await servers(redis, options: [], arguments: Self.redisArguments, port: 6379)
        defer { all.forEach { $0.lab.stop() } }
        var rates: [String: Readings] = [:]
        for round in 1...options.rounds {
            for pipeline in [1, 16] {
                for server in all {
                    options.progress("redis-benchmark, pipeline \(pipeline), \(server.monitor?.title ?? "Linux"), round \(round)")
                    for (verb, rate) in try await redisRates(server.lab, pipeline: pipeline) {
                        rates["\(verb)-\(pipeline)-\(server.monitor?.rawValue ?? "linux")", default: Readings()].add(rate)
                    }
                }
            }
        }
        for pipeline in [1, 16] {
            for verb in ["SET", "GET"] {
                let title = "redis \(verb), 50 clients, pipeline \(pipeline)"
                let key = "\(verb)-\(pipeline)"
                let native = rates["\(key)-linux"] ?? Readings()
                addNative("redis-\(key)", title, "requests/s", native)
                for monitor in monitors {
                    addRatio(
                        "redis-\(key)", title, "requests/s", native: native, here: rates["\(key)-\(monitor.rawValue)"] ?? Readings(),
                        monitor: monitor, limit: .atLeast(monitor == .process ? 1.1 : 1.0, "x"))
                }
            }
        }
    }

    private func redisRates(_ lab: NetworkLab, pipeline: Int) async throws -> [(verb: String, rate: Double)] {
        let count = 50_000 * options.seconds * (pipeline > 1 ? 4 : 1)
        let words = ["redis-benchmark", "-h", NetworkLab.serverAddress, "-c", "50", "-P", String(pipeline), "-n", String(count)]
        let command = lab.client.command(Self.clientCore + words + ["-t", "set,get", "--csv"])
        return try Self.parse(redis: try await command.limited(toSeconds: 300).output())
    }

    /// Lines of `"SET","12345.67",…`.
    static func parse(redis report: String) throws -> [(verb: String, rate: Double)] {
        let rates = report.split(separator: "\n").compactMap { line -> (verb: String, rate: Double)? in
            let fields = line.split(separator: ",").map { $0.trimmingCharacters(in: ["\""]) }
            guard fields.count >= 2, let rate = Double(fields[1]) else { return nil }
            return (fields[0], rate)
        }
        guard rates.count == 2 else { throw BenchError.unexpected("redis-benchmark said: \(report)") }
        return rates
    }

    /// A file of 1 KB, by one worker.
    mutating func measureNginx() async throws {
        guard let nginx = find("nginx"), find("wrk") != nil else { return }
        if let reason = NetworkLab.reasonAgainst { return report.absent["nginx"] = reason }
        let all = try await servers(
            nginx, options: try nginxOptions(), arguments: ["-p", folder, "-c", "\(folder)/nginx.conf"], port: 80)
        defer { all.forEach { $0.lab.stop() } }
        var rates: [String: Readings] = [:]
        for round in 1...options.rounds {
            for server in all {
                options.progress("nginx, \(server.monitor?.title ?? "Linux"), round \(round)")
                let line = ["wrk", "--threads", "1", "--connections", "64", "--duration", "\(options.seconds)s", "--latency"]
                let command = server.lab.client.command(Self.clientCore + line + ["http://\(NetworkLab.serverAddress)/file"])
                let (rate, _) = try NetContender.parse(wrk: try await command.limited(toSeconds: options.seconds + 30).output())
                rates[server.monitor?.rawValue ?? "linux", default: Readings()].add(rate)
            }
        }
        let native = rates["linux"] ?? Readings()
        addNative("nginx", "nginx, a file of 1 KB", "requests/s", native)
        for monitor in monitors {
            addRatio(
                "nginx", "nginx, a file of 1 KB", "requests/s", native: native, here: rates[monitor.rawValue] ?? Readings(),
                monitor: monitor, limit: .atLeast(monitor == .process ? 1.2 : 1.0, "x"))
        }
    }

    /// Writes the configuration and the file, and says how an instance gets them: at the same paths.
    func nginxOptions() throws -> [String] {
        let configuration = """
            worker_processes 1; daemon off; master_process off; pid /tmp/nginx.pid; error_log stderr crit; user root root;
            events { worker_connections 1024; }
            http {
                access_log off; keepalive_requests 100000000; sendfile on;
                client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
                uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
                server { listen 80; root \(folder)/www; }
            }
            """
        try FileManager.default.createDirectory(atPath: folder + "/www", withIntermediateDirectories: true)
        try Data(repeating: UInt8(ascii: "x"), count: 1024).write(to: URL(filePath: folder + "/www/file"))
        try Data(configuration.utf8).write(to: URL(filePath: folder + "/nginx.conf"))
        return ["--include", folder + "/www", "--include", folder + "/nginx.conf"]
    }
}
