import Errno
import LinuxFormat

/// The six arguments of a call (syscall(2)).
public struct Arguments {
    private let words: InlineArray<6, UInt64>
    public init(_ words: InlineArray<6, UInt64>) { self.words = words }

    @inline(__always) public subscript(index: Int) -> UInt64 { words[index] }
    @inline(__always) public func int32(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: words[index]) }
    @inline(__always) public func uint32(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: words[index]) }
    @inline(__always) public func int64(_ index: Int) -> Int64 { Int64(bitPattern: words[index]) }
    @inline(__always) public func descriptor(_ index: Int) -> Int32 { int32(index) }
    /// A size_t, clipped to what one call moves at most (MAX_RW_COUNT of read(2)).
    @inline(__always) public func byteCount(_ index: Int) -> Int { Int(min(words[index], 0x7fff_f000)) }
}

/// Answers one call: a result that is not negative, or an error.
public typealias Handler = (LinuxThread, borrowing Arguments) throws(Errno) -> Int

/// One row of the catalogue: what becomes of a call.
public struct Syscall {
    public enum Level: Sendable {
        /// As on Linux.
        case full
        /// With what is missing.
        case partial(StaticString)
        /// Always this answer, with the reason.
        case refused(Errno, StaticString)
    }
    public let number: SyscallNumber
    public let level: Level
    public let handler: Handler

    public init(_ number: SyscallNumber, _ level: Level, _ handler: @escaping Handler) {
        self.number = number
        self.level = level
        self.handler = handler
    }

    public static func refused(_ number: SyscallNumber, _ errno: Errno, _ reason: StaticString) -> Syscall {
        Syscall(number, .refused(errno, reason)) { (_, _) throws(Errno) -> Int in throw errno }
    }
}

/// Every call that there is. The table is the documentation: docs/syscalls.md is made of it.
public final class Catalogue {
    public private(set) var rows: [Syscall?]

    public init() { rows = Array(repeating: nil, count: SyscallNumber.limit) }

    /// A row that is there already is a bug.
    public func add(_ row: Syscall) {
        precondition(rows[row.number.rawValue] == nil, "two rows for one call")
        rows[row.number.rawValue] = row
    }

    @inline(__always) public subscript(number: UInt64) -> Syscall? {
        number < UInt64(rows.count) ? rows[Int(number)] : nil
    }
}
