import Foundation
import Image

/// Guest instructions under QEMU's own translator, counted one by one from the image's entry.
public struct InstructionCount {
    /// Counts from the PVH entry to the end of `command`, a QEMU command line. `entry` is its physical address.
    ///
    /// Every instruction is a translation block of its own (-singlestep), never chained, and its execution a line of the log.
    public static func count(_ command: Command, entry: UInt64, log: String) async throws -> Int {
        var stepping = command
        stepping.arguments += ["-singlestep", "-d", "exec,nochain", "-D", log]
        let plain = try await command.run()
        let answer = try await stepping.run()
        defer { try? FileManager.default.removeItem(atPath: log) }
        guard answer.status == plain.status, answer.output == plain.output else {
            throw BenchError.failed(command: command.program, answer.errors)
        }
        let count = try lines(in: Data(contentsOf: URL(filePath: log)), from: entry)
        guard count > 0 else { throw BenchError.unexpected("the guest never came to its entry \(String(entry, radix: 16))") }
        return count
    }

    /// From the entry of Apps/hello to the end of QEMU microvm.
    public static func ofHello(checkout: Checkout, log: String) async throws -> Int {
        let image = try await checkout.build("hello")
        guard let entry = try ImageFile(path: image).layout.pvhEntry else {
            throw BenchError.unexpected("\(image) has no PVH entry")
        }
        let command = try await Monitor.microvm.command(image: image, checkout: checkout, memory: StartBench.memory)
        return try await count(command, entry: entry, log: log)
    }

    /// `Trace 0: 0x… [cs/pc/flags/cflags]` lines, from the first whose pc is the entry.
    static func lines(in log: Data, from entry: UInt64) -> Int {
        let wanted = String(entry, radix: 16)
        let marker = Array(("/" + String(repeating: "0", count: 16 - wanted.count) + wanted + "/").utf8)
        var isInside = false
        var count = 0
        for line in log.split(separator: UInt8(ascii: "\n")) where line.starts(with: Self.prefix) {
            if !isInside, line.firstRange(of: marker) != nil { isInside = true }
            if isInside { count += 1 }
        }
        return count
    }

    private static let prefix = Array("Trace ".utf8)
}
