/// PROT_… of mmap(2).
public struct Protection: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static var read: Protection { Protection(rawValue: 1) }
    public static var write: Protection { Protection(rawValue: 2) }
    public static var execute: Protection { Protection(rawValue: 4) }
}

/// Why an access to memory of a program fails: what its signal says (sigaction(2)).
public enum MemoryFault: Error, Equatable, Sendable {
    /// SIGSEGV, SEGV_MAPERR
    case notMapped
    /// SIGSEGV, SEGV_ACCERR
    case protected
    /// SIGBUS, BUS_ADRERR: beyond the end of the file
    case beyondFile
    /// No frame is left.
    case outOfMemory
}

/// What maps pages for the processor: the platform, or a test.
open class PageMapper {
    public init() {}
    /// Maps whole pages; an empty protection unmaps. False: the platform has no room for it.
    open func map(_ address: UInt64, byteCount: UInt64, to physical: UInt64, _ protection: Protection) -> Bool { true }
}
