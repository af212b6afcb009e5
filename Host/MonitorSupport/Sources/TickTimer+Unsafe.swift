import LinuxCalls

/// A timer that interrupts this thread by a signal (timer_create(2)). Its clock is the time that the thread runs, guest included: a
/// thread that waits is left alone.
@safe
public struct TickTimer: Sendable {
    /// SIGALRM
    public static let signal: Int32 = 14
    public let number: UInt32
    /// CLOCK_THREAD_CPUTIME_ID
    private static let clock: UInt64 = 3

    public init() throws(Refusal) {
        // struct sigevent: value, then signal and SIGEV_SIGNAL (0), then what that does not use.
        var event = InlineArray<8, UInt64>(repeating: 0)
        event[1] = UInt64(UInt32(bitPattern: Self.signal))
        var number: UInt32 = 0
        // SAFETY: the kernel reads one sigevent and writes one timer number.
        let result = unsafe withUnsafeMutablePointer(to: &event) { event in
            unsafe withUnsafeMutablePointer(to: &number) { number in
                Linux.call(__NR_timer_create, Self.clock, UInt64(UInt(bitPattern: event)), UInt64(UInt(bitPattern: number)))
            }
        }
        guard result == 0 else { throw Refusal(.hostRefused, "the kernel refuses a timer", errno: result) }
        self.number = number
    }

    /// 0: no more signals.
    func set(nanoseconds: UInt64) -> Int64 {
        // struct itimerspec: the interval, then the first time.
        var time = InlineArray<4, UInt64>(repeating: 0)
        time[0] = nanoseconds / 1_000_000_000
        time[1] = nanoseconds % 1_000_000_000
        time[2] = time[0]
        time[3] = time[1]
        // SAFETY: the kernel reads one itimerspec.
        return unsafe withUnsafeMutablePointer(to: &time) {
            Linux.call(__NR_timer_settime, UInt64(number), 0, UInt64(UInt(bitPattern: $0)), 0)
        }
    }
}

extension SystemCallFilter {
    /// Lets the timer be set, and no other.
    public mutating func allow(_ timer: TickTimer) {
        allow(__NR_timer_settime, where: .is32(0, timer.number), .is32(1, 0), .equals(3, 0))
    }
}
