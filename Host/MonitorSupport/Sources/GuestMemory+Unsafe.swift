import BootFormat
import LinuxCalls

/// A checked range of guest memory: only a `GuestMemory` makes one.
public struct GuestRange: Equatable, Sendable {
    /// From the start of guest memory.
    public let offset: Int
    public let byteCount: Int
    public var physical: UInt64 { UInt64(BRIQUE_MEMORY_BASE) + UInt64(offset) }
}

/// The monitor's own mapping of all guest memory. The guest can change the bytes whenever it runs, so what is read is read once.
@safe
public struct GuestMemory {
    private let start: UnsafeMutableRawPointer
    public let byteCount: Int

    public static let physicalBase = UInt64(BRIQUE_MEMORY_BASE)
    public static let virtualBase = UInt64(BRIQUE_VIRTUAL_BASE)

    /// `start` is a mapping of `byteCount` bytes that stays until the process ends, or until nothing uses this value.
    @unsafe public init(start: UnsafeMutableRawPointer, byteCount: Int) {
        unsafe self.start = start
        self.byteCount = byteCount
    }

    /// Where the mapping is in this process.
    public var address: UInt64 { unsafe UInt64(UInt(bitPattern: start)) }

    /// nil if any byte of the range is outside guest memory.
    public func range(physical: UInt64, byteCount count: UInt64) -> GuestRange? {
        let (offset, isBelow) = physical.subtractingReportingOverflow(Self.physicalBase)
        guard !isBelow, offset <= UInt64(byteCount), count <= UInt64(byteCount) - offset else { return nil }
        return GuestRange(offset: Int(offset), byteCount: Int(count))
    }

    /// The same, by an address in the direct map.
    public func range(virtual: UInt64, byteCount count: UInt64) -> GuestRange? {
        let (physical, isBelow) = virtual.subtractingReportingOverflow(Self.virtualBase)
        return isBelow ? nil : range(physical: physical, byteCount: count)
    }

    private func pointer(_ range: GuestRange) -> UnsafeMutableRawPointer {
        precondition(range.offset >= 0 && range.byteCount >= 0 && range.offset <= byteCount && range.byteCount <= byteCount - range.offset)
        // SAFETY: the range was just checked against this very mapping.
        return unsafe start + range.offset
    }

    @_lifetime(borrow self)
    public func bytes(_ range: GuestRange) -> RawSpan {
        // SAFETY: `pointer` checked the range; the mapping outlives self by the promise of init.
        unsafe _overrideLifetime(RawSpan(_unsafeStart: pointer(range), byteCount: range.byteCount), borrowing: self)
    }

    /// Runs `body` over the bytes of `range`, which the monitor may write. The guest does not run meanwhile.
    public func withMutableBytes<R>(_ range: GuestRange, _ body: (inout MutableRawSpan) -> R) -> R {
        // SAFETY: as above; there is one thread, and `body` has the only span over guest memory that can write.
        var span = unsafe MutableRawSpan(_unsafeStart: pointer(range), byteCount: range.byteCount)
        return body(&span)
    }

    /// Makes the pages of `range` present at once (MADV_POPULATE_WRITE, madvise(2)). Only speed depends on it: kernels before 5.14 refuse.
    public func populate(_ range: GuestRange) {
        let page = UInt64(BRIQUE_PAGE_SIZE)
        let start = (address + UInt64(range.offset)) & ~(page - 1), end = address + UInt64(range.offset + range.byteCount)
        _ = Linux.call(__NR_madvise, start, (end - start + page - 1) & ~(page - 1), 23)
    }

    /// A 64-bit word of guest memory, or nil if the address is not that of an aligned word inside it.
    public func word(virtual: UInt64) -> UInt64? {
        guard virtual % 8 == 0, let range = range(virtual: virtual, byteCount: 8) else { return nil }
        // SAFETY: `pointer` checked the range, and both the mapping and the address are aligned.
        return unsafe pointer(range).load(as: UInt64.self)
    }

    /// Stores a word at a physical address that the caller took from a checked range.
    public func store(_ value: UInt64, physical: UInt64) {
        guard physical % 8 == 0, let range = range(physical: physical, byteCount: 8) else { preconditionFailure() }
        // SAFETY: as for word(virtual:).
        unsafe pointer(range).storeBytes(of: value, as: UInt64.self)
    }
}
