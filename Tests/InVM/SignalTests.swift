import Bench
import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// A signal ends the instance as it would a process, and nothing is left.
@Suite(.timeLimit(.minutes(20)), .serialized)
struct SignalTests {
    enum Way: String, CaseIterable { case interrupt, terminate, kill }

    @Test(arguments: Machine.monitors, Way.allCases)
    func `a signal to the tool ends a hanging instance`(monitor: Monitor, way: Way) async throws {
        try await expectEnd(app: "crash", arguments: ["hang"], on: monitor, way: way)
    }

    @Test(arguments: Machine.monitors, Way.allCases)
    func `a signal to the tool ends a waiting instance`(monitor: Monitor, way: Way) async throws {
        try await expectEnd(app: "wait", arguments: [], on: monitor, way: way)
    }

    private func expectEnd(app: String, arguments: [String], on monitor: Monitor, way: Way) async throws {
        let folder = try TemporaryFolder()
        let image = folder.path + "/\(UUID().uuidString).image"
        _ = try await Command("cp", [try await Machine.image(app), image]).output()
        try await Machine.buildMonitors()
        let command = Machine.checkout.brique(["run"] + monitor.options + [image, "--"] + arguments)
        let signal: Signal =
            switch way {
            case .interrupt: .interrupt
            case .terminate: .terminate
            case .kill: .kill
            }
        var options = PlatformOptions()
        options.createSession = true
        let outcome = try await Subprocess.run(
            .path(FilePath(command.program)), arguments: Arguments(command.arguments),
            environment: .inherit.updating(["BRIQUE_HOME": Machine.checkout.root]), platformOptions: options, input: .none,
            output: .sequence, error: .string(limit: 1 << 20)
        ) { execution in
            for try await _ in execution.standardOutput { break }
            #expect(try !Processes.naming(image).isEmpty)
            try execution.send(signal: signal)
        }
        #expect(outcome.terminationStatus == .signaled(signal.rawValue))
        #expect(try await Processes.wait(seconds: 5) { try Processes.naming(image).isEmpty }, "a process was left behind")
    }
}
