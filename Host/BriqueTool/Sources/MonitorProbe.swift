import Foundation

/// Finds out whether a monitor can work on this machine.
struct MonitorProbe {
    let installation: Installation

    /// What a look at files tells, in microseconds; nil when nothing speaks against the monitor.
    func quickReason(against monitor: Monitor) -> String? {
        switch monitor {
        case .kvm: missingProgram(monitor) ?? KVMDevice.reasonAgainst()
        case .process: missingProgram(monitor)
        case .qemu: qemuReason()
        }
    }

    private func qemuReason() -> String? {
        if QEMU.find() == nil { return "no \(QEMU.program) on PATH (Debian's package qemu-system-x86)" }
        let hasGuardian = FileManager.default.isExecutableFile(atPath: QEMU.guardian)
        return hasGuardian ? nil : "no \(QEMU.guardian) (Debian's package util-linux)"
    }

    private func missingProgram(_ monitor: Monitor) -> String? {
        let path = installation.monitor(monitor.name)
        return FileManager.default.isExecutableFile(atPath: path) ? nil : "\(path) is not there"
    }
}
