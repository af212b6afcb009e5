import ArgumentParser
import BootFormat

/// An amount of guest memory: whole pages, as `16M`, `1G`, `1536K` or a number of bytes.
public struct MemorySize: Equatable, Sendable, ExpressibleByArgument {
    public let byteCount: UInt64

    /// Reads a decimal number and one of K, M, G, T (powers of 1,024; either case), optionally followed by `B` or `iB`.
    public init(parsing text: String) throws(MemorySizeError) {
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty else { throw .notANumber }
        guard let number = UInt64(Substring(digits)) else { throw .tooLarge }
        let shift: UInt64
        switch text.dropFirst(digits.count).uppercased() {
        case "", "B": shift = 0
        case "K", "KB", "KIB": shift = 10
        case "M", "MB", "MIB": shift = 20
        case "G", "GB", "GIB": shift = 30
        case "T", "TB", "TIB": shift = 40
        default: throw .unknownUnit
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow, bytes <= Self.byteLimit else { throw .tooLarge }
        guard bytes > 0, bytes % UInt64(BRIQUE_PAGE_SIZE) == 0 else { throw .notWholePages }
        byteCount = bytes
    }

    /// What `brique run` gives when nothing is said.
    static let standard = MemorySize(byteCount: 16 << 20)

    /// The same for a Linux program.
    static let program = MemorySize(byteCount: 256 << 20)

    private init(byteCount: UInt64) { self.byteCount = byteCount }

    public init?(argument: String) {
        guard let size = try? MemorySize(parsing: argument) else { return nil }
        self = size
    }

    /// Guest addresses end below 2^46 (see BRIQUE_VIRTUAL_BASE); no host has as much.
    static let byteLimit: UInt64 = 1 << 45

    public var defaultValueDescription: String { Self.describe(byteCount) }

    /// The amount with the largest unit that divides it.
    static func describe(_ byteCount: UInt64) -> String {
        let units: [(UInt64, String)] = [(1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")]
        let unit = units.first { byteCount != 0 && byteCount % $0.0 == 0 }
        return unit.map { "\(byteCount / $0.0)\($0.1)" } ?? "\(byteCount)"
    }
}

/// Why an amount of memory was refused.
public enum MemorySizeError: Error, Equatable {
    case notANumber, unknownUnit, tooLarge, notWholePages
}
