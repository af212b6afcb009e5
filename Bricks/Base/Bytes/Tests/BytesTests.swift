import Bytes
import Random
import Testing

/// Runs `body` over a writer of `capacity` bytes and returns what it wrote.
func written(capacity: Int, _ body: (inout ByteWriter) throws(FormatError) -> Void) throws(FormatError) -> [UInt8] {
    var storage = [UInt8](repeating: 0xee, count: capacity)
    var bytes = storage.mutableSpan
    var writer = ByteWriter(&bytes)
    try body(&writer)
    let count = writer.offset
    return Array(storage[..<count])
}

@Test func `integers keep their byte order`() throws {
    let bytes = try written(capacity: 14) { (writer) throws(FormatError) in
        try writer.write(UInt16(0x1234), .big)
        try writer.write(UInt32(0x1122_3344), .little)
        try writer.write(Int64(-2), .little)
    }
    #expect(bytes == [0x12, 0x34, 0x44, 0x33, 0x22, 0x11, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
}

@Test func `what is written is read back, for any values and any orders`() throws {
    var generator = SplitMix(state: 0x5eed)
    for _ in 0..<500 {
        let a = UInt8.random(in: .min ... .max, using: &generator)
        let b = UInt16.random(in: .min ... .max, using: &generator)
        let c = UInt32.random(in: .min ... .max, using: &generator)
        let d = Int64.random(in: .min ... .max, using: &generator)
        let order: ByteOrder = Bool.random(using: &generator) ? .big : .little
        let bytes = try written(capacity: 16) { (writer) throws(FormatError) in
            try writer.write(a, order)
            try writer.write(b, order)
            try writer.align(to: 4)
            try writer.write(c, order)
            try writer.write(d, order)
        }
        var reader = ByteReader(bytes.span)
        #expect(try reader.read(UInt8.self, order) == a)
        #expect(try reader.read(UInt16.self, order) == b)
        try reader.align(to: 4)
        #expect(try reader.read(UInt32.self, order) == c)
        #expect(try reader.read(Int64.self, order) == d)
        #expect(reader.remainingByteCount == 0)
    }
}

@Test(arguments: 0..<8)
func `a length below eight is refused and consumes nothing`(byteCount: Int) throws {
    let bytes = [UInt8](repeating: 1, count: byteCount)
    var reader = ByteReader(bytes.span)
    var refusal: FormatError?
    do throws(FormatError) { _ = try reader.read(UInt64.self, .little) } catch { refusal = error }
    #expect(refusal == .truncated)
    #expect(reader.offset == 0)
}

@Test(arguments: [-1, 5, Int.max, Int.min])
func `a sub-span outside the bytes is refused and consumes nothing`(byteCount: Int) throws {
    let bytes: [UInt8] = [1, 2, 3, 4]
    var reader = ByteReader(bytes.span)
    var refusals = 0
    do throws(FormatError) { _ = try reader.read(byteCount: byteCount) } catch { refusals += 1 }
    do throws(FormatError) { try reader.skip(byteCount) } catch { refusals += 1 }
    #expect(refusals == 2)
    #expect(reader.offset == 0)
}

@Test func `a sub-span holds exactly the bytes asked for`() throws {
    let bytes: [UInt8] = [1, 2, 3, 4]
    var reader = ByteReader(bytes.span)
    try reader.skip(1)
    let part = try reader.read(byteCount: 2)
    #expect(part.byteCount == 2)
    var partReader = ByteReader(part)
    #expect(try partReader.read(UInt16.self, .big) == 0x0203)
    #expect(reader.remainingByteCount == 1)
}

@Test(arguments: 0..<4)
func `a writer without room refuses and writes nothing`(capacity: Int) {
    #expect(throws: FormatError.full) {
        _ = try written(capacity: capacity) { (writer) throws(FormatError) in try writer.write(UInt32(1), .little) }
    }
    #expect(throws: FormatError.full) {
        _ = try written(capacity: capacity) { (writer) throws(FormatError) in try writer.writeZeros(4) }
    }
    #expect(throws: FormatError.full) {
        let source: [UInt8] = [1, 2, 3, 4]
        _ = try written(capacity: capacity) { (writer) throws(FormatError) in try writer.write(ByteReader(source.span).unread) }
    }
}

@Test func `bytes are copied as they are`() throws {
    let source: [UInt8] = [9, 0, 255, 7]
    let bytes = try written(capacity: 6) { (writer) throws(FormatError) in
        try writer.write(ByteReader(source.span).unread)
        try writer.writeZeros(2)
    }
    #expect(bytes == source + [0, 0])
}
