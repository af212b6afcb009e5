import Foundation
import Testing

@testable import BriqueTool

/// Signals belong to the whole process, so these run one after another.
@Suite(.serialized) struct SupervisorTests {
    private func shell(_ script: String, collected: [Int32] = [3], environment: [String] = []) throws -> (ChildEnd, String) {
        var bytes: [UInt8] = []
        let outcome = try Supervisor.run(
            ChildLaunch(path: "/bin/sh", arguments: ["-c", script], environment: environment, collected: collected, withoutInput: true),
            receive: { bytes += $0 })
        return (outcome.end, String(decoding: bytes, as: UTF8.self))
    }

    @Test func `a child's exit status is returned`() throws {
        #expect(try shell("exit 7").0 == .exited(7))
    }

    @Test func `a child's signal is returned`() throws {
        #expect(try shell("kill -SEGV $$").0 == .signalled(11))
    }

    @Test func `everything written before the end is received`() throws {
        let (end, text) = try shell("i=0; while [ $i -lt 20000 ]; do echo line $i >&3; i=$((i+1)); done; exit 3")
        #expect(end == .exited(3))
        #expect(text.split(separator: "\n").count == 20000)
    }

    @Test func `a child has the environment that is given and nothing else`() throws {
        let (_, text) = try shell("/usr/bin/env >&3", environment: ["A=b c"])
        let variables = Set(text.split(separator: "\n").map(String.init))
        #expect(variables.contains("A=b c"))
        // The shell itself adds these.
        #expect(
            variables.filter { !$0.hasPrefix("PWD=") && !$0.hasPrefix("SHLVL=") && !$0.hasPrefix("_=") && !$0.hasPrefix("OLDPWD=") } == [
                "A=b c"
            ])
    }

    @Test func `a child blocks no signal, whatever thread starts it`() async throws {
        let mask = try await Task.detached { try self.shell("grep SigBlk /proc/self/status >&3").1 }.value
        #expect(mask == "SigBlk:\t0000000000000000\n")
    }

    @Test func `no descriptor beyond those given is inherited`() throws {
        let (_, text) = try shell("for f in /proc/self/fd/*; do [ -e $f ] && echo ${f##*/} >&3; done; true")
        #expect(Set(text.split(separator: "\n").map(String.init)).isSubset(of: ["0", "1", "2", "3"]))
    }

    @Test(arguments: ["TERM", "INT", "HUP", "QUIT"])
    func `a signal from another process is passed on`(name: String) throws {
        let numbers: [String: Int32] = ["TERM": 15, "INT": 2, "HUP": 1, "QUIT": 3]
        // The sender is a grandchild, so that the shell is free to die.
        let (end, text) = try shell(
            "trap 'echo got >&3; exit 9' \(name); kill -\(name) $PPID; i=0; while [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done")
        #expect(end == .exited(9) && text == "got\n", "signal \(numbers[name] ?? 0)")
    }

    @Test func `a child that ignores signals is killed at last`() throws {
        let script = "trap '' TERM; for i in 1 2 3; do kill -TERM $PPID; sleep 0.2; done; sleep 5"
        #expect(try shell(script).0 == .signalled(9))
    }

    @Test func `a program that is not there is one clear failure`() {
        #expect(throws: ToolFailure.self) {
            try Supervisor.run(ChildLaunch(path: "/nonexistent/program", arguments: [], environment: []))
        }
    }

    // MARK: Instances, on a monitor that is a shell script

    private func installation(_ folder: borrowing TemporaryFolder, monitor script: String) throws -> Installation {
        try folder.write("{}", to: "Tools/Toolchain/guest.json")
        try folder.write(
            "#!/bin/sh\n" + script, to: ".build-monitor/x86_64-unknown-linux-gnu/release/brique-monitor-process", permissions: 0o755)
        return try Installation(environment: ["BRIQUE_HOME": folder.path], executable: "")
    }

    private func run(_ folder: borrowing TemporaryFolder, script: String, arguments: [String] = []) async throws -> ChildEnd {
        let installation = try installation(folder, monitor: script)
        let instance = Instance(
            image: "/x/a.image", memory: .standard, environment: ["K=V"], arguments: arguments, accelerator: .tcg)
        return try await InstanceRun(instance: instance, installation: installation, isVerbose: false).run(on: .one(.process))
    }

    @Test func `a monitor is given image, memory, control descriptor and arguments`() async throws {
        let folder = try TemporaryFolder()
        let script = "printf '%s|' \"$@\" \"$K\" > \(folder.path)/seen\nexit 5\n"
        #expect(try await run(folder, script: script, arguments: ["a b", "--", ""]) == .exited(5))
        #expect(try folder.text(of: "seen") == "/x/a.image|16777216|3|a b|--||V|")
    }

    @Test func `a refusal's status is the tool's`() async throws {
        let folder = try TemporaryFolder()
        #expect(try await run(folder, script: "echo 'error 78 too small' >&3; exit 78\n") == .exited(78))
    }

    @Test func `a monitor that cannot run here is named with its reason`() async throws {
        let folder = try TemporaryFolder()
        let failure = await #expect(throws: ToolFailure.self) {
            try await run(folder, script: "echo 'error 69 no such thing' >&3; exit 69\n")
        }
        #expect(failure == ToolFailure(.monitorUnavailable, "no monitor can run here: process: no such thing"))
    }

    @Test func `a monitor that writes nonsense is survived`() async throws {
        let folder = try TemporaryFolder()
        let script = "head -c 100000 /dev/urandom >&3; echo 'crash kind=panic message=x' >&3; exit 134\n"
        #expect(try await run(folder, script: script) == .exited(134))
    }
}

@Test func `a status that stands for the user's signal is that signal`() {
    #expect(ChildOutcome(end: .exited(143), interruptedBy: 15).asProcess == .signalled(15))
    #expect(ChildOutcome(end: .exited(143), interruptedBy: 2).asProcess == .exited(143))
    #expect(ChildOutcome(end: .exited(143), interruptedBy: nil).asProcess == .exited(143))
    #expect(ChildOutcome(end: .signalled(9), interruptedBy: 15).asProcess == .signalled(9))
}

@Test func `lines are gathered from chunks and long ones dropped`() {
    var lines = LineCollector(lineByteLimit: 4)
    #expect(lines.lines(adding: Array("ab".utf8)) == [])
    #expect(lines.lines(adding: Array("cd\n\nlonger\nx".utf8)) == ["abcd", ""])
    #expect(lines.rest() == "x")
    #expect(lines.rest() == nil)
}
