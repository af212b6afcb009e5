import BootFormat
import Foundation
import Glibc
import Image

/// Debian's QEMU as a monitor: the image starts by PVH, see docs/qemu.md.
struct QEMU {
    static let program = "qemu-system-x86_64"
    /// Kills QEMU when the tool itself is killed (setpriv(1), PR_SET_PDEATHSIG).
    static let guardian = "/usr/bin/setpriv"
    /// The control channel, and the machine protocol by which a user's signal becomes an NMI.
    static let controlDescriptor: Int32 = 3
    static let protocolDescriptor: Int32 = 4
    /// What `PlatformPC` accepts of a command line.
    static let commandLineByteLimit = 65535

    var machine: QEMUMachine
    var accelerator: QEMUAccelerator

    static func find(searchPath: String? = ProcessInfo.processInfo.environment["PATH"]) -> String? {
        (searchPath ?? "").split(separator: ":").lazy.map { "\($0)/\(program)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// QEMU's arguments for an instance.
    ///
    /// Guest memory begins above the first MiB of a PC, so QEMU is given that much more.
    func arguments(
        for instance: Instance, _ links: [InstanceLinks.Link] = [], rootByteCount: UInt64 = 0
    ) throws(ToolFailure) -> [String] {
        // The root and the layer lie in RAM, beside the instance's own memory.
        let files = Self.pages(rootByteCount) + Self.pages(instance.layer.map(Self.byteCount) ?? 0)
        let memory = ((instance.memory.byteCount + files) >> 10) + 1024
        let commandLine = try Self.commandLine(
            environment: instance.network.variables + instance.environment, arguments: instance.arguments)
        return [
            "-M", machineOptions, "-accel", accelerator.rawValue, "-cpu", processor, "-m", "\(memory)k",
            "-nodefaults", "-no-user-config", "-global", "virtio-mmio.force-legacy=false", "-display", "none", "-no-reboot",
            "-kernel", instance.image, "-append", commandLine,
            "-chardev", "file,id=control,path=/dev/fd/\(Self.controlDescriptor)", "-device", "isa-debugcon,iobase=0xe9,chardev=control",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-chardev", "socket,id=protocol,fd=\(Self.protocolDescriptor)",
            "-mon", "chardev=protocol,mode=control", "-chardev", "stdio,id=console,signal=off", "-device", serialDevice,
            "-device", "virtconsole,chardev=console",
        ] + (instance.layer == nil ? [] : ["-initrd", "/dev/fd/\(InstanceRun.layerDescriptor)"])
            + links.enumerated().flatMap { index, link in networkArguments(link, index) }
    }

    private static func pages(_ byteCount: UInt64) -> UInt64 {
        let page = UInt64(BRIQUE_PAGE_SIZE)
        return (byteCount + page - 1) & ~(page - 1)
    }

    private static func byteCount(_ descriptor: Int32) -> UInt64 { UInt64(max(0, lseek(descriptor, 0, SEEK_END))) }

    /// A TAP with its headers; on a socket QEMU has none.
    private func networkArguments(_ link: InstanceLinks.Link, _ index: Int) -> [String] {
        let descriptor = InstanceLinks.firstDescriptor + Int32(index)
        let back =
            link.isTAP ? "tap,id=link\(index),fd=\(descriptor)" : "dgram,id=link\(index),local.type=fd,local.str=\(descriptor)"
        let options = "netdev=link\(index),mac=\(link.macAddress.description),host_mtu=\(link.maximumTransmissionUnit)"
        return switch machine {
        case .microvm: ["-netdev", back, "-device", "virtio-net-device,\(options)"]
        case .q35: ["-netdev", back, "-device", "virtio-net-pci,disable-legacy=on,romfile=,\(options)"]
        }
    }

    /// Under KVM QEMU's default: `max` needs registers that not every KVM has.
    private var processor: String {
        switch accelerator {
        case .tcg: "max"
        case .kvm: "qemu64"
        }
    }

    /// A microvm without ACPI names its devices on the command line; the clock chip tells the wall time.
    private var machineOptions: String {
        switch machine {
        case .microvm: "microvm,acpi=off,x-option-roms=off,rtc=on,isa-serial=off"
        case .q35: "q35"
        }
    }

    private var serialDevice: String {
        switch machine {
        case .microvm: "virtio-serial-device"
        case .q35: "virtio-serial-pci,disable-legacy=on"
        }
    }

    /// The guest's command line: `K=V … -- ARGUMENT …`, bytes that are not printable ASCII, spaces and `%` as `%XX`,
    /// an empty argument as `%`.
    static func commandLine(environment: [String], arguments: [String]) throws(ToolFailure) -> String {
        var words = environment.map(encode)
        if !arguments.isEmpty {
            words += ["--"] + arguments.map { $0.isEmpty ? "%" : encode($0) }
        }
        let text = words.joined(separator: " ")
        guard text.utf8.count <= commandLineByteLimit else {
            throw ToolFailure(.usage, "arguments and environment are longer than QEMU's guest accepts: \(commandLineByteLimit) bytes")
        }
        return text
    }

    /// A word that the guest reads back as it is, also one that looks like a device of the hypervisor's.
    static func encode(_ word: String) -> String {
        var result = ""
        for (index, byte) in word.utf8.enumerated() {
            let isPlain = byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "%")
            if isPlain && !(index == 0 && word.hasPrefix("virtio_mmio.device=")) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }

    /// Asks for an NMI, on which the image reports where it was (QMP, docs/interop/qemu-qmp-ref of QEMU).
    static let interruptRequest = #"{"execute":"qmp_capabilities"}{"execute":"inject-nmi"}"# + "\n"

    /// How the instance ended, from what it wrote on the control channel; QEMU's own status cannot carry all of it.
    static func end(_ own: ChildEnd, records: [MonitorRecord], interruptedBy signal: Int32?) throws(ToolFailure) -> ChildEnd {
        if let signal { return .signalled(signal) }
        for record in records {
            switch record {
            case .exit(let status): return .exited(status)
            case .refusal(let status, _): return .exited(status)
            case .crash(let crash): return .exited(crash.status)
            case .refusedCall: continue
            }
        }
        guard case .exited(let status) = own else { return own }
        guard status == 0 else { throw ToolFailure(.hostRefused, "QEMU ended with status \(status) before the instance did") }
        throw ToolFailure(.imageRefused, "the machine stopped without a word: a fault before the image could report one")
    }
}
