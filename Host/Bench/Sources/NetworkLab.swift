import Foundation

/// Network namespaces for one contender: a client's, and a server's for Linux programs. They and what runs in them end with this program.
public final class NetworkLab {
    /// A namespace, held by a process that sleeps.
    public struct Namespace {
        let holder: Process
        var process: Int32 { holder.processIdentifier }

        public func command(_ words: [String]) -> Command {
            Command("nsenter", ["--target", String(process), "--net", "--"] + words)
        }
    }

    public static let clientAddress = "10.9.0.1", serverAddress = "10.9.0.2"

    public let client: Namespace
    private var processes: [Process] = []

    /// Why no namespaces can be made here; nil when they can.
    public static var reasonAgainst: String? {
        if getuid() != 0 { return "network namespaces and TAPs take root" }
        for program in ["unshare", "nsenter", "setpriv", "ip"] where Command.find(program) == nil { return "no \(program) on PATH" }
        return FileManager.default.fileExists(atPath: "/dev/net/tun") ? nil : "no /dev/net/tun"
    }

    public init() async throws {
        client = try Self.makeNamespace()
        try await Self.settle(client)
    }

    deinit { stop() }

    public func stop() {
        let all = processes.reversed() + [client.holder]
        processes = []
        for process in all where process.isRunning { process.terminate() }
        // Gone in a moment, or killed.
        for _ in 0..<200 where all.contains(where: \.isRunning) { usleep(10_000) }
        for process in all where process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    private static func makeNamespace() throws -> Namespace {
        Namespace(holder: try start(["unshare", "--net", "--", "sleep", "infinity"]))
    }

    /// Until `unshare` has left this program's own namespace.
    private static func settle(_ namespace: Namespace) async throws {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
        for _ in 0..<200 {
            let its = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(namespace.process)/ns/net")
            if let its, its != own {
                _ = try await namespace.command(["ip", "link", "set", "lo", "up"]).output()
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw BenchError.unexpected("no network namespace was made")
    }

    /// A program that is killed when this one ends.
    private static func start(_ words: [String], environment: [String: String]? = nil, output: Pipe? = nil) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/setpriv")
        process.arguments = ["--pdeathsig", "KILL", "--"] + words
        if let environment { process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 } }
        process.standardOutput = output ?? FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try SpawningThread.shared.start(process)
        return process
    }

    /// Runs in a namespace until the lab stops.
    public func start(in namespace: Namespace, _ words: [String], environment: [String: String]? = nil) throws {
        let line = ["nsenter", "--target", String(namespace.process), "--net", "--"] + words
        processes.append(try Self.start(line, environment: environment))
    }

    /// Until the server takes connections at `port`.
    public func waitForServer(port: Int) async throws {
        let target = "/dev/tcp/\(Self.serverAddress)/\(port)"
        for _ in 0..<100 {
            let answer = try await client.command(["bash", "-c", "exec 3<>\(target)"]).limited(toSeconds: 2).run()
            if answer.status == 0 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchError.unexpected("no connection to \(Self.serverAddress), port \(port)")
    }

    // MARK: Paths

    /// A TAP in the client's namespace, whose other side is whoever opens it.
    public func addTAP(_ name: String) async throws {
        try await configure(
            client, [["ip", "tuntap", "add", "dev", name, "mode", "tap", "vnet_hdr"]] + Self.up(name, Self.clientAddress))
    }

    /// A server's namespace behind a veth pair.
    public func addServerBehindVeth() async throws -> Namespace {
        let server = try await addNamespace()
        try await configure(
            client,
            [
                ["ip", "link", "add", "c0", "type", "veth", "peer", "name", "s0"],
                ["ip", "link", "set", "s0", "netns", String(server.process)],
            ] + Self.up("c0", Self.clientAddress))
        try await configure(server, Self.up("s0", Self.serverAddress))
        return server
    }

    /// A server's namespace behind two TAPs and a program that carries frames between them.
    public func addServerBehindRelay(_ relay: String) async throws -> Namespace {
        let server = try await addNamespace()
        try start(in: client, [relay, "c0", "s0", String(server.process)])
        try await waitForLink("s0", in: server)
        try await configure(client, Self.up("c0", Self.clientAddress))
        try await configure(server, Self.up("s0", Self.serverAddress))
        return server
    }

    private func waitForLink(_ name: String, in namespace: Namespace) async throws {
        for _ in 0..<200 {
            if try await namespace.command(["ip", "link", "show", name]).run().status == 0 { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw BenchError.unexpected("no link \(name) appeared")
    }

    private func addNamespace() async throws -> Namespace {
        let namespace = try Self.makeNamespace()
        processes.append(namespace.holder)
        try await Self.settle(namespace)
        return namespace
    }

    private static func up(_ name: String, _ address: String) -> [[String]] {
        [["ip", "addr", "add", address + "/24", "dev", name], ["ip", "link", "set", name, "up"]]
    }

    private func configure(_ namespace: Namespace, _ lines: [[String]]) async throws {
        for line in lines { _ = try await namespace.command(line).output() }
    }
}
