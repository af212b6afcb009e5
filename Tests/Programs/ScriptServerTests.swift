import Bench
import Foundation
import TestSupport
import Testing

/// Servers written in scripts: PHP's own, Perl's sockets, Python's TLS and its event loop.
@Suite(.timeLimit(.minutes(20)), .serialized, .enabled(if: ProgramServer.has("curl"), "no curl here"))
struct ScriptServerTests {
    private static func bytes(_ count: Int) -> Data { Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }) }

    @Test(.enabled(if: ProgramServer.has("php8.2") || ProgramServer.has("php"), "no php here"), arguments: ProgramServer.monitors)
    func `php serves scripts, sessions and files`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let large = Self.bytes(2_000_000)
        try large.write(to: URL(filePath: folder.path + "/large.bin"))
        try Data(ScriptTests.script("server.php").utf8).write(to: URL(filePath: folder.path + "/index.php"))
        let options = ScriptTests.includes("/etc/php", "/usr/lib/php", "/usr/share/zoneinfo", "/var/lib/php", folder.path)
        let program = try #require(ProgramServer.find("php8.2", "php"))
        let server = ProgramServer(program: program, options: options, arguments: ["-S", "0.0.0.0:8000", "-t", folder.path], port: 8000)
        let jar = folder.path + "/jar", back = folder.path + "/back"
        try await server.serveHTTP(on: monitor) { address in
            #expect(try await ProgramServer.curl("-c", jar, "\(address)/?word=a") == "GET 0 1 a\n")
            #expect(try await ProgramServer.curl("-b", jar, "-c", jar, "\(address)/?word=b") == "GET 0 2 b\n")
            let posted = try await ProgramServer.curl(
                "-H", "Content-Type: application/octet-stream", "--data-binary", "@\(folder.path)/large.bin", "\(address)/")
            #expect(posted == "POST 2000000 1 -\n")
            _ = try await ProgramServer.curl("-o", back, "\(address)/large.bin")
            let received = try Data(contentsOf: URL(filePath: back))
            #expect(received == large)
            try await ProgramServer.load("\(address)/?word=c", count: 300)
        }
    }

    @Test(.enabled(if: ProgramServer.has("perl"), "no perl here"), arguments: ProgramServer.monitors)
    func `perl serves many connections by one select`(monitor: Monitor) async throws {
        let library = "/usr/lib/x86_64-linux-gnu"
        let server = ProgramServer(
            program: try #require(ProgramServer.find("perl")),
            options: ScriptTests.includes("/usr/share/perl", library + "/perl", library + "/perl-base"),
            arguments: ["-e", ScriptTests.script("server.pl")], port: 8080)
        try await server.serveHTTP(on: monitor) { address in
            #expect(try await ProgramServer.curl("\(address)/") == "GET 0\n")
            let body = String(repeating: "b", count: 100_000)
            #expect(try await ProgramServer.curl("-H", "Expect:", "--data-binary", body, "\(address)/") == "POST 100000\n")
            try await ProgramServer.load("\(address)/", count: 500)
        }
    }

    @Test(.enabled(if: ProgramServer.has("python3", "openssl"), "no python3 or openssl here"), arguments: ProgramServer.monitors)
    func `python3 serves TLS by threads`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        let certificate = folder.path + "/certificate.pem"
        let request = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder.path + "/key.pem", "-out", certificate, "-days", "2",
            "-subj",
            "/CN=localhost", "-addext", names,
        ]
        _ = try await Command("openssl", request).output()
        let large = Self.bytes(2_000_000)
        try large.write(to: URL(filePath: folder.path + "/large.bin"))
        let server = ProgramServer(
            program: try #require(ProgramServer.find("python3.11", "python3")),
            options: ScriptTests.pythonOptions + ScriptTests.includes(folder.path),
            arguments: ["-c", ScriptTests.script("tls.py"), folder.path], port: 8443)
        let back = folder.path + "/back"
        try await server.serve(on: monitor) { port in
            let words = ["-s", "-m", "2", "-o", "/dev/null", "--cacert", certificate, "https://127.0.0.1:\(port)/"]
            return try await Command("curl", words).run().status == 0
        } _: { port in
            let address = "https://127.0.0.1:\(port)"
            _ = try await ProgramServer.curl("--cacert", certificate, "-o", back, "\(address)/large.bin")
            let received = try Data(contentsOf: URL(filePath: back))
            #expect(received == large)
            let posted = try await ProgramServer.curl(
                "--cacert", certificate, "--data-binary", "@\(folder.path)/large.bin", "\(address)/", "-d", "", "\(address)/")
            #expect(posted.split(separator: "\n").allSatisfy { $0.hasSuffix(" TLSv1.3") } && posted.hasPrefix("2000"), "\(posted)")
            #expect(try await ProgramServer.curl("--cacert", certificate, "--tls-max", "1.2", "-d", "x", "\(address)/") == "1 TLSv1.2\n")
        }
    }

    @Test(.enabled(if: ProgramServer.has("python3"), "no python3 here"), arguments: ProgramServer.monitors)
    func `python3's event loop answers fifty at once`(monitor: Monitor) async throws {
        let server = ProgramServer(
            program: try #require(ProgramServer.find("python3.11", "python3")), options: ScriptTests.pythonOptions,
            arguments: ["-c", ScriptTests.script("asyncserver.py")], port: 8000)
        try await server.serveHTTP(on: monitor) { address in
            #expect(try await ProgramServer.curl("\(address)/") == "499500\n")
            // Each waits 0.2 s: one after the other they would take 20 s.
            let begin = ContinuousClock.now
            try await ProgramServer.load("\(address)/", count: 100)
            #expect(begin.duration(to: .now) < .seconds(10))
        }
    }
}
