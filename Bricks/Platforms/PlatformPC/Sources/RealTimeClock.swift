import RegisterBank

/// The date in a PC's CMOS memory (MC146818), read as UTC, to the second.
///
/// - Parameter registers: its registers, by their numbers.
/// - Returns: seconds since 1970, or nil if what is there is no date.
func realTimeClockSeconds(_ registers: some RegisterBank) -> UInt64? {
    // Between two updates a date is whole: read until two readings agree. Register A, bit 7: an update is near.
    var patience = 1000
    while patience > 0 {
        patience &-= 1
        if registers.read(0x0a, .byte) & 0x80 != 0 { continue }
        let date = packedDate(registers)
        // Register B, bit 2: binary numbers, not decimal ones.
        if date == packedDate(registers) { return secondsSince1970(date, isBinary: registers.read(0x0b, .byte) & 4 != 0) }
    }
    return nil
}

/// Year, month, day, hour, minute, second: a byte each, the year highest.
@inline(never) private func packedDate(_ registers: some RegisterBank) -> UInt64 {
    var date: UInt64 = 0
    // The registers' numbers, a digit each, the first lowest; the last one is 0, the seconds.
    var order = 0x02_4789
    var count = 6
    while count > 0 {
        date = date << 8 | UInt64(registers.read(order & 15, .byte) & 0xff)
        order >>= 4
        count &-= 1
    }
    return date
}

private func secondsSince1970(_ date: UInt64, isBinary: Bool) -> UInt64? {
    // Decimal digits are four bits each, so that the upper one of a byte counts six too much; no byte borrows from the next.
    let date = isBinary ? date : date &- 6 &* (date >> 4 & 0x0f0f_0f0f_0f0f)
    let second = date & 0xff
    let minute = date >> 8 & 0xff
    let hour = date >> 16 & 0xff
    let day = date >> 24 & 0xff
    let month = date >> 32 & 0xff
    // Years are of this century, for an MC146818 keeps two digits; each fourth one is a leap year. 2000 is no date, but
    // what a clock says that has lost its battery.
    let year = date >> 40
    guard second < 60, minute < 60, hour < 24, day &- 1 < 31, month &- 1 < 12, year &- 1 < 99 else { return nil }
    // Years that begin in March end with the leap day; 11,017 days lie between 1970-01-01 and 2000-03-01.
    let marchYear = month > 2 ? year : year &- 1
    let marchMonth = month > 2 ? month &- 3 : month &+ 9
    let days = marchYear &* 365 &+ marchYear / 4 &+ (marchMonth &* 153 &+ 2) / 5 &+ day &+ 11_016
    return ((days &* 24 &+ hour) &* 60 &+ minute) &* 60 &+ second
}
