import Foundation
import Subprocess
import SystemPackage

/// One function that was being executed at an address; an address inside inlined code has several.
public struct SourceFrame: Equatable, Sendable, Codable {
    /// Demangled.
    public var function: String
    /// Path as the compiler saw it; empty when it is not known.
    public var file: String
    /// Zero when it is not known.
    public var line: Int

    public init(function: String, file: String, line: Int) {
        self.function = function
        self.file = file
        self.line = line
    }
}

/// An address of a backtrace and what was found there, innermost inlined function first.
public struct SymbolizedAddress: Equatable, Sendable, Codable {
    public var address: UInt64
    public var frames: [SourceFrame]

    public init(address: UInt64, frames: [SourceFrame]) {
        self.address = address
        self.frames = frames
    }
}

/// Turns addresses of an image into functions and lines, with the toolchain's llvm-symbolizer and swift-demangle.
public struct Symbolizer: Sendable {
    public var symbolizerPath: FilePath
    public var demanglerPath: FilePath

    public init(symbolizerPath: FilePath, demanglerPath: FilePath) {
        self.symbolizerPath = symbolizerPath
        self.demanglerPath = demanglerPath
    }

    /// Looks up the addresses of a backtrace in an ELF file with symbols.
    ///
    /// - Parameter exactCount: how many of the first addresses are instructions themselves; the others are return
    ///   addresses, looked up one byte earlier, inside the call.
    public func symbolize(
        _ addresses: [UInt64], in symbols: FilePath, exactCount: Int
    ) async throws -> [SymbolizedAddress] {
        guard !addresses.isEmpty else { return [] }
        let wanted = addresses.enumerated().map { $0.offset < exactCount || $0.element == 0 ? $0.element : $0.element - 1 }
        let result = try await run(
            .path(symbolizerPath),
            arguments: Arguments(["--output-style=JSON", "--obj=\(symbols)"] + wanted.map { "0x" + String($0, radix: 16) }),
            output: .string(limit: Self.outputByteLimit))
        guard result.terminationStatus.isSuccess else { throw SymbolizerError.failed }
        var found = try Self.frames(inJSON: result.standardOutput)
        guard found.count == addresses.count else { throw SymbolizerError.failed }
        let names = try await demangle(found.flatMap { $0.map(\.function) })
        var next = names.makeIterator()
        for index in found.indices {
            for frame in found[index].indices { found[index][frame].function = next.next() ?? found[index][frame].function }
        }
        return zip(addresses, found).map { SymbolizedAddress(address: $0, frames: $1) }
    }

    private static let outputByteLimit = 4 << 20

    private func demangle(_ names: [String]) async throws -> [String] {
        let result = try await run(
            .path(demanglerPath), arguments: ["--simplified"], input: .string(names.joined(separator: "\n") + "\n"),
            output: .string(limit: Self.outputByteLimit))
        guard result.terminationStatus.isSuccess else { return names }
        let lines = result.standardOutput.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return lines.count == names.count ? lines.map(String.init) : names
    }

    /// Reads llvm-symbolizer's `--output-style=JSON`: an array of answers, one for each address.
    static func frames(inJSON text: String) throws -> [[SourceFrame]] {
        try JSONDecoder().decode([Answer].self, from: Data(text.utf8)).map { answer in
            (answer.symbols ?? []).filter { !$0.function.isEmpty }.map {
                SourceFrame(
                    function: MonitorRecord.printable($0.function), file: MonitorRecord.printable($0.file),
                    line: max($0.line, 0))
            }
        }
    }

    private struct Answer: Decodable {
        var symbols: [Symbol]?
        enum CodingKeys: String, CodingKey { case symbols = "Symbol" }
    }

    private struct Symbol: Decodable {
        var function: String
        var file: String
        var line: Int
        enum CodingKeys: String, CodingKey {
            case function = "FunctionName"
            case file = "FileName"
            case line = "Line"
        }
    }
}

/// Why addresses could not be looked up.
public enum SymbolizerError: Error, Equatable {
    case failed
}
