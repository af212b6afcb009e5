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
    static let pythonOptions = ["/usr/lib/python3.11", "/usr/lib/python3", "/etc/ssl/openssl.cnf"]
        .filter { FileManager.default.fileExists(atPath: $0) }.flatMap { ["--include", $0] }
    private static let perlOptions = ["--include", "/usr/share/perl", "--include", "/usr/lib/x86_64-linux-gnu/perl"]

    static let languages: [ProgramRun] =
        [
            ProgramRun(name: "sqlite3", programs: ["sqlite3"], arguments: ["/tmp/brique-test.db", script("sqlite.sql")]),
            ProgramRun(name: "lua", programs: ["lua5.4", "lua5.3"], arguments: ["-e", script("language.lua")]),
            ProgramRun(name: "jq", programs: ["jq"], arguments: ["-n", "-c", script("language.jq")]),
            ProgramRun(name: "perl", programs: ["perl"], options: perlOptions, arguments: ["-e", script("language.pl")]),
            ProgramRun(name: "php", programs: ["php8.2", "php"], arguments: ["-n", "-r", script("language.php")]),
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

    private static let loop =
        "i=0; while [ $i -lt 5 ]; do i=$((i + 1)); echo $i; done; echo x >/tmp/brique-sh; read a </tmp/brique-sh; echo $a"

    private static let applets: [ProgramRun] = [
        ["echo", "hello", "world"], ["seq", "1", "20000"], ["sha256sum", "/etc/passwd"],
        ["awk", "BEGIN { for (i = 1; i < 9; i++) print i, i * i }"], ["printf", "%s-%05d\\n", "a", "42"], ["expr", "6", "*", "7"],
        ["factor", "1234567"], ["basename", "/a/b/c.txt", ".txt"], ["dirname", "/a/b/c"], ["sort", "-t:", "-k3", "-n", "/etc/passwd"],
        ["sed", "-n", "1,3s/:/ /gp", "/etc/passwd"], ["grep", "-c", ":", "/etc/passwd"], ["cut", "-d:", "-f1,3", "/etc/passwd"],
        ["head", "-n2", "/etc/passwd"], ["wc", "/etc/passwd"], ["od", "-c", "-N64", "/etc/passwd"],
        ["stat", "-c", "%F %a %s", "/etc/passwd"], ["test", "-f", "/etc/passwd"], ["ls", "/etc/passwd"],
        ["readlink", "-f", "/etc/./passwd"], ["dd", "if=/dev/zero", "bs=1000", "count=3"], ["base64", "/etc/passwd"],
        ["sh", "-c", loop], ["false"],
    ].map { ProgramRun(name: "busybox \($0[0])", programs: ["busybox"], options: ["--include", "/etc/passwd"], arguments: $0) }

    @Test(arguments: applets, ProgramServer.monitors)
    func `an applet of busybox gives what it gives on Linux`(run: ProgramRun, monitor: Monitor) async throws {
        try await run.compare(on: monitor, mayFail: true)
    }
}
