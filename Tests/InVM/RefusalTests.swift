import Bench
import ELFFormat
import Foundation
import TestSupport
import Testing

/// What cannot be started is refused with a status of its own and one line, and nothing is left behind.
@Suite(.timeLimit(.minutes(20)))
struct RefusalTests {
    /// Ways to damage an image: bytes of hello's file in, what its check must say of the result.
    enum Damage: CaseIterable {
        case empty, halved, text, narrow, foreign, relocatable, oversized, overlapping, misaligned, writableCode, unmarked

        var expected: ELFError {
            switch self {
            case .empty: .truncatedHeader
            case .halved: .segmentOutsideFile
            case .text: .notELF
            case .narrow: .not64Bit
            case .foreign: .wrongMachine
            case .relocatable: .notAnExecutable
            case .oversized: .addressOutOfRange
            case .overlapping: .segmentsOverlap
            case .misaligned: .badAlignment
            case .writableCode: .writableAndExecutable
            case .unmarked: .noBriqueNote
            }
        }

        func apply(to image: Data) -> Data {
            var bytes = image
            switch self {
            case .empty: bytes = Data()
            case .halved: bytes = image.prefix(image.count / 2)
            case .text: bytes = Data("a note to the reader: not an image, but longer than a header of 64 bytes would be\n".utf8)
            case .narrow: bytes[4] = 1
            case .foreign: bytes.put(183, UInt16.self, at: 18)
            case .relocatable: bytes.put(3, UInt16.self, at: 16)
            case .oversized: bytes.put(1 << 40, UInt64.self, at: Self.header(2) + 40)
            case .overlapping:
                bytes.put(bytes.value(UInt64.self, at: Self.header(0) + 16), UInt64.self, at: Self.header(1) + 16)
                bytes.put(bytes.value(UInt64.self, at: Self.header(0) + 24), UInt64.self, at: Self.header(1) + 24)
                bytes.put(bytes.value(UInt64.self, at: Self.header(0) + 8), UInt64.self, at: Self.header(1) + 8)
            case .misaligned: bytes.put(bytes.value(UInt64.self, at: Self.header(1) + 8) - 1, UInt64.self, at: Self.header(1) + 8)
            case .writableCode: bytes.put(7, UInt32.self, at: Self.header(1) + 4)
            case .unmarked:
                guard let name = bytes.firstRange(of: Data("Brique\0".utf8)) else { break }
                bytes[name.lowerBound] = UInt8(ascii: "b")
            }
            return bytes
        }

        /// Where the program header of this number begins: they follow the ELF header.
        private static func header(_ number: Int) -> Int { 64 + 56 * number }
    }

    @Test(arguments: Machine.monitors, Damage.allCases)
    func `a damaged image is refused in one line`(monitor: Monitor, damage: Damage) async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/damaged.image"
        let image = try Data(contentsOf: URL(filePath: try await Machine.image("hello")))
        try damage.apply(to: image).write(to: URL(filePath: file))
        let answer = try await Machine.run(image: file, on: monitor)
        #expect(answer.status == 65)
        #expect(answer.output == "")
        #expect(answer.errors.contains(damage.expected.text.description), "\(answer.errors)")
        #expect(answer.errors.split(separator: "\n").count == 1, "\(answer.errors)")
        #expect(try Processes.naming(file).isEmpty)
    }

    @Test(arguments: [Monitor.kvm, .process].filter(\.isPresent), Damage.allCases)
    func `a monitor refuses a damaged image by itself`(monitor: Monitor, damage: Damage) async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/damaged.image"
        let image = try Data(contentsOf: URL(filePath: try await Machine.image("hello")))
        try damage.apply(to: image).write(to: URL(filePath: file))
        try await Machine.buildMonitors()
        let answer = try await monitor.command(image: file, checkout: Machine.checkout, memory: 16 << 20).run()
        #expect(answer.status == 65)
        #expect(answer.errors.hasPrefix("error 65 "))
        #expect(answer.errors.contains(damage.expected.text.description), "\(answer.errors)")
    }

    @Test(arguments: Machine.monitors)
    func `an image that is not there is refused`(monitor: Monitor) async throws {
        let answer = try await Machine.run(image: "no/such.image", on: monitor)
        #expect(answer.status == 66)
        #expect(answer.errors.split(separator: "\n").count == 1, "\(answer.errors)")
    }

    @Test(arguments: Machine.monitors, ["4K", "64K"])
    func `too little memory is refused`(monitor: Monitor, memory: String) async throws {
        let answer = try await Machine.run("hello", on: monitor, memory: memory)
        #expect(answer.status == 78)
        #expect(answer.output == "")
        #expect(answer.errors.split(separator: "\n").count == 1, "\(answer.errors)")
    }

    @Test(arguments: ["", "x", "-1M", "1Q", "99999999999999999999G"])
    func `a memory size that is none is refused`(size: String) async throws {
        let answer = try await Machine.checkout.brique(["run", "--memory", size, try await Machine.image("hello")]).run()
        #expect(answer.status == 64)
    }

    @Test func `an app that does not compile is refused, with the compiler's words`() async throws {
        let folder = try TemporaryFolder()
        #expect(try await Machine.checkout.brique(["new", "broken"], directory: folder.path).run().status == 0)
        let sources = folder.path + "/broken/Sources"
        try Data("import Brique\n@main struct Broken { static func main() { noSuchFunction() } }\n".utf8)
            .write(to: URL(filePath: try #require(FileManager.default.firstSwiftFile(below: sources))))
        let answer = try await Machine.checkout.brique(["run"], directory: folder.path + "/broken").run()
        #expect(answer.status == 73)
        #expect(answer.output == "")
        #expect(answer.errors.contains("noSuchFunction"), "\(answer.errors)")
    }

    /// Runs `command` where /dev holds nothing but `null`, and what `devices` (shell, in a folder $0) adds.
    private func run(_ command: Command, withDevices devices: String = "true", folder: String) async throws -> Command.Answer {
        let script = """
            mkdir -p "$0" && mount -t tmpfs none "$0" && mknod "$0/null" c 1 3 && chmod 666 "$0/null" && \(devices) \
            && mount --move "$0" /dev && exec "$@"
            """
        return try await Command(
            "unshare", ["--mount", "sh", "-c", script, folder + "/dev", command.program] + command.arguments,
            environment: command.environment
        ).run()
    }

    @Test(.enabled(if: geteuid() == 0, "only root can hide a device"))
    func `without a KVM device the KVM monitor says so, and auto takes the next`() async throws {
        let folder = try TemporaryFolder()
        let image = try await Machine.image("hello")
        try await Machine.buildMonitors()
        let alone = try await run(Machine.checkout.brique(["run", "--monitor", "kvm", image]), folder: folder.path)
        #expect(alone.status == 69)
        #expect(alone.output == "")
        #expect(alone.errors.split(separator: "\n").count == 1, "\(alone.errors)")
        let automatic = try await run(Machine.checkout.brique(["run", image]), folder: folder.path)
        #expect(automatic.status == 0, "\(automatic.errors)")
        #expect(automatic.output == "Hello from Brique\n")
    }

    @Test(.enabled(if: Monitor.kvm.isPresent && geteuid() == 0, "only root can give up a permission, and KVM has to be here"))
    func `a user who may not open the KVM device is told, and has the process monitor`() async throws {
        let folder = try TemporaryFolder()
        try await Machine.buildMonitors()
        let files = [try await Machine.image("hello"), Machine.checkout.monitor("kvm"), Machine.checkout.monitor("process")]
        _ = try await Command("install", ["--mode=755"] + files + [folder.path]).output()
        for (monitor, status) in [("kvm", Int32(77)), ("process", 0)] {
            let command = Command(
                "setpriv",
                [
                    "--reuid=65534", "--regid=65534", "--clear-groups", "\(folder.path)/brique-monitor-\(monitor)",
                    "\(folder.path)/hello.image", "16777216", "-",
                ])
            let answer = try await run(command, withDevices: "cp -a /dev/kvm \"$0\" && chmod 600 \"$0/kvm\"", folder: folder.path)
            #expect(answer.status == status, "\(answer.errors)")
            #expect(answer.output == (status == 0 ? "Hello from Brique\n" : ""))
            if status != 0 { #expect(answer.errors.hasPrefix("error 77 "), "\(answer.errors)") }
        }
    }
}

extension FileManager {
    func firstSwiftFile(below folder: String) -> String? {
        enumerator(atPath: folder)?.compactMap { $0 as? String }.first { $0.hasSuffix(".swift") }.map { folder + "/" + $0 }
    }
}

extension Data {
    func value<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value {
        self[startIndex + offset..<startIndex + offset + Value.bitWidth / 8].reversed().reduce(0) { $0 << 8 | Value($1) }
    }

    mutating func put<Value: FixedWidthInteger>(_ value: Value, _ type: Value.Type, at offset: Int) {
        for index in 0..<Value.bitWidth / 8 { self[startIndex + offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
}
