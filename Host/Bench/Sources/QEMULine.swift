import Foundation

/// QEMU's command line for an image, as the tool writes it.
extension Monitor {
    /// Asks the tool to run the image with, for its QEMU, a script that notes the words it is given.
    func qemuCommand(image: String, checkout: Checkout, memory: Int, arguments: [String]) async throws -> Command {
        guard let program = Command.find(QEMUFloor.name) else { throw BenchError.unexpected("no \(QEMUFloor.name) on PATH") }
        let folder = FileManager.default.temporaryDirectory.appending(path: "brique-qemu-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let script = "\(folder)/\(QEMUFloor.name)"
        try Data("#!/bin/sh\nprintf '%s\\0' \"$@\" >\"$0.words\"\n".utf8).write(to: URL(filePath: script))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
        var run = checkout.brique(["run"] + options + ["--memory", "\(memory)", image, "--"] + arguments)
        run.environment?["PATH"] = folder + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
        let answer = try await run.run()
        guard let words = FileManager.default.contents(atPath: script + ".words") else {
            throw BenchError.failed(command: "brique run \(options.joined(separator: " "))", answer.errors)
        }
        let line = String(decoding: words, as: UTF8.self).split(separator: "\0", omittingEmptySubsequences: false).dropLast().map(
            String.init)
        return Command(program, Self.withoutTool(line), environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
    }
}

extension Monitor {
    /// The line as it is without the tool at its other end: nobody reads records, nobody sends an interruption.
    static func withoutTool(_ line: [String]) -> [String] {
        var words: [String] = []
        var index = 0
        while index < line.count {
            let value = index + 1 < line.count ? line[index + 1] : ""
            if line[index] == "-mon" || (line[index] == "-chardev" && value.hasPrefix("socket,id=protocol")) {
                index += 2
            } else {
                words.append(line[index].hasPrefix("file,id=control,") ? "null,id=control" : line[index])
                index += 1
            }
        }
        return words
    }
}

/// The floor guest's own command line: a serial port for its line, and a port that ends QEMU.
enum QEMUFloor {
    static let name = "qemu-system-x86_64"
    static var program: String { Command.find(name) ?? name }
    /// isa-debug-exit ends QEMU with 2 × 0 + 1.
    static let status: Int32 = 1

    static func arguments(machine: Monitor, image: String, memory: Int) -> [String] {
        let type = machine == .microvm ? "microvm,x-option-roms=off,pit=off,pic=off,rtc=off,acpi=off,isa-serial=on" : "q35"
        return [
            "-M", type, "-accel", "tcg", "-cpu", "max", "-m", "\(memory >> 20)", "-kernel", image, "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot", "-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
        ]
    }
}
