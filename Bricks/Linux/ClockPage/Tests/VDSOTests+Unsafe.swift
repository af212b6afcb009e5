@testable import ClockPage
import Glibc
import MachineVDSO
import MachineX86_64
import PageFrames
import Testing

/// This machine's clocks.
private final class HostClock: ClockSource {
    override var counter: UInt64 { brique_timestamp() }
    override var monotonic: UInt64 { nanoseconds(CLOCK_MONOTONIC) }
    override var wall: UInt64 { nanoseconds(CLOCK_REALTIME) }
}

private func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    // SAFETY: the structure outlives the call.
    unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

private typealias Function = @convention(c) (Int, Int) -> Int

/// The object as a program has it: the clock page, then the code.
private final class MappedObject {
    private let start: UInt
    private let bytes: [UInt8]

    init() {
        bytes = (0..<brique_vdso_byte_count()).map { brique_vdso_byte($0) }
        // SAFETY: two pages of one's own, for good: functions outlive the object.
        let memory = unsafe mmap(nil, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
        unsafe memory.advanced(by: 4096).copyMemory(from: bytes, byteCount: bytes.count)
        unsafe mprotect(memory.advanced(by: 4096), 4096, PROT_READ | PROT_EXEC)
        start = UInt(bitPattern: memory)
    }

    func show(_ frames: TestFrames, _ page: ClockPage) {
        // SAFETY: the page's words to the page that the functions read.
        unsafe UnsafeMutableRawPointer(bitPattern: start)!.copyMemory(from: frames.words(of: page.frame), byteCount: 72)
    }

    private func word(_ at: Int, _ count: Int = 8) -> Int {
        (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    }

    /// The value of the first entry of the dynamic section with that tag.
    private func dynamic(_ tag: Int) -> Int {
        let table = word(64 + 56 + 8)
        return (0..<10).map { table + $0 * 16 }.first { word($0) == tag }.map { word($0 + 8) } ?? 0
    }

    func function(_ name: String) throws -> Function {
        let strings = dynamic(5), symbols = dynamic(6)
        let index = try #require(
            (1..<word(dynamic(4) + 4, 4)).first { index in
                let at = strings + word(symbols + index * 24, 4)
                return bytes[at...].prefix { $0 != 0 }.elementsEqual(name.utf8)
            })
        let address = start + 4096 + UInt(word(symbols + index * 24 + 8))
        // SAFETY: the object says that a function is there; it takes what vdso(7) says.
        return unsafe unsafeBitCast(address, to: Function.self)
    }
}

struct VDSOTests {
    @Test func `the functions tell the page's time, or make the call`() throws {
        let frames = TestFrames(chunkLimit: 1)
        let page = try ClockPage(HostClock(), frames: frames, isSteady: true)
        let object = MappedObject()
        let gettime = try object.function("__vdso_clock_gettime"), day = try object.function("__vdso_gettimeofday")
        let time = try object.function("__vdso_time")
        for round in 0..<3 {
            if round > 0 {
                usleep(30_000)
                _ = page.monotonic
                object.show(frames, page)
            }
            for clock: clockid_t in [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, 5, 6, CLOCK_BOOTTIME] {
                var shown = [0, 0]
                // SAFETY: two words for one timespec.
                let result = unsafe shown.withUnsafeMutableBytes { gettime(Int(clock), Int(bitPattern: $0.baseAddress)) }
                // The clocks that have an offset of their own here have none in an instance.
                let like = clock == 0 || clock == 5 ? CLOCK_REALTIME : CLOCK_MONOTONIC
                let difference = Int64(nanoseconds(like)) - Int64(shown[0] * 1_000_000_000 + shown[1])
                if round > 0 || clock < 2 { #expect(result == 0 && abs(difference) < 5_000_000 && shown[1] < 1_000_000_000) }
            }
            var shown = [0, 0], zone = [-1]
            // SAFETY: two words for one timeval, one for the zone.
            let result = unsafe shown.withUnsafeMutableBytes { shown in
                unsafe zone.withUnsafeMutableBytes { day(Int(bitPattern: shown.baseAddress), Int(bitPattern: $0.baseAddress)) }
            }
            let now = Int(nanoseconds(CLOCK_REALTIME) / 1000)
            #expect(result == 0 && abs(shown[0] * 1_000_000 + shown[1] - now) < 5000 && shown[1] < 1_000_000 && zone == [0])
            #expect(day(0, 0) == 0)
            #expect(abs(time(0, 0) - now / 1_000_000) <= 1)
        }
    }

    @Test func `clocks of processor time, unknown ones and none at all are the call's`() throws {
        let object = MappedObject()
        let gettime = try object.function("__vdso_clock_gettime"), getres = try object.function("__vdso_clock_getres")
        var shown = [0, 0]
        for clock in [-1, 12, 77, Int(Int32.min), 1 << 31] {
            // SAFETY: two words for one timespec.
            #expect(unsafe shown.withUnsafeMutableBytes { gettime(clock, Int(bitPattern: $0.baseAddress)) } == -Int(EINVAL))
            #expect(getres(clock, 0) == -Int(EINVAL))
        }
        // SAFETY: as above.
        #expect(unsafe shown.withUnsafeMutableBytes { gettime(2, Int(bitPattern: $0.baseAddress)) } == 0)
        #expect(shown[0] * 1_000_000_000 + shown[1] > 0)
        for (clock, resolution) in [(0, 1), (1, 1), (4, 1), (5, 4_000_000), (6, 4_000_000), (7, 1)] {
            // SAFETY: as above.
            #expect(unsafe shown.withUnsafeMutableBytes { getres(clock, Int(bitPattern: $0.baseAddress)) } == 0)
            #expect(shown == [0, resolution] && getres(clock, 0) == 0)
        }
    }

    @Test func `there is one processor`() throws {
        let getcpu = try MappedObject().function("__vdso_getcpu")
        var places: [UInt32] = [7, 7]
        // SAFETY: one word each.
        let result = unsafe places.withUnsafeMutableBytes { getcpu(Int(bitPattern: $0.baseAddress), Int(bitPattern: $0.baseAddress) + 4) }
        #expect(result == 0 && places == [0, 0] && getcpu(0, 0) == 0)
    }
}
