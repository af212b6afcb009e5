import Foundation
import Image
import Testing

@testable import BriqueTool

/// What the guest does with its command line: `PlatformPC`'s rule, in a few lines.
private func decode(_ line: String) -> (environment: [String], arguments: [String]) {
    var environment: [String] = []
    var arguments: [String] = []
    var isBehindDashes = false
    for token in line.split(separator: " ") where !token.hasPrefix("virtio_mmio.device=") {
        if !isBehindDashes && token == "--" {
            isBehindDashes = true
        } else if let text = token.removingPercentEncoding {
            if isBehindDashes { arguments.append(text) } else if token.contains("=") { environment.append(text) }
        }
    }
    return (environment, arguments)
}

private func instance(memory: String = "16M", environment: [String] = [], arguments: [String] = []) throws -> Instance {
    Instance(
        image: "/x/a.image", memory: try MemorySize(parsing: memory), environment: environment, arguments: arguments, accelerator: .tcg)
}

@Test func `environment and arguments survive QEMU's command line`() throws {
    let environment = ["A=b c", "E=", "U=é\u{1F9F1}", "virtio_mmio.device=512@0:1"]
    let arguments = ["--", "-x", "100%", "a=b", "tab\tnewline\nquote\"'\\", "virtio_mmio.device=4K@0xd0000000:5", ","]
    let line = try QEMU.commandLine(environment: environment, arguments: arguments)
    #expect(line.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f })
    #expect(decode(line) == (environment, arguments))
    #expect(decode(line + " virtio_mmio.device=512@0xfeb00e00:12") == (environment, arguments))
}

@Test func `nothing to pass is an empty command line`() throws {
    #expect(try QEMU.commandLine(environment: [], arguments: []) == "")
}

@Test func `an empty argument is a lone percent sign`() throws {
    #expect(try QEMU.commandLine(environment: ["A="], arguments: ["a", "", "%"]) == "A= -- a % %25")
}

@Test func `what QEMU's command line cannot carry is refused`() {
    let long = String(repeating: "é", count: QEMU.commandLineByteLimit / 6 + 1)
    #expect(throws: ToolFailure.self) { try QEMU.commandLine(environment: [], arguments: [long]) }
}

@Test func `random words survive QEMU's command line`() throws {
    var state: UInt64 = 0x7165_6d75
    func next(_ limit: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % limit
    }
    for _ in 0..<2000 {
        let words = (0..<next(5)).map { _ in
            String(decoding: (0...next(12)).map { _ in UInt8(next(127)) + 1 }, as: UTF8.self)
        }
        let line = try QEMU.commandLine(environment: words.map { "K=" + $0 }, arguments: words)
        #expect(decode(line) == (words.map { "K=" + $0 }, words))
    }
}

@Test func `QEMU is given memory above the first MiB and the machine that was chosen`() throws {
    let microvm = try QEMU(machine: .microvm, accelerator: .kvm).arguments(for: instance(memory: "1M"))
    #expect(microvm.contains("2048k") && microvm.contains("virtio-serial-device") && microvm.contains("kvm"))
    let q35 = try QEMU(machine: .q35, accelerator: .tcg).arguments(for: instance())
    #expect(q35.contains("17408k") && q35.contains("virtio-serial-pci,disable-legacy=on") && q35.contains("q35"))
    #expect(q35.contains("/x/a.image"))
}

@Test func `an instance under QEMU ends as its records say`() throws {
    func end(_ own: ChildEnd, _ lines: [String], signal: Int32? = nil) throws -> ChildEnd {
        try QEMU.end(own, records: try lines.map { try MonitorRecord(parsing: $0) }, interruptedBy: signal)
    }
    #expect(try end(.exited(145), ["exit 200"]) == .exited(200))
    #expect(try end(.exited(255), ["crash kind=exception vector=6 rip=0x1"]) == .exited(132))
    #expect(try end(.exited(255), ["crash kind=exception vector=14 rip=0x1"]) == .exited(139))
    #expect(try end(.exited(255), ["crash kind=panic rip=0x1"]) == .exited(134))
    #expect(try end(.exited(137), ["error 78 memory is too small"]) == .exited(78))
    #expect(try end(.exited(255), ["crash kind=interrupted rip=0x1"], signal: 2) == .signalled(2))
    #expect(try end(.signalled(9), []) == .signalled(9))
    #expect(throws: ToolFailure.self) { try end(.exited(1), []) }
    #expect(throws: ToolFailure.self) { try end(.exited(0), []) }
}

@Test func `input bytes that mean something to the guest are quoted`() {
    #expect(ConsoleRelay.quoted([65, 4, 22, 0, 255]) == [65, 22, 4, 22, 22, 0, 255])
}

@Test func `root and layer take memory beside the instance's own`() throws {
    let plain = try QEMU(machine: .microvm, accelerator: .tcg).arguments(for: try instance(memory: "16M"))
    #expect(!plain.contains("-initrd"))
    let withRoot = try QEMU(machine: .microvm, accelerator: .tcg).arguments(for: try instance(memory: "16M"), rootByteCount: 4097)
    func memory(_ words: [String]) -> String? { words.firstIndex(of: "-m").map { words[$0 + 1] } }
    #expect(memory(plain) == "\(17 << 10)k" && memory(withRoot) == "\((17 << 10) + 8)k")
    let folder = try TemporaryFolder()
    try folder.write(String(repeating: "x", count: 5000), to: "layer")
    let file = try FileHandle(forReadingFrom: URL(filePath: folder.path + "/layer"))
    var layered = try instance(memory: "16M")
    layered.layer = file.fileDescriptor
    let words = try QEMU(machine: .microvm, accelerator: .tcg).arguments(for: layered)
    #expect(memory(words) == "\((17 << 10) + 8)k")
    #expect(words.firstIndex(of: "-initrd").map { words[$0 + 1] } == "/dev/fd/\(InstanceRun.layerDescriptor)")
}
