import Foundation

extension LinuxBench {
    /// System calls and switches of threads, timed by the program itself.
    mutating func measureCalls() async throws {
        let kinds: [(kind: String, title: String, limit: Limit?)] = [
            ("getppid", "getppid, the site rewritten", .atMost(1.0 / 3, "x")),
            ("first", "getppid, trapped: each site for the first time", nil),
            ("futex", "thread switch by futex", .atMost(0.5, "x")), ("pipe", "thread switch by pipe", .atMost(0.5, "x")),
        ]
        for (kind, title, limit) in kinds {
            var native = Readings()
            var here: [Monitor: Readings] = [:]
            for round in 1...options.rounds {
                options.progress("\(title), round \(round)")
                native.add(try await nanoseconds(Self.serverCore + ["\(folder)/calls", kind]))
                for monitor in monitors {
                    let words = Self.serverCore + words(monitor, "\(folder)/calls", [], [kind])
                    here[monitor, default: Readings()].add(try await nanoseconds(words))
                }
            }
            addNative(kind, title, "ns", native)
            for monitor in monitors {
                let series = here[monitor] ?? Readings()
                addRatio(kind, title, "ns", native: native, here: series, monitor: monitor, limit: limit)
                if kind == "getppid" { report.targets.append(Limit.atMost(60, " ns").target("\(title), \(monitor.title)", series)) }
            }
        }
    }

    private func nanoseconds(_ words: [String]) async throws -> Double {
        let text = try await output(words)
        guard let value = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)), value > 0 else {
            throw BenchError.unexpected("\(words.joined(separator: " ")): \(text)")
        }
        return value
    }

    /// From before the fork to the first answer of redis, and to the end of python3 -c pass.
    mutating func measureStarts() async throws {
        if let redis = find("redis-server") { try await measureRedisStart(redis) }
        guard let python = find("python3.11") ?? find("python3") else { return }
        let launcher = try await Launcher(checkout: checkout, folder: folder)
        let library = "/usr/lib/" + URL(filePath: python).lastPathComponent
        let arguments = ["-c", "pass"]
        for monitor in monitors {
            let answer = try await output(words(monitor, python, ["--include", library], ["-c", "print(6 * 7)"]))
            guard answer == "42\n" else { throw BenchError.unexpected("python, \(monitor.title): \(answer)") }
        }
        var native = Readings()
        var here: [Monitor: Readings] = [:]
        for round in 1...options.rounds {
            options.progress("python3 -c pass, round \(round)")
            let prelude = Self.serverCore
            let plain = Contender(
                key: "python", title: "python", program: python, arguments: arguments, environment: environment, prelude: prelude)
            native.add(try await launcher.start(plain).exitMilliseconds)
            for monitor in monitors {
                let line = words(monitor, python, ["--include", library], arguments)
                let contender = Contender(
                    key: "python-\(monitor.rawValue)", title: "python", program: line[0], arguments: Array(line.dropFirst()),
                    environment: environment, prelude: prelude)
                here[monitor, default: Readings()].add(try await launcher.start(contender).exitMilliseconds)
            }
        }
        addNative("python", "python3 -c pass", "ms", native)
        for monitor in monitors {
            addRatio(
                "python", "python3 -c pass", "ms", native: native, here: here[monitor] ?? Readings(), monitor: monitor,
                limit: .atMost(1.5, "x"))
        }
    }

    private mutating func measureRedisStart(_ redis: String) async throws {
        if let reason = NetworkLab.reasonAgainst { return report.absent["redis start"] = reason }
        var native = Readings()
        var here: [Monitor: Readings] = [:]
        let lab = try await NetworkLab()
        defer { lab.stop() }
        try await lab.addTAP("t0")
        // A question that came before the instance is asked again at once, not after a second.
        let quick = "echo 5 >/proc/sys/net/ipv4/neigh/t0/retrans_time_ms; echo 0 >/proc/sys/net/ipv4/neigh/t0/delay_first_probe_time"
        _ = try await lab.client.command(["sh", "-c", quick]).run()
        for round in 1...options.rounds {
            options.progress("start of redis, round \(round)")
            native.add(try await firstAnswer(lab, "127.0.0.1", Self.serverCore + [redis] + Self.redisArguments))
            for monitor in monitors {
                let network = ["--network", "tap:t0", "--ip", NetworkLab.serverAddress + "/24"]
                let line = Self.serverCore + words(monitor, redis, network, Self.redisArguments)
                here[monitor, default: Readings()].add(try await firstAnswer(lab, NetworkLab.serverAddress, line))
            }
        }
        addNative("redis-start", "start to the first answer, redis", "ms", native)
        for monitor in monitors {
            addRatio(
                "redis-start", "start to the first answer, redis", "ms", native: native, here: here[monitor] ?? Readings(),
                monitor: monitor, limit: .atMost(2, "x"))
        }
    }

    private func firstAnswer(_ lab: NetworkLab, _ address: String, _ words: [String]) async throws -> Double {
        var command = lab.client.command(["\(folder)/answer", address, "6379"] + words)
        command.environment = environment
        let text = try await command.limited(toSeconds: 30).output()
        guard let value = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw BenchError.unexpected("no answer at \(address)")
        }
        return value / 1e6
    }

    /// Nothing is saved, and all may ask.
    static let redisArguments = ["--save", "", "--appendonly", "no", "--protected-mode", "no", "--bind", "0.0.0.0", "--port", "6379"]
}
