import Bytes
import NetFormats
import Random
import Testing

struct ChecksumTests {
    /// RFC 1071 §1, word for word.
    func reference(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
            sum = (sum & 0xffff) + sum >> 16
        }
        return ~UInt16((sum & 0xffff) + sum >> 16)
    }

    func checksum(_ parts: [[UInt8]]) -> UInt16 {
        var checksum = InternetChecksum()
        for part in parts { checksum.add(ByteReader(part.span).unread) }
        return checksum.value
    }

    @Test func `the example of RFC 1071 comes out`() {
        #expect(checksum([hex("0001 f203 f4f5 f6f7")]) == ~0xddf2)
    }

    @Test func `any bytes in any pieces have the sum of the plain definition`() {
        var random = SplitMix(state: 0xc5)
        for round in 0..<1000 {
            let bytes: [UInt8] =
                round % 10 == 0 ? Array(repeating: 0xff, count: round) : random.bytes(Int.random(in: 0...300, using: &random))
            var cuts = [0, bytes.count] + (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }
            cuts.sort()
            let parts = zip(cuts, cuts.dropFirst()).map { Array(bytes[$0..<$1]) }
            #expect(checksum(parts) == reference(bytes), "cuts \(cuts)")
        }
    }

    @Test func `a pseudo-header is its bytes`() {
        var random = SplitMix(state: 5)
        for _ in 0..<100 {
            let (a, b) = (random.ipv6(), random.ipv6())
            let count = Int.random(in: 0...0xffff, using: &random)
            let sum = InternetChecksum.pseudoHeader(source: .v6(a), destination: .v6(b), protocol: .udp, byteCount: count)
            let bytes = try? wire { (writer) throws(FormatError) in
                try a.write(into: &writer)
                try b.write(into: &writer)
                try writer.write(UInt32(count), .big)
                try writer.write(17 as UInt32, .big)
            }
            #expect(sum.value == reference(bytes ?? []))
            let (c, d) = (random.ipv4(), random.ipv4())
            let short = InternetChecksum.pseudoHeader(source: .v4(c), destination: .v4(d), protocol: .tcp, byteCount: count)
            let shortBytes = try? wire { (writer) throws(FormatError) in
                try c.write(into: &writer)
                try d.write(into: &writer)
                try writer.write(6 as UInt16, .big)
                try writer.write(UInt16(count), .big)
            }
            #expect(short.value == reference(shortBytes ?? []) && short.partialValue == ~short.value)
        }
    }

    @Test func `UDP never sends zero`() {
        var sum = InternetChecksum()
        sum.add(0xffff as UInt16)
        #expect(sum.value == 0 && sum.valueForUDP == 0xffff)
        sum.add(1 as UInt16)
        #expect(sum.valueForUDP == sum.value)
    }
}
