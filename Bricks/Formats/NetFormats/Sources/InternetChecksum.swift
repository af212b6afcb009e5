/// The one's complement sum of 16-bit words that IP, TCP, UDP and ICMP share (RFC 1071).
///
/// Spans may have any length: a span that begins at an odd offset is summed with its bytes exchanged (§2, "Byte Order
/// Independence"). The sum runs over words in the machine's order and is turned once, at the end.
public struct InternetChecksum: Sendable {
    @usableFromInline var sum: UInt64 = 0
    @usableFromInline var isOdd = false

    @inlinable public init() {}

    @inlinable
    public mutating func add(_ bytes: RawSpan) {
        let part = Self.sum(bytes)
        accumulate(isOdd ? UInt64(Self.fold(part).byteSwapped) : part)
        isOdd = isOdd != (bytes.byteCount & 1 != 0)
    }

    /// Two bytes, in network order, at an even offset.
    @inlinable
    public mutating func add(_ word: UInt16) { accumulate(UInt64(word.bigEndian)) }

    /// Four bytes, in network order, at an even offset.
    @inlinable
    public mutating func add(_ word: UInt32) { accumulate(UInt64(word.bigEndian)) }

    @inlinable
    public mutating func add(_ address: IPAddress) {
        switch address {
        case .v4(let address): add(address.rawValue)
        case .v6(let address):
            accumulate(address.high.bigEndian)
            accumulate(address.low.bigEndian)
        }
    }

    /// What a checksum field holds. Zero if the bytes summed include their own checksum and it is right.
    @inlinable public var value: UInt16 { ~partialValue }

    /// The sum itself, not complemented: what a field holds when the link finishes the checksum (virtio 1.2 §5.1.6.2).
    @inlinable public var partialValue: UInt16 { UInt16(bigEndian: Self.fold(sum)) }

    /// As `value`, but UDP's: zero would mean that there is none (RFC 768).
    @inlinable public var valueForUDP: UInt16 { value == 0 ? 0xffff : value }

    /// RFC 9293 §3.1, RFC 768, RFC 8200 §8.1; the two addresses are of one family.
    @inlinable
    public static func pseudoHeader(
        source: IPAddress, destination: IPAddress, protocol: IPProtocol, byteCount: Int
    ) -> InternetChecksum {
        var checksum = InternetChecksum()
        checksum.add(source)
        checksum.add(destination)
        checksum.add(UInt32(truncatingIfNeeded: byteCount))
        checksum.add(UInt16(`protocol`.rawValue))
        return checksum
    }

    @inlinable @inline(__always)
    mutating func accumulate(_ word: UInt64) {
        let (total, carry) = sum.addingReportingOverflow(word)
        sum = total &+ (carry ? 1 : 0)
    }

    @inlinable
    static func fold(_ sum: UInt64) -> UInt16 {
        var sum = (sum & 0xffff_ffff) &+ sum >> 32
        sum = (sum & 0xffff) &+ (sum >> 16 & 0xffff) &+ sum >> 32
        sum = (sum & 0xffff) &+ sum >> 16
        sum = (sum & 0xffff) &+ sum >> 16
        return UInt16(truncatingIfNeeded: sum)
    }
}
