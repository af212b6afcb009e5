import Testing

@testable import Time

@Test func `a deadline past the end of time is never`() {
    #expect(Instant(nanoseconds: .max - 1).advanced(by: .seconds(1)) == .distantFuture)
    #expect(Instant.start.advanced(by: .seconds(Int64.max)) == .distantFuture)
}

@Test func `a negative duration does not move an instant`() {
    #expect(Instant(nanoseconds: 5).advanced(by: .seconds(-1)) == Instant(nanoseconds: 5))
    #expect(Instant(nanoseconds: 5).duration(to: .start) == .zero)
}

@Test func `a part of a nanosecond is waited for in full`() {
    #expect((Duration.nanoseconds(1) / 2).nanosecondsRoundedUp == 1)
    #expect(Duration.milliseconds(3).nanosecondsRoundedUp == 3_000_000)
}

@Test(arguments: [1, 1_000, 2_445_426, 3_999_999, 1_000_000_000] as [UInt64])
func `a second of ticks is a second`(kilohertz: UInt64) {
    let measured = TickRate(kilohertz: kilohertz).nanoseconds(of: kilohertz * 1_000)
    #expect(measured <= 1_000_000_000 && measured > 999_999_000)
}

@Test func `a year of ticks does not overflow`() {
    let year: UInt64 = 365 * 86_400
    let measured = TickRate(kilohertz: 2_445_426).nanoseconds(of: year * 2_445_426_000)
    #expect(measured / 1_000_000_000 >= year - 1 && measured / 1_000_000_000 <= year)
}
