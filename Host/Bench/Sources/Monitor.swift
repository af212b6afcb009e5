import Foundation

/// What can run an image on this machine.
public enum Monitor: String, CaseIterable, Sendable {
    case process, kvm, microvm, q35, microvmKVM

    /// Those that run the same image in the tests; QEMU with KVM is measured alone.
    public static let tested: [Monitor] = [.kvm, .process, .microvm, .q35]

    var key: String { "brique-\(rawValue)" }

    public var title: String {
        switch self {
        case .process: "process monitor"
        case .kvm: "KVM monitor"
        case .microvm: "QEMU microvm tcg"
        case .q35: "QEMU q35 tcg"
        case .microvmKVM: "QEMU microvm kvm"
        }
    }

    /// QEMU is slow: it takes part in some rounds only.
    var everyRounds: Int {
        switch self {
        case .process, .kvm: 1
        case .microvm, .microvmKVM: 2
        case .q35: 5
        }
    }

    /// The tool's words for it.
    public var options: [String] {
        switch self {
        case .process: ["--monitor", "process"]
        case .kvm: ["--monitor", "kvm"]
        case .microvm: ["--monitor", "qemu:microvm"]
        case .q35: ["--monitor", "qemu:q35"]
        case .microvmKVM: ["--monitor", "qemu:microvm", "--accel", "kvm"]
        }
    }

    /// Why it cannot run here, found without the tool; nil when it can.
    public var reasonAgainst: String? {
        let device = "/dev/kvm"
        let hasKVM = FileManager.default.isReadableFile(atPath: device) && FileManager.default.isWritableFile(atPath: device)
        let hasQEMU = Command.find("qemu-system-x86_64") != nil
        return switch self {
        case .process: nil
        case .kvm: hasKVM ? nil : "\(device) cannot be opened"
        case .microvm, .q35: hasQEMU ? nil : "no qemu-system-x86_64 on PATH"
        case .microvmKVM: !hasQEMU ? "no qemu-system-x86_64 on PATH" : hasKVM ? nil : "\(device) cannot be opened"
        }
    }

    public var isPresent: Bool { reasonAgainst == nil }
    var isQEMU: Bool { self != .process && self != .kvm }

    /// The monitor's own command line, without the tool before it.
    public func command(image: String, checkout: Checkout, memory: Int, arguments: [String] = []) async throws -> Command {
        switch self {
        case .process, .kvm: Command(checkout.monitor(rawValue), [image, String(memory), "-"] + arguments, environment: [:])
        case .microvm, .q35, .microvmKVM: try await qemuCommand(image: image, checkout: checkout, memory: memory, arguments: arguments)
        }
    }

    func contender(image: String, checkout: Checkout, memory: Int) async throws -> Contender {
        let command = try await command(image: image, checkout: checkout, memory: memory)
        var contender = Contender(key: key, title: "hello, \(title)", program: command.program, arguments: command.arguments)
        contender.isWarmed = !isQEMU
        // QEMU's own status tells how its guest ended it, which is not the instance's status.
        if isQEMU { contender.status = try await command.run().status }
        contender.everyRounds = everyRounds
        return contender
    }
}
