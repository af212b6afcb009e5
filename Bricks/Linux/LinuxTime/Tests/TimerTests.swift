import Errno
import LinuxTime
import Scheduler
import Testing
import Time
import VFS

final class TestTime: TimeSource {
    var instant = Instant(nanoseconds: 1_000)
    var timers: [(timer: Timer, deadline: Instant)] = []

    override var now: Instant { instant }
    override var wallTime: WallTime { WallTime(nanosecondsSince1970: instant.nanoseconds + 1_000_000) }
    override func schedule(_ timer: Timer, at deadline: Instant) {
        cancel(timer)
        timers.append((timer, deadline))
    }
    override func cancel(_ timer: Timer) { timers.removeAll { $0.timer === timer } }

    func advance(to nanoseconds: UInt64) {
        instant = Instant(nanoseconds: nanoseconds)
        while let index = timers.firstIndex(where: { $0.deadline <= instant }) { timers.remove(at: index).timer.fire() }
    }
}

struct TimerTests {
    let time = TestTime()

    func count(_ file: TimerFile) -> UInt64? {
        var buffer = InlineArray<8, UInt8>(repeating: 0)
        var span = buffer.mutableSpan
        var raw = span.raw
        guard (try? file.read(into: &raw)) == 8 else { return nil }
        return (0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(buffer[$1]) }
    }

    @Test func `a timer file counts what nobody read`() {
        let file = TimerFile(time, .monotonic, [])
        file.retain()
        file.set(100, interval: 50, isAbsolute: false)
        #expect(count(file) == nil)
        #expect(file.timer.remaining == 100)
        time.advance(to: 1_100)
        #expect(file.readiness == .input)
        time.advance(to: 1_260)
        #expect(count(file) == 4)
        #expect(file.timer.remaining == 40)
        file.set(0, interval: 0, isAbsolute: false)
        time.advance(to: 5_000)
        #expect(count(file) == nil)
        file.release()
        #expect(time.timers.isEmpty)
    }

    @Test func `an absolute time of the wall clock that is past comes at once`() {
        let file = TimerFile(time, .realTime, [])
        file.set(5, interval: 0, isAbsolute: true)
        time.advance(to: 1_001)
        #expect(count(file) == 1)
        file.set(1_002_000, interval: 0, isAbsolute: true)
        time.advance(to: 1_999)
        #expect(count(file) == nil)
        time.advance(to: 2_000)
        #expect(count(file) == 1)
    }

    @Test func `times that overflow never come and never trap`() {
        let file = TimerFile(time, .monotonic, [])
        file.set(.max, interval: .max, isAbsolute: false)
        file.set(.max, interval: .max, isAbsolute: true)
        time.advance(to: 1 << 62)
        #expect(count(file) == nil)
        file.set(1, interval: .max, isAbsolute: false)
        time.advance(to: 1 << 62 + 2)
        #expect(count(file) == 1)
    }
}
