import ArgumentParser
import Foundation
import Image

struct SymbolicateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "symbolicate",
        abstract: "Name the functions and lines at addresses of an image.",
        discussion: """
            Without addresses, reads a monitor's records (lines with `crash`, `crash-words` or `refused`) from standard input.

            Example: brique symbolicate hello.image 0x200000101180
            """)

    @Argument(help: "An image with its NAME.symbols beside it.", completion: .file(extensions: ["image"]))
    var image: String

    @Argument(help: ArgumentHelp("Virtual addresses, hexadecimal.", valueName: "address"))
    var addresses: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let instance = Instance(image: image, memory: .standard, environment: [], arguments: [], accelerator: .tcg)
        let backtrace = Backtrace(image: image, symbols: instance.symbols)
        guard addresses.isEmpty else {
            let numbers = try addresses.map(Self.address)
            try print(CrashReport(what: nil, backtrace: try await backtrace.symbolize(numbers, exactCount: numbers.count)))
            return
        }
        let words = CrashWords(machineArea: try ImageFile.open(image).layout.note.machineArea)
        var count = 0
        while let line = readLine() {
            guard let record = try Self.record(in: line) else { continue }
            count += 1
            switch record {
            case .refusal, .exit: continue
            case .crash(let crash):
                let trace = try await backtrace.symbolize(crash.frames, exactCount: crash.exactCount)
                try print(CrashReport(what: words.line(for: crash, trace: trace), backtrace: trace))
            case .refusedCall(let call):
                let trace = try await backtrace.symbolize(call.frames, exactCount: 0)
                try print(CrashReport(what: words.line(for: call), backtrace: trace))
            }
        }
        guard count > 0 else { throw ToolFailure(.usage, "give addresses, or a crash record on standard input") }
    }

    private struct CrashReport: Encodable {
        var what: String?
        var backtrace: [SymbolizedAddress]
    }

    private func print(_ report: CrashReport) throws {
        guard !json else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            StandardOutput.write(String(decoding: try encoder.encode(report), as: UTF8.self) + "\n")
            return
        }
        let lines = CrashWords.backtrace(report.backtrace, base: FileManager.default.currentDirectoryPath)
        StandardOutput.write(((report.what.map { [$0] } ?? []) + lines).joined(separator: "\n") + "\n")
    }

    /// A record anywhere in a line: a log may have put a time before it.
    static func record(in line: String) throws(ToolFailure) -> MonitorRecord? {
        for word in ["crash kind=", "crash-words ", "refused call="] {
            guard let start = line.range(of: word)?.lowerBound else { continue }
            do throws(RecordError) {
                return try MonitorRecord(parsing: line[start...])
            } catch {
                throw ToolFailure(.usage, "the record \(word)… cannot be read (\(error)): is its line whole?")
            }
        }
        return nil
    }

    static func address(_ text: String) throws(ToolFailure) -> UInt64 {
        let digits = text.hasPrefix("0x") ? text.dropFirst(2) : text[...]
        guard let first = digits.first, first.isHexDigit, let number = UInt64(digits, radix: 16) else {
            throw ToolFailure(.usage, "\(text) is no hexadecimal address")
        }
        return number
    }
}
