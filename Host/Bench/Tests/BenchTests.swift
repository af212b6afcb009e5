import Foundation
import Testing

@testable import Bench

struct SeriesTests {
    @Test func `the median of an odd count is the middle, of an even count the mean of two`() {
        #expect(Series(milliseconds: [3, 1, 2]).median == 2)
        #expect(Series(milliseconds: [4, 1, 2, 3]).median == 2.5)
        #expect(Series().median == nil)
    }

    @Test func `values come in any order`() {
        var series = Series()
        for value in [5.0, 1, 9, 3] { series.add(value) }
        #expect(series.minimum == 1)
        #expect(series.maximum == 9)
        #expect(series.median == 4)
    }
}

struct LeastMemoryTests {
    @Test(arguments: [1, 4_096, 4_097, 1_000_000])
    func `bisection finds the first step that works`(need: Int) async throws {
        let least = try await LeastMemory.find(enough: 16 << 20, step: 4_096) { $0 >= need }
        #expect(least == (need + 4_095) / 4_096 * 4_096)
    }

    @Test func `nothing is found when even enough is too little`() async throws {
        #expect(try await LeastMemory.find(enough: 1 << 20, step: 4_096) { _ in false } == nil)
    }
}

struct InstructionCountTests {
    @Test func `the count begins at the entry`() {
        let log = """
            Trace 0: 0x7f00 [0000000000000000/00000000000fff00/00000040/ff200200]
            Trace 0: 0x7f10 [0000000000000000/0000000000101000/00000040/ff200200]
            Stopped execution of TB chain before 0x7f20 [0000000000101002]
            Trace 0: 0x7f20 [0000000000000000/0000000000101002/00000040/ff200200]

            """
        #expect(InstructionCount.lines(in: Data(log.utf8), from: 0x101000) == 2)
        #expect(InstructionCount.lines(in: Data(log.utf8), from: 0x102000) == 0)
    }
}

struct LauncherTests {
    @Test func `a line of the launcher is read`() throws {
        let start = try Launcher.parse("1500000 2000000 7", of: "x")
        #expect(start.firstOutputMilliseconds == 1.5)
        #expect(start.exitMilliseconds == 2)
        #expect(start.status == 7)
        #expect(try Launcher.parse("-1 2000000 7", of: "x").firstOutputMilliseconds == nil)
    }

    @Test(arguments: ["", "1 2", "a b c"])
    func `another line is refused`(line: String) {
        #expect(throws: BenchError.self) { try Launcher.parse(line[...], of: "x") }
    }
}

struct ReportTests {
    private func report(process: Double) throws -> Report {
        var report = Report(machine: "a machine", load: "0", rounds: 3)
        for (key, milliseconds) in [("static", 0.2), ("brique-process", process)] {
            let spread = try #require(Report.Spread(Series(milliseconds: [milliseconds])))
            report.rows.append(
                Report.Row(key: key, title: "<\(key)>", runs: 1, firstOutput: spread, exit: spread, ratio: milliseconds / 0.2))
        }
        report.targets = Targets(report: report).all
        return report
    }

    @Test func `a target is reached, missed or not measured`() throws {
        #expect(try report(process: 0.25).targets[0].isReached == true)
        #expect(try report(process: 0.35).targets[0].isReached == false)
        #expect(try report(process: 0.25).targets[1].isReached == nil)
    }

    @Test func `the table names every row and target`() throws {
        let report = try report(process: 0.35)
        for row in report.rows { #expect(report.table.contains(row.title)) }
        for target in report.targets { #expect(report.table.contains(target.title)) }
        #expect(report.table.contains("MISSED"))
    }

    @Test func `the plot is well-formed and escapes titles`() throws {
        let plot = try report(process: 0.35).plot
        #expect(plot.contains("&lt;static>"))
        let parser = XMLCheck()
        #expect(parser.isWellFormed(plot))
    }
}

/// Counts open and closed elements: enough to see a plot that a browser would refuse.
private struct XMLCheck {
    func isWellFormed(_ text: String) -> Bool {
        let opened = text.matches(of: /<[a-z]+[^>]*[^\/]>|<[a-z]+>/).count
        let closed = text.matches(of: /<\/[a-z]+>/).count
        return opened == closed && text.hasPrefix("<svg ") && text.hasSuffix("</svg>\n")
    }
}

@Test func `wrk's report is read in whatever unit it chose`() throws {
    func report(_ tail: String) -> String {
        "  Latency Distribution\n     50%  355.00us\n     99%    \(tail)\n  10 requests in 1.00s\nRequests/sec:  56191.05\n"
    }
    for (word, milliseconds) in [("9.67ms", 9.67), ("800.00us", 0.8), ("1.20s", 1200)] {
        let (rate, tail) = try NetContender.parse(wrk: report(word))
        #expect(rate == 56191.05 && abs(tail - milliseconds) < 1e-9)
    }
    #expect(throws: BenchError.self) { try NetContender.parse(wrk: "") }
    #expect(throws: BenchError.self) { try NetContender.parse(wrk: report("1ms") + "Non-2xx or 3xx responses: 4\n") }
}

struct LinuxBenchTests {
    @Test func `what redis-benchmark says is read`() throws {
        let rates = try LinuxBench.parse(redis: "\"test\",\"rps\"\n\"SET\",\"61349.70\",\"0.4\"\n\"GET\",\"62500.00\",\"0.3\"\n")
        #expect(rates.map(\.verb) == ["SET", "GET"])
        #expect(rates.map(\.rate) == [61349.70, 62500])
        #expect(throws: BenchError.self) { try LinuxBench.parse(redis: "Could not connect") }
    }

    @Test func `the median of ratios decides`() {
        let target = LinuxBench.Limit.atMost(2, "x").target("a", Readings([1, 5, 1.5]))
        #expect(target.isReached == true)
        #expect(target.measured.hasPrefix("1.5"))
        #expect(LinuxBench.Limit.atLeast(2, "x").target("a", Readings()).isReached == nil)
    }
}
