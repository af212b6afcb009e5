import Bench
import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// What an instance, or a monitor that it took over, can reach: nothing.
@Suite(.timeLimit(.minutes(20)))
struct IsolationTests {
    static let calls = ["open", "socket", "ptrace", "mprotect", "execve"]

    @Test(.enabled(if: Monitor.process.isPresent, "no process monitor here"), arguments: calls)
    func `a hostile image under the process monitor is killed, and the call is named`(call: String) async throws {
        let answer = try await Machine.run("hostile", on: .process, arguments: [call])
        #expect(answer.output == "about to \(call)\n")
        #expect(answer.status == 159)
        #expect(answer.errors.contains("refused system call \(call) "), "\(answer.errors)")
    }

    @Test(arguments: Machine.monitors.filter { $0 != .process }, calls)
    func `a hostile image in a virtual machine finds no call to make`(monitor: Monitor, call: String) async throws {
        let answer = try await Machine.run("hostile", on: monitor, arguments: [call])
        #expect(answer.output == "about to \(call)\n")
        // #UD where the instruction is off; a fault at its target where the host's KVM leaves it on at CPL 3.
        #expect([132, 139].contains(answer.status), "\(answer.errors)")
    }

    private static let sigsys = "31"

    @Test(arguments: [Monitor.kvm, .process].filter(\.isPresent))
    func `a monitor cannot open a file once its instance runs`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let inject = folder.path + "/inject"
        _ = try await Command("clang", ["-O2", "-Wall", "-Werror", "-o", inject, Repository.path("Tests/InVM/Programs/inject.c")]).output()
        let image = try await Machine.image("wait")
        try await Machine.buildMonitors()
        let command = try await monitor.command(image: image, checkout: Machine.checkout, memory: 16 << 20)
        _ = try await Subprocess.run(
            .path(FilePath(command.program)), arguments: Arguments(command.arguments), environment: .custom([:]), input: .none,
            output: .sequence, error: .discarded
        ) { execution in
            for try await _ in execution.standardOutput { break }
            try await Task.sleep(for: .milliseconds(200))
            // The process monitor's instance may be a child of it; the last of the line holds the guest.
            let pid = try #require(WaitingInstance.family(of: execution.processIdentifier.value).last)
            #expect(Processes.status("Seccomp", of: pid) == "2")
            #expect(Processes.status("NoNewPrivs", of: pid) == "1")
            #expect(try await Command(inject, [String(pid)]).output() == "killed \(Self.sigsys)\n")
            try? execution.send(signal: .kill)
        }
    }

    @Test func `the injected call opens a file where nothing forbids it`() async throws {
        let folder = try TemporaryFolder()
        let inject = folder.path + "/inject"
        _ = try await Command("clang", ["-O2", "-o", inject, Repository.path("Tests/InVM/Programs/inject.c")]).output()
        _ = try await Subprocess.run(
            .name("sleep"), arguments: ["60"], input: .none, output: .discarded, error: .discarded
        ) { execution in
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await Command(inject, [String(execution.processIdentifier.value)]).output() == "answered 3\n")
            try? execution.send(signal: .kill)
        }
    }
}
