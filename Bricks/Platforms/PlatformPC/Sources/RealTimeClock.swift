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

private func secondsSince1970(_ packed: UInt64, isBinary: Bool) -> UInt64? {
    func number(_ index: UInt64) -> UInt64 {
        let value = packed &>> (index &* 8) & 0xff
        return isBinary ? value : (value >> 4) &* 10 &+ value & 15
    }
    let day = number(3)
    let month = number(4)
    // Years are of this century: an MC146818 keeps two digits.
    let year = number(5) &+ 2000
    guard number(0) < 60, number(1) < 60, number(2) < 24, day &- 1 < 31, month &- 1 < 12, year < 2100 else { return nil }
    // Years that begin in March end with the leap day; 719,468 days lie between 0000-03-01 and 1970-01-01. From 2000 to
    // 2099 each fourth year is a leap year.
    let marchYear = month > 2 ? year : year &- 1
    let marchMonth = (month &+ 9) % 12
    let leapDays = marchYear / 4 &- 15
    let days = marchYear &* 365 &+ leapDays &+ (marchMonth &* 153 &+ 2) / 5 &+ day &- 1 &- 719_468
    return ((days &* 24 &+ number(2)) &* 60 &+ number(1)) &* 60 &+ number(0)
}
