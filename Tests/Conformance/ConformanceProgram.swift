import Bench
import Foundation
import TestSupport

/// One run of one program of Programs/, the same on Linux and here.
struct ConformanceProgram: Sendable, CustomStringConvertible {
    /// How a C program is linked: what a distribution, a static build or an old compiler gives.
    enum Linkage: String, CaseIterable, Sendable {
        case dynamic, staticPIE, staticFixed, dynamicFixed, musl, muslStatic

        static let glibc: [Linkage] = [.dynamic, .staticPIE, .staticFixed, .dynamicFixed]

        var compiler: String { self == .musl || self == .muslStatic ? "musl-gcc" : "gcc" }

        var options: [String] {
            switch self {
            case .dynamic: ["-fPIE", "-pie"]
            case .staticPIE: ["-fPIE", "-static-pie"]
            case .staticFixed: ["-fno-PIE", "-no-pie", "-static"]
            case .dynamicFixed: ["-fno-PIE", "-no-pie"]
            case .musl: ["-fPIE", "-pie"]
            case .muslStatic: ["-static"]
            }
        }
    }

    var name: String
    var linkage: Linkage
    var arguments: [String] = []
    var description: String { ([name] + arguments).joined(separator: " ") + ", " + linkage.rawValue }

    /// The first three are about users: only root can become another.
    static let needRoot: Set = ["users"]

    /// Names of what a program prints many checks of.
    private static let names = [
        "mmap", "mmap-file", "mremap", "protect", "futex", "pthreads", "clone", "sched", "signals", "signal-queue", "signal-restart",
        "faults", "fpu", "timers", "open", "folders", "contents", "attributes", "locks", "users", "descriptors", "proc", "epoll", "poll",
        "pipes", "unix", "tcp", "udp", "clocks", "process", "pty", "exec", "misuse", "vdso",
    ]

    /// Ways in which `ends` ends.
    private static let ends = [
        "return", "exit", "_exit", "large", "thread", "last", "call", "single", "segv", "fpe", "ill", "abort", "kill", "term", "alarm",
        "pipe",
    ]

    /// Each program in one linkage, in turn, so that all are met.
    static let all: [ConformanceProgram] = {
        let linkages = Linkage.glibc
        var programs = names.enumerated().map { ConformanceProgram(name: $1, linkage: linkages[$0 % linkages.count]) }
        programs += ends.map { ConformanceProgram(name: "ends", linkage: .dynamic, arguments: [$0]) }
        return programs
    }()

    /// With musl, its `ld.so` and its way to make threads. They do without the kernel's own headers, which musl-gcc does not find.
    static let withMusl = ["signals", "epoll", "tcp", "poll", "unix", "clocks", "locks"].enumerated()
        .map { ConformanceProgram(name: $1, linkage: $0 % 2 == 0 ? .musl : .muslStatic) }

    /// One program in every linkage: the loader's ways.
    static let everyLinkage = Linkage.glibc.map { ConformanceProgram(name: "process", linkage: $0) }
}

/// What a run gave.
struct Outcome: Sendable, Equatable {
    var output: String
    var status: Int32
    var isSignalled: Bool

    /// The console is one stream: lines of the library OS's log among a program's are left out.
    init(_ answer: Command.Answer) {
        let lines = answer.output.split(separator: "\n", omittingEmptySubsequences: false)
        output = lines.filter { !$0.hasPrefix("brique: ") }.joined(separator: "\n")
        status = answer.status
        isSignalled = answer.isSignalled
    }

    /// Checks, one a line.
    var checkCount: Int { output.split(separator: "\n").filter { $0.contains(" = ") }.count }

    /// The lines in which another outcome differs: `-` is of this one.
    func difference(to other: Outcome) -> String {
        let changes = other.output.split(separator: "\n").difference(from: output.split(separator: "\n"))
        var lines = changes.prefix(30).map { change in
            switch change {
            case .remove(_, let line, _): "- \(line)"
            case .insert(_, let line, _): "+ \(line)"
            }
        }
        if changes.count > 30 { lines.append("and \(changes.count - 30) more") }
        if status != other.status { lines.append("- status \(status)\n+ status \(other.status)") }
        return lines.joined(separator: "\n")
    }
}
