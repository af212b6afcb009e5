import BootFormat
import CHypercalls
import Time

/// Why the platform refused a hypercall: an errno of its host (errno(3)), always positive.
public struct HypercallError: Error, Equatable {
    public let errno: Int32
}

/// What `Hypercalls.wait` may wake for.
public struct Events: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The console has input, or has come to its end.
    public static let consoleInput = Events(rawValue: UInt64(BRIQUE_EVENT_CONSOLE_INPUT))

    /// Link `index` has something to receive.
    public static func link(_ index: Int) -> Events { Events(rawValue: UInt64(BRIQUE_EVENT_LINK) << UInt64(index)) }
}

/// What the library OS may do with a page. Execution is never granted after start.
public enum PageAccess: UInt64, Sendable {
    case none = 0
    case read = 1
    case readWrite = 2
}

/// The calls of docs/hypercalls.md, typed.
public enum Hypercalls {
    static func checked(_ result: Int64) throws(HypercallError) -> Int {
        guard result >= 0 else { throw HypercallError(errno: Int32(clamping: -result)) }
        return Int(result)
    }

    /// Ends the instance with `status`, of which the low eight bits count.
    public static func exit(_ status: Int32) -> Never { brique_exit(status) }

    /// Blocks until one of `events` is ready or `timeout` (rounded to nanoseconds, `nil`: for ever) has passed.
    ///
    /// The empty set means that time ran out, or that the wait was cut short: ask again.
    public static func wait(for events: Events, timeoutNanoseconds: UInt64) -> Events {
        let ready = brique_call(UInt64(BRIQUE_CALL_WAIT), timeoutNanoseconds, events.rawValue, 0)
        return ready > 0 ? Events(rawValue: UInt64(ready)) : []
    }

    /// Nanoseconds of the platform's monotonic clock; the zero is the platform's own.
    public static func monotonicNanoseconds() -> UInt64 {
        UInt64(bitPattern: brique_call(UInt64(BRIQUE_CALL_MONOTONIC_TIME), 0, 0, 0))
    }

    public static func wallTime() -> WallTime {
        WallTime(nanosecondsSince1970: UInt64(bitPattern: brique_call(UInt64(BRIQUE_CALL_WALL_TIME), 0, 0, 0)))
    }

    /// Changes the access of whole pages. `address` and `byteCount` are multiples of 4,096.
    ///
    /// `HypercallError` with ENOMEM (12): the platform needs a page for its tables, see the Memory brick.
    public static func protect(address: UInt, byteCount: Int, access: PageAccess) throws(HypercallError) {
        _ = try checked(brique_call(UInt64(BRIQUE_CALL_PROTECT), UInt64(address), UInt64(byteCount), access.rawValue))
    }

    /// Gives up the page at `address` to the platform's page tables, for good.
    public static func donateTable(address: UInt) throws(HypercallError) {
        _ = try checked(brique_call(UInt64(BRIQUE_CALL_DONATE_TABLE), UInt64(address), 0, 0))
    }

    /// Maps whole pages for programs, below the library OS: `access` is BRIQUE_MAP_…, 0 unmaps.
    ///
    /// `HypercallError` with ENOMEM (12): the platform needs a page for its tables, see the Memory brick.
    public static func map(_ address: UInt64, byteCount: UInt64, to physical: UInt64, access: UInt64) throws(HypercallError) {
        _ = try checked(brique_call(UInt64(BRIQUE_CALL_MAP), address, byteCount, physical | access))
    }

    /// Interrupts programs at this interval; 0: never.
    public static func tick(everyNanoseconds nanoseconds: UInt64) throws(HypercallError) {
        _ = try checked(brique_call(UInt64(BRIQUE_CALL_TICK), nanoseconds, 0, 0))
    }
}
