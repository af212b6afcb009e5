import Foundation

/// A bundle that holds the tiny program alone, and how crun and runc are started on it: namespaces, no cgroups.
struct Container {
    let folder: String

    init(folder: String, program: String) throws {
        self.folder = folder
        let files = FileManager.default
        for name in ["proc", "dev"] { try files.createDirectory(atPath: "\(folder)/rootfs/\(name)", withIntermediateDirectories: true) }
        try files.copyItem(atPath: program, toPath: folder + "/rootfs/tiny")
        try Data(Self.configuration.utf8).write(to: URL(filePath: folder + "/config.json"))
    }

    private static let configuration = """
        {"ociVersion": "1.0.2",
         "process": {"terminal": false, "user": {"uid": 0, "gid": 0}, "args": ["/tiny"], "env": ["PATH=/"], "cwd": "/",
                     "noNewPrivileges": true},
         "root": {"path": "rootfs", "readonly": true}, "hostname": "bench",
         "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
         "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "network"}]}}
        """

    /// crun refuses a host with both cgroup hierarchies: a private mount of the new one, made before the clock starts.
    private static let oneHierarchy = [
        "unshare", "--mount", "sh", "-c", "umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec \"$@\"", "sh",
    ]

    /// The ways to start the bundle with `runtime`, the simplest that works; nil when none does.
    func contender(_ runtime: String, launcher: Launcher) async throws -> (contender: Contender?, reason: String) {
        guard let program = Command.find(runtime) else { return (nil, "no \(runtime) on PATH") }
        let options = runtime == "crun" ? ["--cgroup-manager=disabled"] : []
        var contender = Contender(
            key: runtime, title: "\(runtime), the static ELF in 5 namespaces, no cgroups", program: program,
            arguments: options + ["run", "--bundle", folder, "brique-bench-\(ProcessInfo.processInfo.processIdentifier)"],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
        contender.isWarmed = false
        var reason = ""
        for prelude in [[], Self.oneHierarchy] {
            contender.prelude = prelude
            do {
                let start = try await launcher.start(contender)
                if start.status == 0, start.firstOutputMilliseconds != nil { return (contender, "") }
                reason = "\(runtime) ends with \(start.status)"
            } catch {
                reason = "\(error)"
            }
        }
        return (nil, reason)
    }
}

/// The tiny program as an image of a Docker daemon, if there is one.
struct DockerImage {
    private static let name = "brique-bench-tiny"
    private let docker: String

    init?(program tiny: String) async {
        guard let docker = Command.find("docker"), (try? await Command(docker, ["info"]).output()) != nil else { return nil }
        self.docker = docker
        let folder = URL(filePath: tiny).deletingLastPathComponent().path
        let line = "tar --directory \"$1\" --create tiny | \"$2\" import - \(Self.name)"
        guard let answer = try? await Command("sh", ["-c", line, "sh", folder, docker]).run(), answer.status == 0 else { return nil }
    }

    var contender: Contender {
        var contender = Contender(
            key: "docker", title: "docker run --network none, the static ELF", program: docker,
            arguments: ["run", "--rm", "--network", "none", Self.name, "/tiny"], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
        contender.isWarmed = false
        contender.everyRounds = 5
        return contender
    }

    func remove() async {
        // The image is ours alone; a daemon that is gone by now has no more to remove.
        _ = try? await Command(docker, ["rmi", "--force", Self.name]).run()
    }
}
