/// What the project must reach, beside what was measured.
struct Targets {
    let report: Report

    var all: [Report.Target] {
        [
            ratio("first output, process monitor / fork+exec", "brique-process", over: StartBench.reference, atMost: 1.5),
            ratio("first output, KVM monitor / fork+exec", "brique-kvm", over: StartBench.reference, atMost: 4),
            ratio("crun / KVM monitor", "crun", over: "brique-kvm", atLeast: 8),
            ratio("docker run / KVM monitor", "docker", over: "brique-kvm", atLeast: 100),
            spt,
            figure("instructions from entry to the end of hello, QEMU microvm", "instructions", atMost: 200_000),
            overFloor("microvm"),
            overFloor("q35"),
            figure("hello image", "bytes-hello", atMost: 16_384),
            figure("image of a hello with the async runtime (wait)", "bytes-wait", atMost: 73_728),
            figure("least memory for hello, KVM monitor", "least-hello-kvm", atMost: 1_048_576),
            figure("least memory for hello, process monitor", "least-hello-process", atMost: 1_048_576),
            figure("least memory for hello, QEMU microvm", "least-hello-microvm", atMost: 2_097_152),
            figure("least memory for hello, QEMU q35", "least-hello-q35", atMost: 2_097_152),
            figure("host memory of a waiting hello, KVM monitor (PSS)", "pss-kvm", atMost: 2_000_000),
            figure("host memory of a waiting hello, process monitor (PSS)", "pss-process", atMost: 1_000_000),
            figure("idle instance, KVM monitor, part of a processor", "idle-kvm", atMost: 0.001),
            figure("idle instance, process monitor, part of a processor", "idle-process", atMost: 0.001),
            figure("a yield between two tasks, KVM monitor", "yield-kvm", atMost: 200),
            figure("a yield between two tasks, process monitor", "yield-process", atMost: 200),
            figure("app edit to running again", "edit", atMost: 5),
        ]
    }

    private func target(_ title: String, _ limit: String, _ measured: Double?, unit: String, isReached: (Double) -> Bool) -> Report.Target {
        Report.Target(
            title: title, limit: limit + unit, measured: measured.map { Report.number($0) + unit } ?? "-",
            isReached: measured.map(isReached))
    }

    private func figure(_ title: String, _ key: String, atMost limit: Double) -> Report.Target {
        let unit = report.figures.first { $0.key == key }?.unit ?? ""
        return target(title, "<= " + Report.number(limit), report.figure(key), unit: " " + unit) { $0 <= limit }
    }

    private func quotient(_ key: String, _ other: String) -> Double? {
        guard let row = report.row(key), let base = report.row(other) else { return nil }
        return row.firstOutput.median / base.firstOutput.median
    }

    private func ratio(_ title: String, _ key: String, over other: String, atMost limit: Double) -> Report.Target {
        target(title, "<= " + Report.number(limit), quotient(key, other), unit: "x") { $0 <= limit }
    }

    private func ratio(_ title: String, _ key: String, over other: String, atLeast limit: Double) -> Report.Target {
        target(title, ">= " + Report.number(limit), quotient(key, other), unit: "x") { $0 >= limit }
    }

    /// Solo5 spt here, or where it is not installed its recorded six times a static ELF.
    private var spt: Report.Target {
        let recorded = 6.0
        guard let ours = report.row("brique-process")?.exit.median, let plain = report.row(StartBench.reference)?.exit.median else {
            return target("Solo5 spt / process monitor, exec to exit", ">= 3", nil, unit: "x") { $0 >= 3 }
        }
        let theirs = report.row("solo5-spt")?.exit.median
        let title =
            theirs == nil
            ? "6 x fork+exec (Solo5 spt as recorded) / process monitor, exec to exit" : "Solo5 spt / process monitor, exec to exit"
        return target(title, ">= 3", (theirs ?? recorded * plain) / ours, unit: "x") { $0 >= 3 }
    }

    private func overFloor(_ machine: String) -> Report.Target {
        let ours = report.row("brique-\(machine)")?.firstOutput.median
        let floor = report.row("floor-\(machine)")?.firstOutput.median
        let difference = ours.flatMap { ours in floor.map { ours - $0 } }
        return target("hello over the floor guest, QEMU \(machine) tcg", "<= 10", difference, unit: " ms") { $0 <= 10 }
    }
}
