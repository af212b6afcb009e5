import LinuxCalls
@testable import MonitorSupport
import Testing

/// A copy of this process's vDSO; nil: the kernel gives none.
private func virtualObject() -> [UInt8]? {
    // SAFETY: the kernel maps at least two pages and says where (getauxval(3)).
    guard let start = unsafe UnsafeRawPointer(bitPattern: UInt(brique_host_program().vdso)) else { return nil }
    let header = unsafe UnsafeRawBufferPointer(start: start, count: 4096)
    guard let byteCount = SharedObject.byteCount(unsafe header.bytes) else { return nil }
    // SAFETY: the header says how much is mapped.
    return unsafe Array(UnsafeRawBufferPointer(start: start, count: byteCount))
}

@Test func `the kernel's own clock function is found, and agrees with the call`() throws {
    let bytes = try #require(virtualObject())
    // SAFETY: any byte is a byte.
    guard let object = SharedObject(unsafe bytes.span.bytes) else { return #expect(Bool(false), "no object") }
    let names: [StaticString] = ["__vdso_clock_gettime", "__vdso_clock_gettim", "__vdso_clock_gettime2"]
    var isThere: [Bool] = []
    for name in names { isThere.append(object.function(name) != nil) }
    #expect(isThere == [true, false, false])
    let clock = Clock()
    for number in [Clock.real, Clock.monotonic] {
        let before = now(number), got = clock.nanoseconds(number), after = now(number)
        #expect(before <= got && got <= after)
    }
    #expect(clock.nanoseconds(99) == ErrorNumber.invalid)
}

private func now(_ clock: Int32) -> Int64 {
    var time: [Int64] = [0, 0]
    // SAFETY: the kernel writes one timespec.
    _ = unsafe time.withUnsafeMutableBufferPointer { unsafe brique_clock_get(0, clock, $0.baseAddress!) }
    return time[0] * 1_000_000_000 + time[1]
}

@Test func `a shared object that is cut off or broken has no function, or one inside it`() throws {
    let bytes = try #require(virtualObject())
    func check(_ bytes: [UInt8]) {
        // SAFETY: any byte is a byte.
        guard let object = SharedObject(unsafe bytes.span.bytes), let offset = object.function("__vdso_clock_gettime") else { return }
        #expect(offset < bytes.count)
    }
    for count in stride(from: 0, to: bytes.count, by: 7) { check(Array(bytes.prefix(count))) }
    let seed = UInt64.random(in: 0...(.max))
    var state = seed
    func random() -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33)
    }
    for _ in 0..<2000 {
        var broken = bytes
        for _ in 0..<8 { broken[random() % min(broken.count, 2048)] = UInt8(truncatingIfNeeded: random()) }
        check(broken)
        // SAFETY: any byte is a byte.
        _ = SharedObject.byteCount(unsafe broken.span.bytes)
    }
    print("seed \(seed)")
}
