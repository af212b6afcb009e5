/// Gathers heads and chunk frames in memory that is kept from message to message.
public struct HTTPWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Bytes as they are, without a look at them.
    @inline(never)
    public mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    @inline(never)
    public mutating func append(_ other: Span<UInt8>) { bytes.append(other) }

    public mutating func append(_ other: RawSpan) { append(other.octets) }

    /// HTTP/1.1 SP status SP reason CRLF (RFC 9112 §4).
    @inline(never)
    public mutating func statusLine(_ status: Int) {
        append("HTTP/1.1 ")
        append(decimal: status)
        append(" ")
        append(HTTPStatus.reason(of: status))
        lineEnd()
    }

    /// Method and target must be without blanks and line ends; others are refused.
    public mutating func requestLine(_ method: String, _ target: String) throws(HTTPFormatError) {
        for byte in method.utf8 where !HTTPCharacter.isToken(byte) { throw .badRequestLine }
        for byte in target.utf8 where !HTTPCharacter.isTarget(byte) { throw .badRequestLine }
        guard !method.utf8.isEmpty, !target.utf8.isEmpty else { throw .badRequestLine }
        append(method)
        append(" ")
        append(target)
        append(" HTTP/1.1\r\n")
    }

    /// One field. Bytes that no value may have, line ends above all, become spaces; a name that is no token is refused.
    @inline(never)
    public mutating func field(_ name: String, _ value: String) throws(HTTPFormatError) {
        guard !name.utf8.isEmpty else { throw .badFieldName }
        for byte in name.utf8 where !HTTPCharacter.isToken(byte) { throw .badFieldName }
        append(name)
        append(": ")
        let start = bytes.count
        append(value)
        for index in start..<bytes.count where !HTTPCharacter.isFieldValue(bytes[index]) { bytes[index] = HTTPCharacter.space }
        lineEnd()
    }

    /// A field whose name and value are known to be as they should.
    mutating func field(trusted name: String, _ value: String) {
        append(name)
        append(": ")
        append(value)
        lineEnd()
    }

    mutating func field(trusted name: String, _ value: Int) {
        append(name)
        append(": ")
        append(decimal: value)
        lineEnd()
    }

    public mutating func lineEnd() {
        bytes.append(HTTPCharacter.carriageReturn)
        bytes.append(HTTPCharacter.lineFeed)
    }

    /// A number that is not negative.
    @inline(never)
    public mutating func append(decimal value: Int) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var count = 0
        var rest = value.magnitude
        repeat {
            digits[count] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            count += 1
        } while rest > 0
        while count > 0 {
            count -= 1
            bytes.append(digits[count])
        }
    }

    mutating func append(hexadecimal value: Int) {
        var shift = (Int.bitWidth - value.leadingZeroBitCount + 3) & ~3
        repeat {
            shift = max(shift - 4, 0)
            let digit = UInt8(truncatingIfNeeded: value >> shift & 15)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        } while shift > 0
    }
}
