import Bench
import Foundation
import TestSupport
import Testing

/// Instances on TAPs of namespaces made for each test: as root, with iproute2; elsewhere they are reported as skipped.
@Suite(.timeLimit(.minutes(20)), .serialized, .enabled(if: NetworkLab.reasonAgainst == nil, "namespaces and TAPs take root and iproute2"))
struct TAPTests {
    private static let byteCount = 3_000_000

    /// The stream of Apps/bulk: word k is k times a constant, lowest byte first.
    private static func pattern() -> Data {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        for index in 0..<UInt64(byteCount / 8) {
            let word = index &* 0x9e37_79b9_7f4a_7c15
            for shift in 0..<8 as Range<UInt64> { bytes.append(UInt8(truncatingIfNeeded: word >> (8 * shift))) }
        }
        return Data(bytes)
    }

    private func start(_ monitor: Monitor, in lab: NetworkLab, _ options: [String] = []) async throws {
        let image = try await Machine.image("bulk")
        try await Machine.buildMonitors()
        try await lab.addTAP("t0")
        let network = ["--network", "tap:t0", "--ip", NetworkLab.serverAddress + "/24", "--ip", "fd00:9::2/64"]
        let words = [Machine.checkout.tool, "run"] + monitor.options + ["--memory", "32M"] + network + options + [image]
        try lab.start(in: lab.client, words, environment: ["BRIQUE_HOME": Machine.checkout.root])
        try await lab.waitForServer(port: 5002)
    }

    @Test(arguments: Machine.monitors)
    func `what an instance sends by large segments arrives byte for byte, and it answers ping`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/stream"
        try Self.pattern().write(to: URL(filePath: file))
        let lab = try await NetworkLab()
        defer { lab.stop() }
        try await start(monitor, in: lab)
        let line = "exec 3<>/dev/tcp/\(NetworkLab.serverAddress)/5002; echo GET \(Self.byteCount) >&3; cmp - \(file) <&3"
        let answer = try await lab.client.command(["bash", "-c", line]).limited(toSeconds: 60).run()
        #expect(answer.status == 0, "\(answer.errors) \(answer.output)")
        guard Command.find("ping") != nil else { return }
        _ = try await lab.client.command(["ip", "addr", "add", "fd00:9::1/64", "dev", "t0", "nodad"]).output()
        for address in [NetworkLab.serverAddress, "fd00:9::2"] {
            let ping = try await lab.client.command(["ping", "-c", "2", "-i", "0.2", "-W", "5", address]).run()
            #expect(ping.status == 0, "\(address): \(ping.output)")
        }
    }

    @Test(arguments: [Monitor.process, .kvm].filter(\.isPresent))
    func `instances on one bridge find each other by name, without any address given`(monitor: Monitor) async throws {
        let server = try await Machine.image("web"), client = try await Machine.image("fetch")
        try await Machine.buildMonitors()
        let lab = try await NetworkLab()
        defer { lab.stop() }
        for words in [["ip", "link", "add", "br0", "type", "bridge"], ["ip", "link", "set", "br0", "up"]] {
            _ = try await lab.client.command(words).output()
        }
        let run = [Machine.checkout.tool, "run"] + monitor.options + ["--network", "bridge:br0"]
        let environment = ["BRIQUE_HOME": Machine.checkout.root]
        try lab.start(in: lab.client, run + ["--hostname", "one", server], environment: environment)
        var answer = ""
        for _ in 0..<20 where answer.isEmpty {
            var asking = lab.client.command(run + ["--hostname", "two", client, "--", "http://one/small"])
            asking.environment = (asking.environment ?? ProcessInfo.processInfo.environment).merging(environment) { $1 }
            answer = try await asking.limited(toSeconds: 60).run().output
        }
        #expect(answer.utf8.count == 200)
    }

    @Test func `a trace holds what passed the link`() async throws {
        let folder = try TemporaryFolder()
        let lab = try await NetworkLab()
        defer { lab.stop() }
        try await start(.process, in: lab, ["--pcap", folder.path + "/trace"])
        let trace = try Data(contentsOf: URL(filePath: folder.path + "/trace"))
        #expect(trace.prefix(4) == Data([0x4d, 0x3c, 0xb2, 0xa1]))
        // ARP and the three packets of a connection at least.
        #expect(trace.count > 24 + 5 * (16 + 42))
    }
}
