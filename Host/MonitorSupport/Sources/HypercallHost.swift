/// What a monitor asks of the host on a guest's behalf. Results are >= 0, or minus an errno.
public protocol HypercallHost {
    mutating func writeConsole(_ bytes: RawSpan) -> Int64
    /// 0 is the end of the input.
    mutating func readConsole(_ bytes: inout MutableRawSpan) -> Int64
    /// Blocks until the console has input (if `console`), or for `nanoseconds` (`UInt64.max`: for ever). 1 if there is input, else 0.
    mutating func wait(nanoseconds: UInt64, console: Bool) -> Int64
    /// Nanoseconds.
    mutating func monotonicTime() -> Int64
    /// Nanoseconds since 1970.
    mutating func wallTime() -> Int64
    mutating func fillRandom(_ bytes: inout MutableRawSpan) -> Int64
    /// Changes the access of whole pages of the heap.
    mutating func protect(_ range: GuestRange, _ access: HeapAccess) -> Int64
}

/// BRIQUE_ACCESS_…
public enum HeapAccess: UInt64, Sendable { case none, read, readWrite }
