import Glibc
import Time

/// The host's clocks.
enum HostClock {
    static var monotonic: Instant { Instant(nanoseconds: read(CLOCK_MONOTONIC)) }
    static var wall: WallTime { WallTime(nanosecondsSince1970: read(CLOCK_REALTIME)) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        // SAFETY: the kernel writes the structure it is given.
        _ = unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
