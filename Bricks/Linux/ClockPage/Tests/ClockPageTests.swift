@testable import ClockPage
import PageFrames
import Random
import Testing

/// A processor whose counter, and a platform whose clocks, drift as the test says.
final class DriftingClock: ClockSource {
    /// Nanoseconds that really passed.
    var passed: Double = 5_000_000_000
    var ticksPerNanosecond = 2.7
    var counterStart: UInt64 = 1 << 40
    /// How much too fast the platform's clock is, in millionths.
    var drift: Double = 0
    var wallStart: UInt64 = 1_700_000_000_000_000_000
    var generator: KeyedGenerator
    /// Nanoseconds that reading a clock takes, at most.
    var readingTime: Double = 60

    init(seed: UInt64) { generator = KeyedGenerator(key: SipHash.Key(low: seed, high: 1)) }

    func pass(_ nanoseconds: Double) { passed += nanoseconds }
    private func read() { passed += Double.random(in: 0...readingTime, using: &generator) / 2 }
    private var shown: UInt64 { UInt64(passed * (1 + drift / 1_000_000)) }

    override var counter: UInt64 { counterStart &+ UInt64(passed * ticksPerNanosecond) }
    override var monotonic: UInt64 {
        read()
        defer { read() }
        return shown
    }
    override var wall: UInt64 {
        read()
        defer { read() }
        return wallStart + shown
    }
    /// Without the time that it takes.
    var exact: UInt64 { shown }
}

/// Reads the page as the vDSO does; nil: it would make the call.
private struct PageReader {
    let frames: TestFrames
    let page: ClockPage

    func nanoseconds(_ line: Int, counter: UInt64) -> UInt64? {
        let words = frames.words(of: page.frame)
        let ticks = counter &- words[ClockPage.Word.base / 8]
        guard ticks < words[ClockPage.Word.limit / 8] else { return nil }
        let product = ticks.multipliedFullWidth(by: words[line / 8])
        return words[line / 8 + 1] * 1_000_000_000 + words[line / 8 + 2] + (product.high << 32 | product.low >> 32)
    }
}

struct ClockPageTests {
    @Test(arguments: [-80.0, 0, 35]) func `no reader sees time go back, and all are near the platform's`(drift: Double) throws {
        let seed = UInt64.random(in: 0...(.max))
        let source = DriftingClock(seed: seed)
        source.drift = drift
        let frames = TestFrames(chunkLimit: 1)
        let page = try ClockPage(source, frames: frames, isSteady: true)
        let reader = PageReader(frames: frames, page: page)
        var last: UInt64 = 0, lastWall: UInt64 = 0, calls = 0, backwards = 0, worst: Int64 = 0
        for round in 0..<200_000 {
            source.pass(Double.random(in: 0...100_000, using: &source.generator))
            if round == 100_000 { source.pass(3_600e9) }
            // The host takes the processor away in the midst of a reading now and then.
            source.readingTime = round % 97 == 0 ? 20_000 : 60
            var wall = reader.nanoseconds(ClockPage.Word.wall, counter: source.counter)
            var now = reader.nanoseconds(ClockPage.Word.monotonic, counter: source.counter)
            if now == nil || wall == nil {
                calls += 1
                wall = page.wall
                now = page.monotonic
            }
            let monotonic = now ?? 0, day = wall ?? 0
            if monotonic < last || day < lastWall { backwards += 1 }
            let difference = Int64(bitPattern: monotonic &- source.exact),
                dayDifference = Int64(bitPattern: day &- source.wallStart &- source.exact)
            worst = max(worst, difference.magnitude > dayDifference.magnitude ? abs(difference) : abs(dayDifference))
            (last, lastWall) = (monotonic, day)
        }
        #expect(backwards == 0 && worst < 100_000, "seed \(seed)")
        // 10 s: the first 10 ms of calls, and one for each page.
        #expect(calls < 300, "seed \(seed)")
    }

    @Test func `the page holds for a second and not longer`() throws {
        let source = DriftingClock(seed: 1)
        let frames = TestFrames(chunkLimit: 1)
        let page = try ClockPage(source, frames: frames, isSteady: true)
        let reader = PageReader(frames: frames, page: page)
        #expect(reader.nanoseconds(ClockPage.Word.monotonic, counter: source.counter) == nil)
        source.pass(2e9)
        _ = page.monotonic
        source.pass(0.99e9)
        #expect(reader.nanoseconds(ClockPage.Word.monotonic, counter: source.counter) != nil)
        source.pass(0.02e9)
        #expect(reader.nanoseconds(ClockPage.Word.monotonic, counter: source.counter) == nil)
        // A counter that is behind the base, as another processor's may be.
        #expect(reader.nanoseconds(ClockPage.Word.monotonic, counter: 5) == nil)
    }

    @Test func `a wall clock that is set steps with it, and the monotonic one does not`() throws {
        let source = DriftingClock(seed: 2)
        let page = try ClockPage(source, frames: TestFrames(chunkLimit: 1), isSteady: true)
        source.pass(1e9)
        let before = page.monotonic
        _ = page.wall
        for step in [-7_200e9, 3_600e9] {
            source.wallStart = UInt64(Double(source.wallStart) + step)
            source.pass(1.1e9)
            #expect(abs(Int64(page.wall) - Int64(source.wallStart + source.exact)) < 1_000_000)
        }
        #expect(page.monotonic - before < 3_000_000_000)
    }

    @Test func `a counter that jumps is measured anew, and after eight times left alone`() throws {
        let source = DriftingClock(seed: 3)
        let frames = TestFrames(chunkLimit: 1)
        let page = try ClockPage(source, frames: frames, isSteady: true)
        let reader = PageReader(frames: frames, page: page)
        var last: UInt64 = 0
        for jump in 1...12 {
            source.pass(1.1e9)
            _ = page.monotonic
            source.pass(1.1e9)
            _ = page.monotonic
            #expect((reader.nanoseconds(ClockPage.Word.monotonic, counter: source.counter) != nil) == (jump <= 8))
            source.counterStart = jump % 2 == 0 ? source.counterStart &+ 1 << 36 : source.counterStart &- 1 << 35
            source.pass(1.1e9)
            let now = page.monotonic
            #expect(now >= last && abs(Int64(now) - Int64(source.exact)) < 1_000_000)
            last = now
        }
    }

    @Test func `a counter without one rate is not used`() throws {
        let source = DriftingClock(seed: 4)
        let frames = TestFrames(chunkLimit: 1)
        let page = try ClockPage(source, frames: frames, isSteady: false)
        for _ in 0..<10 {
            source.pass(1e9)
            #expect(abs(Int64(page.monotonic) - Int64(source.exact)) < 1000)
        }
        #expect(PageReader(frames: frames, page: page).nanoseconds(ClockPage.Word.wall, counter: source.counter) == nil)
    }

    @Test func `after an instance went on elsewhere its clock begins anew`() throws {
        let source = DriftingClock(seed: 5)
        let frames = TestFrames(chunkLimit: 1)
        let page = try ClockPage(source, frames: frames, isSteady: true)
        source.pass(2e9)
        let before = page.monotonic
        page.invalidate()
        source.counterStart = 0
        source.ticksPerNanosecond = 3.1
        let reader = PageReader(frames: frames, page: page)
        #expect(reader.nanoseconds(ClockPage.Word.monotonic, counter: source.counter) == nil)
        #expect(page.monotonic >= before)
        source.pass(2e9)
        _ = page.monotonic
        source.pass(1e7)
        #expect(abs(Int64(page.monotonic) - Int64(source.exact)) < 10_000)
    }
}
