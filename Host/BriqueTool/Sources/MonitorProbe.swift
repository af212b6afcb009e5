import Foundation

/// Finds out whether a monitor can work on this machine.
struct MonitorProbe {
    let installation: Installation

    /// What a look at files tells, in microseconds; nil when nothing speaks against the monitor.
    func quickReason(against monitor: Monitor) -> String? {
        switch monitor {
        case .kvm: missingProgram(monitor) ?? KVMDevice.reasonAgainst()
        case .process: missingProgram(monitor)
        case .qemu: QEMU.find() == nil ? "no \(QEMU.program) on PATH (Debian's package qemu-system-x86)" : nil
        }
    }

    private func missingProgram(_ monitor: Monitor) -> String? {
        let path = installation.monitor(monitor.name)
        return FileManager.default.isExecutableFile(atPath: path) ? nil : "\(path) is not there"
    }
}

/// Debian's QEMU.
enum QEMU {
    static let program = "qemu-system-x86_64"

    static func find(searchPath: String? = ProcessInfo.processInfo.environment["PATH"]) -> String? {
        (searchPath ?? "").split(separator: ":").lazy.map { "\($0)/\(program)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
