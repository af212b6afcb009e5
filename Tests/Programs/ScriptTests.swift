import Bench
import Foundation
import TestSupport
import Testing

/// Programs that run to their end, with the same words on Linux and in an instance.
@Suite(.timeLimit(.minutes(20)))
struct ScriptTests {
    /// The text of a file of Scripts/.
    static func script(_ name: String) -> String {
        (try? String(contentsOfFile: Repository.path("Tests/Programs/Scripts/" + name), encoding: .utf8)) ?? "\(name) is missing"
    }

    static let python = ["python3.11", "python3"]
    static let pythonOptions = includes("/usr/lib/python3.11", "/usr/lib/python3", "/etc/ssl/openssl.cnf")
    private static let perlOptions = includes("/usr/share/perl", "/usr/lib/x86_64-linux-gnu/perl", "/usr/lib/locale/C.utf8")

    /// Those of the folders that are here.
    static func includes(_ folders: String...) -> [String] {
        folders.filter { FileManager.default.fileExists(atPath: $0) }.flatMap { ["--include", $0] }
    }

    static let languages: [ProgramRun] =
        [
            ProgramRun(name: "sqlite3", programs: ["sqlite3"], arguments: ["/tmp/brique-test.db", script("sqlite.sql")]),
            ProgramRun(name: "lua", programs: ["lua5.4", "lua5.3"], arguments: ["-e", script("language.lua")]),
            ProgramRun(name: "jq", programs: ["jq"], arguments: ["-n", "-c", script("language.jq")]),
            ProgramRun(name: "perl", programs: ["perl"], options: perlOptions, arguments: ["-e", script("language.pl")]),
            ProgramRun(
                name: "php", programs: ["php8.2", "php"], options: includes("/usr/share/zoneinfo"),
                arguments: ["-n", "-r", script("language.php")]),
        ]
        + ["json.py", "sqlite.py", "ssl.py", "threading.py", "asyncio.py", "system.py"].map {
            ProgramRun(name: $0, programs: python, options: pythonOptions, arguments: ["-c", script($0)])
        }
        + ["workers.js", "files.js"].map { ProgramRun(name: $0, programs: ["node"], arguments: ["-e", script($0)], memory: "1G") }

    @Test(arguments: languages, ProgramServer.monitors)
    func `a language gives what it gives on Linux`(run: ProgramRun, monitor: Monitor) async throws {
        try await run.compare(on: monitor)
    }

    @Test(.enabled(if: Monitor.microvm.isPresent, "no QEMU here")) func `python3 runs under QEMU from the same image`() async throws {
        let run = ProgramRun(
            name: "json.py", programs: Self.python, options: Self.pythonOptions, arguments: ["-c", Self.script("json.py")])
        try await run.compare(on: .microvm)
    }
}
