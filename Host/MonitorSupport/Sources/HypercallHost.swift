/// What a monitor asks of the host on a guest's behalf. Results are >= 0, or minus an errno.
public protocol HypercallHost {
    mutating func writeConsole(_ bytes: RawSpan) -> Int64
    /// 0 is the end of the input.
    mutating func readConsole(_ bytes: inout MutableRawSpan) -> Int64
    /// Blocks until one of `events` (BRIQUE_EVENT_…) is ready, or for `nanoseconds` (`UInt64.max`: for ever). The events that are ready.
    mutating func wait(nanoseconds: UInt64, events: UInt64) -> Int64
    /// Nanoseconds.
    mutating func monotonicTime() -> Int64
    /// Nanoseconds since 1970.
    mutating func wallTime() -> Int64
    mutating func fillRandom(_ bytes: inout MutableRawSpan) -> Int64
    /// Changes the access of whole pages of the heap.
    mutating func protect(_ range: GuestRange, _ access: HeapAccess) -> Int64
    /// Whether the monitor itself may store into `range` without a trap: the guest may have protected it. May change its bytes.
    mutating func canWrite(_ range: GuestRange) -> Bool

    /// Maps whole pages below the library OS, in place of whatever is there.
    mutating func mapProgram(_ address: UInt64, _ byteCount: UInt64, _ pages: ProgramPages, _ access: ProgramAccess) -> Int64
    mutating func unmapProgram(_ address: UInt64, _ byteCount: UInt64) -> Int64

    /// From now on a signal interrupts this thread whenever it has run for `nanoseconds`; 0: no more.
    mutating func tick(nanoseconds: UInt64) -> Int64

    var links: HostLinks { get }
    /// Sends one frame. Never blocks: EAGAIN if the link is full.
    mutating func transmit(_ frame: FrameBuffers, in view: GuestMemory, on link: Int) -> Int64
    /// Waits a short while, until the link has room (true) or something to receive.
    mutating func waitForRoom(on link: Int) -> Bool
    /// One frame. Never blocks: EAGAIN if there is none, 0 if there will be none any more.
    mutating func receive(into bytes: inout MutableRawSpan, on link: Int) -> Int64
}

/// BRIQUE_ACCESS_…
public enum HeapAccess: UInt64, Sendable { case none, read, readWrite }
