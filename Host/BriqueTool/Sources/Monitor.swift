import ArgumentParser

/// What runs an instance.
enum Monitor: Equatable {
    case kvm
    case process
    case qemu(QEMUMachine)

    var name: String {
        switch self {
        case .kvm: "kvm"
        case .process: "process"
        case .qemu(let machine): "qemu:\(machine.rawValue)"
        }
    }

    /// A monitor of Brique's own.
    var isOurs: Bool {
        switch self {
        case .kvm, .process: true
        case .qemu: false
        }
    }

    /// In the order in which `auto` tries them: strongest isolation first, slowest last.
    static let automatic: [Monitor] = [.kvm, .process, .qemu(.microvm)]
}

enum QEMUMachine: String, CaseIterable {
    case microvm, q35
}

/// QEMU's `-accel`.
enum QEMUAccelerator: String, CaseIterable, ExpressibleByArgument {
    case tcg, kvm
}

/// The value of `--monitor`.
enum MonitorChoice: Equatable, ExpressibleByArgument {
    case automatic
    case one(Monitor)

    init?(argument: String) {
        switch argument {
        case "auto": self = .automatic
        case "kvm": self = .one(.kvm)
        case "process": self = .one(.process)
        case "qemu", "qemu:microvm": self = .one(.qemu(.microvm))
        case "qemu:q35": self = .one(.qemu(.q35))
        default: return nil
        }
    }

    static var allValueStrings: [String] { ["auto", "kvm", "process", "qemu", "qemu:microvm", "qemu:q35"] }

    var defaultValueDescription: String {
        switch self {
        case .automatic: "auto"
        case .one(let monitor): monitor.name
        }
    }

    var candidates: [Monitor] {
        switch self {
        case .automatic: Monitor.automatic
        case .one(let monitor): [monitor]
        }
    }
}
