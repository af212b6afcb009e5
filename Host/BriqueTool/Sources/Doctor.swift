import Foundation

/// Tries what the tool needs on this machine.
struct Doctor {
    typealias Finding = DoctorCommand.Finding
    let installation: Installation

    func monitors() async -> [Finding] {
        [kvm(), await process(), await qemu()]
    }

    private func kvm() -> Finding {
        let reason = MonitorProbe(installation: installation).quickReason(against: .kvm) ?? KVMDevice.reasonAgainstMachine()
        return Finding(name: "kvm", works: reason == nil, detail: reason ?? "\(KVMDevice.path) makes virtual machines")
    }

    private func process() async -> Finding {
        let probe = MonitorProbe(installation: installation)
        if let reason = probe.quickReason(against: .process) ?? SeccompFilter.reasonAgainst() {
            return Finding(name: "process", works: false, detail: reason)
        }
        let namespace = try? await ToolRun.output(of: "/usr/bin/unshare", ["--user", "--map-root-user", "/bin/true"])
        guard namespace?.isSuccess == true else {
            let reason = namespace?.errors.split(separator: "\n").first.map(String.init) ?? "unshare cannot be run"
            return Finding(name: "process", works: false, detail: "no user namespaces: \(reason)")
        }
        return Finding(name: "process", works: true, detail: "system call filters and user namespaces")
    }

    private func qemu() async -> Finding {
        guard let program = QEMU.find() else {
            let reason = MonitorProbe(installation: installation).quickReason(against: .qemu(.microvm)) ?? ""
            return Finding(name: "qemu", works: false, detail: reason)
        }
        return await version(name: "qemu", program: program)
    }

    func tools() async -> [Finding] {
        let toolchain: Toolchain
        do {
            toolchain = try .current()
        } catch {
            return [Finding(name: "swift", works: false, detail: error.message)]
        }
        var findings = [await version(name: "swift", program: toolchain.swift)]
        for name in ["llvm-objcopy", "llvm-symbolizer", "swift-demangle"] {
            let path = toolchain.find(name)
            findings.append(Finding(name: name, works: path != nil, detail: path ?? "not beside swift, not on PATH"))
        }
        let digest = FileManager.default.isExecutableFile(atPath: ToolRun.digestProgram)
        findings.append(
            Finding(name: "sha256sum", works: digest, detail: digest ? ToolRun.digestProgram : "not there (Debian's package coreutils)"))
        let maker =
            toolchain.find("mkfs.erofs")
            ?? ["/usr/sbin", "/usr/bin"].map { $0 + "/mkfs.erofs" }.first {
                FileManager.default.isExecutableFile(atPath: $0)
            }
        findings.append(
            Finding(name: "mkfs.erofs", works: maker != nil, detail: maker ?? "not there: Linux programs need Debian's package erofs-utils")
        )
        let library = toolchain.embeddedConcurrency
        let hasLibrary = FileManager.default.fileExists(atPath: library)
        findings.append(
            Finding(
                name: "embedded runtime", works: hasLibrary,
                detail: hasLibrary ? library : "\(library) is not there: this toolchain builds no images"))
        return findings
    }

    /// The first line of `program --version`.
    private func version(name: String, program: String) async -> Finding {
        guard let answer = try? await ToolRun.output(of: program, ["--version"]), answer.isSuccess,
            let line = answer.text.split(separator: "\n").first
        else { return Finding(name: name, works: false, detail: "\(program) does not run") }
        return Finding(name: name, works: true, detail: "\(line) (\(program))")
    }
}

/// The host's system call filters, seccomp(2).
enum SeccompFilter {
    /// Why they cannot be used, nil when they can.
    static func reasonAgainst(actionsFile: String = "/proc/sys/kernel/seccomp/actions_avail") -> String? {
        guard let text = try? String(contentsOfFile: actionsFile, encoding: .utf8) else {
            return "the kernel has no system call filters (CONFIG_SECCOMP_FILTER)"
        }
        let actions = Set(text.split { $0.isWhitespace })
        let missing = ["kill_process", "trap", "allow"].filter { !actions.contains(Substring($0)) }
        return missing.isEmpty ? nil : "the kernel's system call filters lack \(missing.joined(separator: ", "))"
    }
}
