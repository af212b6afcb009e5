import Bytes
import Random
import Testing
import VirtioFormat

struct VirtioNetHeaderTests {
    func parse(_ bytes: [UInt8]) throws(FormatError) -> VirtioNetHeader {
        var reader = ByteReader(bytes.span)
        return try VirtioNetHeader(parsing: &reader)
    }

    func written(_ header: VirtioNetHeader) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xee, count: VirtioNetHeader.byteCount)
        var span = bytes.mutableSpan
        var writer = ByteWriter(&span)
        try header.write(into: &writer)
        return bytes
    }

    @Test func `a header is read field by field`() throws {
        let header = try parse([1, 0x84, 0x42, 0, 0xa8, 5, 0x36, 0, 16, 0, 3, 0])
        #expect(header.needsChecksum && !header.isChecksumValid)
        #expect(header.segmentation == .tcp6 && header.hasCongestionMarks)
        #expect([header.headerByteCount, header.segmentSize, header.checksumStart] == [66, 1448, 54])
        #expect(header.checksumOffset == 16 && header.bufferCount == 3)
        #expect(try parse([2] + [UInt8](repeating: 0, count: 11)).isChecksumValid)
    }

    @Test func `what was written is what is read`() throws {
        var random = SplitMix(state: 5)
        for _ in 0..<10_000 {
            var bytes = (0..<12).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            bytes[0] &= 3
            bytes[1] = [0, 1, 4, 0x80, 0x81, 0x84][Int(bytes[1] % 6)]
            #expect(try written(try parse(bytes)) == bytes)
        }
    }

    @Test func `a segmentation that is not TCP's, and every truncation, is refused`() {
        for type in UInt8.min ... .max where ![0, 1, 4].contains(type & 0x7f) {
            #expect(throws: FormatError.invalid) { try parse([0, type] + [UInt8](repeating: 0, count: 10)) }
        }
        for count in 0..<12 { #expect(throws: FormatError.truncated) { try parse([UInt8](repeating: 0, count: count)) } }
    }
}
