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

/// One of the date's numbers, the second being the lowest; decimal digits are four bits each.
@inline(never) private func number(_ index: UInt64, of date: UInt64, isBinary: Bool) -> UInt64 {
    let value = (date &>> (index &* 8)) & 0xff
    return isBinary ? value : (value >> 4) &* 10 &+ (value & 15)
}

private func secondsSince1970(_ date: UInt64, isBinary: Bool) -> UInt64? {
    let second = number(0, of: date, isBinary: isBinary)
    let minute = number(1, of: date, isBinary: isBinary)
    let hour = number(2, of: date, isBinary: isBinary)
    let day = number(3, of: date, isBinary: isBinary)
    let month = number(4, of: date, isBinary: isBinary)
    // Years are of this century, for an MC146818 keeps two digits; each fourth one is a leap year. 2000 is no date, but
    // what a clock says that has lost its battery.
    let year = number(5, of: date, isBinary: isBinary)
    guard second < 60, minute < 60, hour < 24, day &- 1 < 31, month &- 1 < 12, year &- 1 < 99 else { return nil }
    // Years that begin in March end with the leap day; 11,017 days lie between 1970-01-01 and 2000-03-01.
    let marchYear = month > 2 ? year : year &- 1
    let marchMonth = month > 2 ? month &- 3 : month &+ 9
    let days = marchYear &* 365 &+ marchYear / 4 &+ (marchMonth &* 153 &+ 2) / 5 &+ day &+ 11_016
    return ((days &* 24 &+ hour) &* 60 &+ minute) &* 60 &+ second
}
