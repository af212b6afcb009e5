import Foundation

extension LinuxBench {
    /// The least --memory with which redis and nginx answer, in steps of 1 MiB.
    mutating func measureMemory() async throws {
        if let redis = find("redis-server") {
            try await leastMemory("redis", limit: 12) { bench, monitor, memory, port in
                let words = bench.words(
                    monitor, redis, ["--memory", "\(memory)M", "-p", "127.0.0.1:\(port):6379"], Self.redisArguments)
                return try await bench.answers(words, port: port, question: "PING\\r\\n", wanted: "+PONG")
            }
        }
        if let nginx = find("nginx") {
            let inclusions = try nginxOptions()
            let arguments = ["-p", folder, "-c", "\(folder)/nginx.conf"]
            try await leastMemory("nginx", limit: 10) { bench, monitor, memory, port in
                let words = bench.words(
                    monitor, nginx, ["--memory", "\(memory)M", "-p", "127.0.0.1:\(port):80"] + inclusions, arguments)
                return try await bench.answers(words, port: port, question: "GET /file HTTP/1.0\\r\\n\\r\\n", wanted: "HTTP/1.1 200 OK")
            }
        }
    }

    private mutating func leastMemory(
        _ name: String, limit: Double, works: (LinuxBench, Monitor, Int, Int) async throws -> Bool
    ) async throws {
        for monitor in monitors {
            options.progress("least memory of \(name), \(monitor.title)")
            let bench = self
            var port = 23_000
            let least = try await LeastMemory.find(enough: 128, step: 1) { memory in
                port += 1
                return try await works(bench, monitor, memory, port)
            }
            let title = "least memory, \(name), \(monitor.title)"
            guard let least else {
                report.absent[title] = "it does not answer with 128 MiB"
                continue
            }
            add("memory-\(name)-\(monitor.rawValue)", title, Double(least), "MiB")
            report.targets.append(Limit.atMost(limit, " MiB").target(title, Readings([Double(least)])))
        }
    }

    /// Starts it, asks it until it answers or is gone, and ends it.
    private func answers(_ words: [String], port: Int, question: String, wanted: String) async throws -> Bool {
        let script = """
            "$@" </dev/null >/dev/null 2>&1 &
            child=$!
            for try in $(seq 60); do
                kill -0 $child 2>/dev/null || exit 1
                answer=$(timeout 2 bash -c '
                    exec 3<>/dev/tcp/127.0.0.1/\(port); printf "\(question)" >&3; head -c \(wanted.count) <&3' 2>/dev/null)
                [ "$answer" = "\(wanted)" ] && { kill $child; wait $child; exit 0; }
                sleep 0.05
            done
            kill -KILL $child; wait $child; exit 1
            """
        let command = Command("bash", ["-c", script, "bash"] + words, environment: environment, directory: folder)
        return try await command.limited(toSeconds: 60).run().status == 0
    }

    /// The image of redis beside the files of the program and its libraries.
    mutating func measureAddedBytes() async throws {
        guard let redis = find("redis-server") else { return }
        options.progress("what an image adds")
        let image = "\(folder)/redis.image"
        _ = try await output([checkout.tool, "build", "--program", redis, "-o", image])
        let libraries = try await output(["ldd", redis]).split(separator: "\n").compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("/") }.map(String.init)
        }
        let own = try (libraries + [redis]).reduce(0) { sum, path in try sum + Self.byteCount(path) }
        let added = Double(try Self.byteCount(image) - own) / 1e6
        add("added", "image of redis beyond its \(libraries.count + 1) files", added, "MB")
        report.targets.append(
            Limit.atMost(1, " MB").target("what the image adds to the program's own files", Readings([added])))
    }

    private static func byteCount(_ path: String) throws -> Int {
        let target = URL(filePath: path).resolvingSymlinksInPath().path
        return try FileManager.default.attributesOfItem(atPath: target)[.size] as? Int ?? 0
    }
}
