import RegisterBank

/// The date in a PC's CMOS memory (MC146818), read as UTC, to the second.
///
/// - Parameter read: reads one of its registers.
/// - Returns: seconds since 1970, or nil if what is there is no date.
func realTimeClockSeconds(_ read: (UInt8) -> UInt8) -> UInt64? {
    // Between two updates a date is whole: read until two readings agree.
    var patience = 1000
    while patience > 0 {
        patience -= 1
        guard read(0x0a) & 0x80 == 0 else { continue }
        let date = RealTimeClockDate(read)
        if date == RealTimeClockDate(read) { return date.secondsSince1970 }
    }
    return nil
}

private struct RealTimeClockDate: Equatable {
    var second, minute, hour, day, month, year: UInt64

    init(_ read: (UInt8) -> UInt8) {
        let isBinary = read(0x0b) & 4 != 0
        func number(_ register: UInt8) -> UInt64 {
            let value = UInt64(read(register))
            return isBinary ? value : value >> 4 * 10 + value & 15
        }
        second = number(0)
        minute = number(2)
        hour = number(4)
        day = number(7)
        month = number(8)
        // Years are of this century: an MC146818 keeps two digits.
        year = 2000 + number(9)
    }

    var secondsSince1970: UInt64? {
        guard second < 60, minute < 60, hour < 24, day >= 1, day <= 31, month >= 1, month <= 12, year < 2100 else { return nil }
        // Years that begin in March end with the leap day; 719,468 days lie between 0000-03-01 and 1970-01-01.
        let marchYear = month > 2 ? year : year - 1
        let marchMonth = (month + 9) % 12
        let days = marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + (marchMonth * 153 + 2) / 5 + day - 1 - 719_468
        return ((days * 24 + hour) * 60 + minute) * 60 + second
    }
}
