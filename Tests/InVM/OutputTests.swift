import Bench
import TestSupport
import Testing

/// One file, the same words on every monitor.
@Suite(.timeLimit(.minutes(20)))
struct OutputTests {
    @Test(.enabled(if: Monitor.kvm.isPresent, "no KVM here"))
    func `hello is printed on the KVM monitor`() async throws { try await expectHello(on: .kvm) }

    @Test(.enabled(if: Monitor.process.isPresent, "no process monitor here"))
    func `hello is printed on the process monitor`() async throws { try await expectHello(on: .process) }

    @Test(.enabled(if: Monitor.microvm.isPresent, "no QEMU here"))
    func `hello is printed on QEMU microvm`() async throws { try await expectHello(on: .microvm) }

    @Test(.enabled(if: Monitor.q35.isPresent, "no QEMU here"))
    func `hello is printed on QEMU q35`() async throws { try await expectHello(on: .q35) }

    private func expectHello(on monitor: Monitor) async throws {
        let answer = try await Machine.run("hello", on: monitor)
        #expect(answer.output == "Hello from Brique\n")
        #expect(answer.errors == "")
        #expect(answer.status == 0)
    }

    static let tasks = """
        timers: 50 ms
        timers: 100 ms
        timers: 150 ms
        timers: none fired early: true
        groups: 1 + … + 1000 = 500500
        actors: counted to 1000
        cancellation: cancelled
        cancellation: the handler ran
        cancellation: seen by the task: true
        streams: 1
        streams: 4
        streams: 9
        streams: 16
        streams: 25
        children: 610 and 144
        fibers: a1
        fibers: b1
        fibers: a2
        fibers: b2
        fibers: a3
        fibers: b3
        fibers: a task answered 55
        tasks: done

        """

    @Test(arguments: Machine.monitors)
    func `tasks take their turns the same way everywhere`(monitor: Monitor) async throws {
        let answer = try await Machine.run("tasks", on: monitor)
        #expect(answer.output == Self.tasks)
        #expect(answer.errors == "")
        #expect(answer.status == 0)
    }

    static let memory = """
        blocks intact: true
        filled: true
        freed all: true
        blocks intact: true
        filled again as far: true
        blocks intact: true
        small blocks hold half as much or more: true
        one block of everything: true
        more than there is: refused

        """

    @Test(arguments: Machine.monitors, ["2M", "16M"])
    func `memory fills, frees and fills again`(monitor: Monitor, memory: String) async throws {
        let answer = try await Machine.run("memory", on: monitor, memory: memory)
        #expect(answer.output == Self.memory)
        #expect(answer.status == 0)
    }

    @Test func `running an image does not change it`() async throws {
        for app in ["hello", "tasks", "echo"] {
            let image = try await Machine.image(app)
            let before = try await Command("sha256sum", [image]).output()
            for monitor in Machine.monitors { _ = try await Machine.run(app, on: monitor) }
            #expect(try await Command("sha256sum", [image]).output() == before)
        }
    }
}
