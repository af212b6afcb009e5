import Bench
import Foundation
import TestSupport
import Testing

/// Servers of Debian's packages in instances, asked by their own clients through a published port.
@Suite(.timeLimit(.minutes(20)), .serialized, .enabled(if: ProgramServer.has("curl"), "no curl here"))
struct ServerTests {
    private static func isOpen(_ port: Int, _ question: String, _ wanted: String) async throws -> Bool {
        let line = "exec 3<>/dev/tcp/127.0.0.1/\(port); printf '\(question)' >&3; head -c \(wanted.utf8.count) <&3"
        return try await Command("bash", ["-c", line]).limited(toSeconds: 2).run().output == wanted
    }

    // MARK: redis, memcached

    /// Commands of every data type, with the answers of redis-cli.
    private static let redis: [(command: [String], answer: String)] = [
        (["set", "s", "value"], "OK"), (["append", "s", "!"], "6"), (["getrange", "s", "1", "3"], "alu"),
        (["incrbyfloat", "f", "2.5"], "2.5"),
        (["rpush", "l", "a", "b", "c"], "3"), (["lrange", "l", "0", "-1"], "a\nb\nc"), (["lpop", "l"], "a"), (["blpop", "l", "1"], "l\nb"),
        (["sadd", "t", "x", "y", "z"], "3"), (["scard", "t"], "3"), (["sismember", "t", "y"], "1"),
        (["zadd", "z", "3", "c", "1", "a", "2", "b"], "3"), (["zrange", "z", "0", "-1", "withscores"], "a\n1\nb\n2\nc\n3"),
        (["hset", "h", "k", "v", "n", "1"], "2"), (["hgetall", "h"], "k\nv\nn\n1"), (["hincrby", "h", "n", "41"], "42"),
        (["xadd", "x", "1-1", "field", "text"], "1-1"), (["xlen", "x"], "1"), (["xrange", "x", "-", "+"], "1-1\nfield\ntext"),
        (["pfadd", "p", "a", "b", "c"], "1"), (["pfcount", "p"], "3"), (["setbit", "b", "7", "1"], "0"), (["bitcount", "b"], "1"),
        (["geoadd", "g", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania"], "2"),
        (["geodist", "g", "Palermo", "Catania", "km"], "166.2742"), (["eval", "return redis.call('get', KEYS[1])", "1", "s"], "value!"),
        (["expire", "s", "100"], "1"), (["ttl", "s"], "100"), (["type", "z"], "zset"), (["object", "encoding", "h"], "listpack"),
        (["publish", "channel", "message"], "0"),
        (["lpush", "s", "x"], "WRONGTYPE Operation against a key holding the wrong kind of value"),
        (["dbsize"], "10"), (["flushall"], "OK"), (["dbsize"], "0"),
    ]

    @Test(.enabled(if: ProgramServer.has("redis-server", "redis-cli"), "no redis here"), arguments: ProgramServer.monitorsAndQEMU)
    func `redis-cli gets the answers of every data type`(monitor: Monitor) async throws {
        let program = try #require(ProgramServer.find("redis-server"))
        let arguments = ["--save", "", "--appendonly", "no", "--protected-mode", "no", "--bind", "0.0.0.0"]
        let server = ProgramServer(program: program, arguments: arguments, memory: "64M", port: 6379)
        try await server.serve(on: monitor, until: { try await Self.isOpen($0, "PING\\r\\n", "+PONG") }) { port in
            for (command, answer) in Self.redis {
                let given = try await Command("redis-cli", ["-p", String(port)] + command).limited(toSeconds: 10).run().output
                #expect(given.trimmingCharacters(in: .newlines) == answer, "\(command)")
            }
            try await Self.conversation(port)
            // Every test of it; under QEMU, where all is interpreted, a few.
            let words = ["-p", String(port), "-q", "-c", "50"]
            let part = monitor == .microvm ? ["-n", "500", "-t", "ping,set,get,lpush,zadd,mset"] : ["-n", "2000"]
            let report = try await Command("redis-benchmark", words + part).limited(toSeconds: 120).run()
            #expect(report.status == 0 && report.output.contains("MSET"), "\(report.errors)")
        }
    }

    /// What takes more than one command of a connection, or more than one connection.
    private static func conversation(_ port: Int) async throws {
        let lines = "multi\nset m 1\nincr m\nexec\nwatch m\nmulti\ndiscard\nset e v px 20\n"
        let told = try await Command("redis-cli", ["-p", String(port)], input: lines).limited(toSeconds: 10).run().output
        #expect(told.filter { $0 != "\r" } == "OK\nQUEUED\nQUEUED\nOK\n2\nOK\nOK\nOK\nOK\n")
        try await Task.sleep(for: .milliseconds(100))
        let group = [
            "get e", "xadd q 1-1 k v", "xgroup create q g 0", "xreadgroup group g c count 1 streams q >", "xack q g 1-1", "save",
            "config get maxmemory",
        ]
        let answers = try await Command("redis-cli", ["-p", String(port)], input: group.joined(separator: "\n") + "\n").output()
        #expect(answers.hasPrefix("\n1-1\nOK\nq\n1-1\nk\nv\n1\nOK\n") && answers.hasSuffix("maxmemory\n0\n"), "\(answers)")
        let line = """
            timeout 3 redis-cli -p \(port) --csv subscribe news & sleep 1
            redis-cli -p \(port) publish news text; wait
            """
        let heard = try await Command("bash", ["-c", line]).limited(toSeconds: 20).run().output
        #expect(heard.contains("\"message\",\"news\",\"text\"") && heard.contains("\n1\n"), "\(heard)")
    }

    @Test(.enabled(if: ProgramServer.has("memcached"), "no memcached here"), arguments: ProgramServer.monitors)
    func `memcached keeps what it is given`(monitor: Monitor) async throws {
        let program = try #require(ProgramServer.find("memcached"))
        let server = ProgramServer(
            program: program, arguments: ["-u", "root", "-l", "0.0.0.0", "-m", "32", "-t", "4"], memory: "128M", port: 11_211)
        try await server.serve(on: monitor, until: { try await Self.isOpen($0, "version\\r\\n", "VERSION") }) { port in
            let asked = "set a 0 0 5\\r\\nhello\\r\\nget a\\r\\nadd a 0 0 1\\r\\nx\\r\\nincr a 1\\r\\ndelete a\\r\\nget a\\r\\n"
            let answer = "STORED\r\nVALUE a 0 5\r\nhello\r\nEND\r\nNOT_STORED\r\nCLIENT_ERROR"
            #expect(try await Self.isOpen(port, asked, answer))
            guard ProgramServer.has("memccapable") else { return }
            let report = try await Command("memccapable", ["-h", "127.0.0.1", "-p", String(port), "-a"]).limited(toSeconds: 60).run()
            #expect(report.status == 0, "\(report.output)\(report.errors)")
        }
    }

    // MARK: HTTP

    @Test(.enabled(if: ProgramServer.has("nginx"), "no nginx here"), arguments: ProgramServer.monitors)
    func `nginx serves files by one process`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let configuration = """
            worker_processes 1; daemon off; master_process off; pid /tmp/nginx.pid; error_log stderr; user root root;
            events { worker_connections 256; }
            http {
                access_log off; sendfile on; client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy;
                fastcgi_temp_path /tmp/fastcgi; uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
                server {
                    listen 80; root \(folder.path)/www;
                    location /text { return 200 "text\\n"; } location /proxy/ { proxy_pass http://127.0.0.1:80/; }
                }
            }
            """
        try FileManager.default.createDirectory(atPath: folder.path + "/www", withIntermediateDirectories: true)
        let large = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try large.write(to: URL(filePath: folder.path + "/www/large"))
        try Data("small\n".utf8).write(to: URL(filePath: folder.path + "/www/index.html"))
        try Data(configuration.utf8).write(to: URL(filePath: folder.path + "/nginx.conf"))
        let server = ProgramServer(
            program: try #require(ProgramServer.find("nginx")),
            options: ["--include", folder.path],
            arguments: ["-p", folder.path, "-c", folder.path + "/nginx.conf"], memory: "64M", port: 80)
        let back = folder.path + "/back"
        try await server.serveHTTP(on: monitor) { address in
            #expect(try await ProgramServer.curl("\(address)/") == "small\n")
            #expect(try await ProgramServer.curl("\(address)/text") == "text\n")
            #expect(try await ProgramServer.curl("\(address)/proxy/text") == "text\n")
            #expect(try await ProgramServer.curl("-r", "2-3", "\(address)/") == "al")
            _ = try await ProgramServer.curl("-o", back, "\(address)/large")
            let received = try Data(contentsOf: URL(filePath: back))
            #expect(received == large)
            let missing = try await ProgramServer.curl("-o", "/dev/null", "-w", "%{http_code}", "\(address)/none")
            #expect(missing == "404")
            try await ProgramServer.load("\(address)/")
        }
    }

    @Test(.enabled(if: ProgramServer.has("python3"), "no python3 here"), arguments: ProgramServer.monitors)
    func `python3 serves a folder`(monitor: Monitor) async throws {
        let program = try #require(ProgramServer.find("python3.11", "python3"))
        let arguments = ["-m", "http.server", "8000", "--directory", "/etc"]
        let server = ProgramServer(program: program, options: ScriptTests.pythonOptions, arguments: arguments, port: 8000)
        try await server.serveHTTP(on: monitor) { address in
            let page = try await ProgramServer.curl("\(address)/")
            #expect(page.contains("href=\"passwd\""))
            let users = try await ProgramServer.curl("\(address)/passwd")
            #expect(users.hasPrefix("root:"))
            try await ProgramServer.load("\(address)/passwd", count: 200)
        }
    }

    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: "/usr/lib/python3/dist-packages/flask"), "no flask here"),
        arguments: ProgramServer.monitors)
    func `a Flask app answers`(monitor: Monitor) async throws {
        let program = try #require(ProgramServer.find("python3.11", "python3"))
        let server = ProgramServer(
            program: program, options: ScriptTests.pythonOptions, arguments: ["-c", ScriptTests.script("flask.py")], port: 5000)
        try await server.serveHTTP(on: monitor) { address in
            #expect(try await ProgramServer.curl("\(address)/") == "hello from Flask")
            let sum = try await ProgramServer.curl("-H", "Content-Type: application/json", "-d", "[1, 2, 39]", "\(address)/sum")
            #expect(sum.filter { !$0.isWhitespace } == "{\"sum\":42}")
            try await ProgramServer.load("\(address)/", count: 200)
        }
    }

    @Test(.enabled(if: ProgramServer.has("node"), "no node here"), arguments: ProgramServer.monitors)
    func `node serves HTTP`(monitor: Monitor) async throws {
        let program = try #require(ProgramServer.find("node"))
        let server = ProgramServer(program: program, arguments: ["-e", ScriptTests.script("server.js")], memory: "1G", port: 8080)
        try await Self.answersToMethods(server, monitor)
    }

    @Test(.enabled(if: ProgramServer.has("ruby"), "no ruby here"), arguments: ProgramServer.monitors)
    func `ruby serves by webrick`(monitor: Monitor) async throws {
        let folders = ["/usr/lib/ruby", "/usr/lib/x86_64-linux-gnu/ruby", "/usr/share/rubygems-integration", "/var/lib/gems"]
        let options = folders.filter { FileManager.default.fileExists(atPath: $0) }.flatMap { ["--include", $0] }
        let program = try #require(ProgramServer.find("ruby3.1", "ruby"))
        let server = ProgramServer(program: program, options: options, arguments: ["-e", ScriptTests.script("server.rb")], port: 8080)
        try await Self.answersToMethods(server, monitor)
    }

    @Test(.enabled(if: ProgramServer.has("go"), "no go here"), arguments: ProgramServer.monitors)
    func `Go serves while a goroutine spins`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let source = Repository.path("Tests/Conformance/Programs/gohttp.go")
        let environment = ProcessInfo.processInfo.environment.merging(
            ["CGO_ENABLED": "0", "GO111MODULE": "off", "GOCACHE": folder.path + "/cache"]) { $1 }
        _ = try await Command("go", ["build", "-o", folder.path + "/server", source], environment: environment).output()
        let server = ProgramServer(program: folder.path + "/server", arguments: ["serve", "0.0.0.0:8080"], port: 8080)
        try await server.serveHTTP(on: monitor) { address in
            #expect(try await ProgramServer.curl("\(address)/") == "hello from Go\n")
            #expect(try await ProgramServer.curl("\(address)/json") == "{\"answer\":42}\n")
            #expect(try await ProgramServer.curl("\(address)/garbage") == "409400\n")
            #expect(try await ProgramServer.curl("-d", "echo", "\(address)/echo") == "echo")
            // Each answer waits for the goroutine that spins, as on Linux with one processor.
            try await ProgramServer.load("\(address)/", count: 200)
        }
    }

    @Test(.enabled(if: ProgramServer.has("javac"), "no javac here"), arguments: ProgramServer.monitors)
    func `Java serves while a thread spins`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        _ = try await Command("javac", ["-d", folder.path, Repository.path("Tests/Conformance/Programs/Spin.java")]).output()
        let java = URL(filePath: try #require(ProgramServer.find("java"))).resolvingSymlinksInPath().path
        let home = URL(filePath: java).deletingLastPathComponent().deletingLastPathComponent().path
        let folders = [home, folder.path, "/etc/java-17-openjdk"].filter { FileManager.default.fileExists(atPath: $0) }
        let server = ProgramServer(
            program: java, options: folders.flatMap { ["--include", $0] },
            arguments: ["-Xmx64m", "-cp", folder.path, "Spin", "serve", "8080"], memory: "1G", port: 8080)
        try await server.serveHTTP(on: monitor) { address in
            #expect(try await ProgramServer.curl("\(address)/") == "hello from Java\n")
            #expect(try await ProgramServer.curl("-d", "echo", "\(address)/") == "echo")
            try await ProgramServer.load("\(address)/")
        }
    }

    @Test(.enabled(if: ProgramServer.has("rustc"), "no rustc here"), arguments: ProgramServer.monitors)
    func `Rust serves each connection by a thread`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let program = folder.path + "/server"
        _ = try await Command("rustc", ["-O", "-o", program, Repository.path("Tests/Conformance/Programs/tcp.rs")]).output()
        let server = ProgramServer(program: program, arguments: ["serve", "0.0.0.0:7000"], memory: "64M", port: 7000)
        try await server.serve(on: monitor, until: { try await Self.isOpen($0, "abc\\n", "cba\n") }) { port in
            let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 10..<60 {
                    group.addTask { try await Self.isOpen(port, "line \(index)\\n", "\(index % 10)\(index / 10) enil\n") }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(answers == 50)
        }
    }

    /// Where `swift build -c release --static-swift-stdlib --package-path Tests/SwiftServer` put it.
    private static let swiftServer = Repository.path("Tests/SwiftServer/.build/release/Server")

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: swiftServer), "Tests/SwiftServer is not built here"),
        arguments: ProgramServer.monitors)
    func `ordinary Swift serves by Hummingbird`(monitor: Monitor) async throws {
        let server = ProgramServer(program: Self.swiftServer, port: 8080)
        try await server.serveHTTP(on: monitor) { address in
            #expect(try await ProgramServer.curl("\(address)/") == "hello from Swift\n")
            #expect(try await ProgramServer.curl("\(address)/date") == "1970-01-01T00:00:00Z\n")
            let sum = try await ProgramServer.curl("-H", "Content-Type: application/json", "-d", "[1, 2, 39]", "\(address)/sum")
            #expect(sum == "{\"sum\":42}")
            try await ProgramServer.loadKept("\(address)/")
        }
    }

    /// Of one that answers with the method and how many bytes came.
    private static func answersToMethods(_ server: ProgramServer, _ monitor: Monitor) async throws {
        try await server.serveHTTP(on: monitor) { address in
            #expect(try await ProgramServer.curl("\(address)/") == "GET 0\n")
            let body = String(repeating: "b", count: 200_000)
            #expect(try await ProgramServer.curl("--data-binary", body.prefix(100_000).description, "\(address)/") == "POST 100000\n")
            try await ProgramServer.load("\(address)/", count: 500)
        }
    }
}
