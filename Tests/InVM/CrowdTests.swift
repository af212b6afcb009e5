import Bench
import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// Many instances at once do not know of one another.
@Suite(.timeLimit(.minutes(20)), .serialized)
struct CrowdTests {
    private static let count = 200
    private static let line = "Hello from Brique\n"

    @Test(.enabled(if: Monitor.kvm.isPresent, "no KVM here"))
    func `two hundred wait on the KVM monitor, and one dies alone`() async throws { try await expectCrowd(on: .kvm) }

    @Test(.enabled(if: Monitor.process.isPresent, "no process monitor here"))
    func `two hundred wait on the process monitor, and one dies alone`() async throws { try await expectCrowd(on: .process) }

    private func expectCrowd(on monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        let image = path + "/\(UUID().uuidString).image"
        _ = try await Command("cp", [try await Machine.image("wait"), image]).output()
        try await Machine.buildMonitors()
        let command = try await monitor.command(image: image, checkout: Machine.checkout, memory: 2 << 20)
        let ends = try await withThrowingTaskGroup(of: TerminationStatus.self) { group in
            for number in 0..<Self.count {
                group.addTask { try await Self.run(command, output: "\(path)/\(number)") }
            }
            try await Self.watch(image: image, outputs: path)
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(ends.count { $0 == .signaled(SIGKILL) } == 1)
        #expect(ends.count { $0 == .signaled(SIGTERM) || $0 == .exited(128 + SIGTERM) } == Self.count - 1)
        #expect(try Processes.naming(image).isEmpty)
    }

    /// Waits until all are up, kills one, sees that the others live, and ends them.
    private static func watch(image: String, outputs: String) async throws {
        let areUp = try await Processes.wait(seconds: 60) {
            (0..<count).allSatisfy { FileManager.default.contents(atPath: "\(outputs)/\($0)") == Data(line.utf8) }
        }
        #expect(areUp, "not all said hello")
        let crowd = try Processes.naming(image)
        let victim = try #require(crowd.first)
        kill(victim, SIGKILL)
        let isDead = try await Processes.wait(seconds: 5) { !Processes.isAlive(victim) }
        #expect(isDead)
        try await Task.sleep(for: .milliseconds(500))
        // A monitor may be more than one process; the victim's go with it.
        let perInstance = crowd.count / count
        #expect(crowd.count(where: Processes.isAlive) == crowd.count - perInstance)
        for member in crowd where member != victim { kill(member, SIGTERM) }
    }

    private static func run(_ command: Bench.Command, output: String) async throws -> TerminationStatus {
        let file = try FileDescriptor.open(FilePath(output), .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
        return try await Subprocess.run(
            .path(FilePath(command.program)), arguments: Arguments(command.arguments), environment: .custom([:]), input: .none,
            output: .fileDescriptor(file, closeAfterSpawningProcess: true), error: .discarded
        ).terminationStatus
    }
}
