/// IMF-fixdate, the format of dates in fields: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
public struct HTTPDate: Equatable, Sendable {
    public static let byteCount = 29
    public let text: InlineArray<29, UInt8>

    public init(secondsSince1970: UInt64) {
        let days = Int(truncatingIfNeeded: secondsSince1970 / 86_400)
        let second = Int(truncatingIfNeeded: secondsSince1970 % 86_400)
        let date = Self.civil(days)
        var text = InlineArray<29, UInt8>(repeating: HTTPCharacter.space)
        Self.put("Thu, Fri, Sat, Sun, Mon, Tue, Wed, ", at: days % 7 * 5, count: 4, &text, 0)
        Self.put(date.day, digits: 2, &text, 5)
        Self.put("JanFebMarAprMayJunJulAugSepOctNovDec", at: (date.month - 1) * 3, count: 3, &text, 8)
        Self.put(date.year, digits: 4, &text, 12)
        Self.put(second / 3_600, digits: 2, &text, 17)
        Self.put(second / 60 % 60, digits: 2, &text, 20)
        Self.put(second % 60, digits: 2, &text, 23)
        text[19] = HTTPCharacter.colon
        text[22] = HTTPCharacter.colon
        Self.put("GMT", at: 0, count: 3, &text, 26)
        self.text = text
    }

    public static func == (a: HTTPDate, b: HTTPDate) -> Bool {
        for index in 0..<byteCount where a.text[index] != b.text[index] { return false }
        return true
    }

    /// Year, month and day of a day since 1970-01-01, in the Gregorian calendar whose years begin in March.
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
        return (year, month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    private static func put(_ source: String, at start: Int, count: Int, _ text: inout InlineArray<29, UInt8>, _ offset: Int) {
        let bytes = source.utf8.span
        for index in 0..<count { text[offset + index] = bytes[start + index] }
    }

    private static func put(_ value: Int, digits: Int, _ text: inout InlineArray<29, UInt8>, _ offset: Int) {
        var rest = value
        for index in stride(from: digits - 1, through: 0, by: -1) {
            text[offset + index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}

extension HTTPWriter {
    /// `Date: …` CRLF.
    public mutating func dateField(_ date: borrowing HTTPDate) {
        append("Date: ")
        append(date.text.span)
        lineEnd()
    }
}
