import Bytes
import NetFormats
import Random
import Testing

/// What `body` writes.
func wire(capacity: Int = 2048, _ body: (inout ByteWriter) throws(FormatError) -> Void) throws(FormatError) -> [UInt8] {
    var storage = [UInt8](repeating: 0xee, count: capacity)
    var bytes = storage.mutableSpan
    var writer = ByteWriter(&bytes)
    try body(&writer)
    let count = writer.offset
    return Array(storage[..<count])
}

/// Bytes as hexadecimal digits with spaces anywhere.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// What `parse` makes of `bytes`, or its refusal.
func parsed<Value>(
    _ bytes: [UInt8], _ parse: (inout ByteReader) throws(FormatError) -> Value
) -> Result<Value, FormatError> {
    var reader = ByteReader(bytes.span)
    do throws(FormatError) { return .success(try parse(&reader)) } catch { return .failure(error) }
}

/// Every part of `bytes` that ends early is refused, and never as if a value were wrong.
func expectTruncationsRefused<Value>(
    _ bytes: [UInt8], _ parse: (inout ByteReader) throws(FormatError) -> Value, sourceLocation: SourceLocation = #_sourceLocation
) {
    for count in 0..<bytes.count {
        guard case .failure(let refusal) = parsed(Array(bytes[..<count]), parse) else {
            Issue.record("\(count) of \(bytes.count) bytes are accepted", sourceLocation: sourceLocation)
            continue
        }
        #expect(refusal == .truncated, sourceLocation: sourceLocation)
    }
}

extension SplitMix {
    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value { Value(truncatingIfNeeded: next()) }
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in integer() } }
    mutating func chance() -> Bool { next() & 1 == 0 }
    mutating func ipv4() -> IPv4Address { IPv4Address(rawValue: integer()) }
    mutating func ipv6() -> IPv6Address { IPv6Address(high: next(), low: next()) }
    mutating func mac() -> MACAddress { MACAddress(rawValue: next()) }
}

/// Runs `body` with damaged copies of `samples` and with noise for `seconds`; nothing may trap.
func fuzz(seed: UInt64, seconds: Double = 1, samples: [[UInt8]], _ body: (inout ByteReader) throws(FormatError) -> Void) {
    var random = SplitMix(state: seed)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    while clock.now < end {
        for _ in 0..<100 {
            var bytes = samples.randomElement(using: &random) ?? []
            if bytes.isEmpty || random.next() % 8 == 0 { bytes = random.bytes(Int.random(in: 0...120, using: &random)) }
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] =
                    random.chance() ? random.integer() : [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random)!
            }
            if random.next() % 4 == 0 { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            var reader = ByteReader(bytes.span)
            do throws(FormatError) { try body(&reader) } catch {}
        }
    }
}
