import Bench
import Foundation
import TestSupport
import Testing

/// Real HTTP clients against Apps/web, through a published port, as a user without rights has it.
@Suite(.timeLimit(.minutes(20)), .serialized)
struct WebTests {
    /// A program that must be here.
    private static func has(_ name: String) -> Bool { Command.find(name) != nil }

    @Test(.enabled(if: has("curl"), "no curl here"), arguments: Machine.monitors)
    func `curl gets the site, ranges of it and what has not changed`(monitor: Monitor) async throws {
        try await Self.serve(on: monitor) { address in
            let page = try Data(contentsOf: URL(filePath: Machine.checkout.path("Apps/web/Files/www/index.html")))
            let pageText = String(decoding: page, as: UTF8.self)
            #expect(try await Self.curl(["\(address)/"]) == pageText)
            #expect(try await Self.curl(["--http1.0", "\(address)/"]) == pageText)
            #expect(try await Self.curl(["-r", "2-8", "\(address)/"]) == String(pageText.dropFirst(2).prefix(7)))
            let head = try await Self.curl(["-I", "\(address)/"])
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.contains("\r\nContent-Length: \(page.count)\r\n"))
            let tag = try #require(head.split(separator: "\r\n").first { $0.hasPrefix("ETag: ") }).dropFirst(6)
            #expect(try await Self.status(["-H", "If-None-Match: \(tag)", "\(address)/"]) == "304")
            #expect(try await Self.status(["-r", "999999-", "\(address)/"]) == "416")
            #expect(try await Self.status(["\(address)/nothing"]) == "404")
            #expect(try await Self.status(["-X", "DELETE", "\(address)/"]) == "405")
            #expect(try await Self.status(["-H", "X: \(String(repeating: "x", count: 20_000))", "\(address)/"]) == "431")
            let small = try await Self.curl(["\(address)/small"])
            #expect(small.utf8.count == 200)
            #expect(try await Self.curl(["\(address)/count?n=3&ms=20"]) == "1\n2\n3\n")
            let metrics = try await Self.curl(["\(address)/metrics"])
            #expect(metrics.contains("\nhttp_responses_total{class=\"4xx\"} 4\n"), "\(metrics)")
        }
    }

    @Test(.enabled(if: has("curl"), "no curl here"), arguments: Machine.monitors)
    func `curl's uploads come back whole, however they are sent`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/upload"
        var random = SystemRandomNumberGenerator()
        let bytes = Data((0..<3_000_000).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        try bytes.write(to: URL(filePath: file))
        try await Self.serve(on: monitor) { address in
            let ways = [
                ["-T", file], ["-T", file, "-H", "Transfer-Encoding: chunked"],
                ["--data-binary", "@\(file)", "-H", "Expect: 100-continue"],
            ]
            for way in ways {
                let back = file + ".back"
                _ = try await Self.curl(way + ["-o", back, "\(address)/echo"])
                let returned = try Data(contentsOf: URL(filePath: back))
                #expect(returned == bytes, "\(way)")
                let count = try await Self.curl(way + ["\(address)/upload"])
                #expect(count == "3000000 bytes\n")
            }
        }
    }

    @Test(
        .enabled(if: has("ab") || has("wrk") || has("h2load"), "none of ab, wrk and h2load here"), arguments: Machine.monitors)
    func `ab, wrk and h2load find no fault`(monitor: Monitor) async throws {
        try await Self.serve(on: monitor) { address in
            let url = "\(address)/small"
            if Self.has("ab") {
                for options in [["-k"], []] {
                    let report = try await Command("ab", ["-q"] + options + ["-n", "2000", "-c", "32", url]).limited(toSeconds: 60).output()
                    #expect(report.contains(/Complete requests: +2000\n/) && report.contains(/Failed requests: +0\n/), "\(report)")
                }
            }
            if Self.has("wrk") {
                let report = try await Command("wrk", ["-t1", "-c64", "-d1", url]).limited(toSeconds: 60).output()
                #expect(report.contains("Requests/sec") && !report.contains("errors") && !report.contains("Non-2xx"), "\(report)")
            }
            if Self.has("h2load") {
                let report = try await Command("h2load", ["--h1", "-n", "2000", "-c", "32", url]).limited(toSeconds: 60).output()
                #expect(report.contains("2000 succeeded, 0 failed, 0 errored, 0 timeout"), "\(report)")
            }
        }
    }

    /// Its head never ends; others are served meanwhile.
    @Test(.enabled(if: has("curl"), "no curl here"), arguments: Machine.monitors.prefix(1))
    func `a client that dawdles is told so, and nobody waits for it`(monitor: Monitor) async throws {
        try await Self.serve(on: monitor) { address in
            let place = address.dropFirst("http://".count).replacing(":", with: "/")
            let dawdle =
                "exec 3<>/dev/tcp/\(place); printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n' >&3; (sleep 4; printf 'X: y\\r\\n' >&3) & cat <&3"
            async let slow = Command("bash", ["-c", dawdle]).limited(toSeconds: 40).run()
            for _ in 0..<10 {
                let status = try await Self.status(["\(address)/small"])
                #expect(status == "200")
            }
            let answer = try await slow
            #expect(answer.output.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"), "\(answer.output)")
        }
    }

    // MARK: The server

    /// Runs the app with its port published, and `body` while it serves; then ends it.
    private static func serve(on monitor: Monitor, _ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let image = folder.path + "/\(UUID().uuidString).image"
        _ = try await Command("cp", [try await Machine.image("web"), image]).output()
        try await Machine.buildMonitors()
        let port = Int.random(in: 20_000..<32_000)
        let words = ["run"] + monitor.options + ["--memory", "32M", "-p", "127.0.0.1:\(port):80", image]
        let tool = Machine.checkout.brique(words).limited(toSeconds: 300)
        async let run = tool.run()
        let address = "http://127.0.0.1:\(port)"
        var isUp = false
        for _ in 0..<200 where !isUp {
            isUp = try await Command("curl", ["-s", "-m", "2", "-o", "/dev/null", "\(address)/small"]).run().status == 0
            if !isUp { try await Task.sleep(for: .milliseconds(100)) }
        }
        #expect(isUp, "no answer at \(address)")
        var failure: (any Error)?
        do { if isUp { try await body(address) } } catch { failure = error }
        for process in try Processes.naming(image) { kill(process, SIGTERM) }
        let answer = try await run
        #expect(!answer.errors.contains("failure"), "\(answer.errors)")
        if let failure { throw failure }
    }

    private static func curl(_ arguments: [String]) async throws -> String {
        try await Command("curl", ["-s", "-S", "-m", "60"] + arguments).output()
    }

    private static func status(_ arguments: [String]) async throws -> String {
        try await curl(["-o", "/dev/null", "-w", "%{http_code}"] + arguments)
    }
}
