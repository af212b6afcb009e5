import Random
import Testing

struct SipHashTests {
    /// The key of the paper's appendix A: bytes 0 to 15.
    let key = SipHash.Key(low: 0x0706_0504_0302_0100, high: 0x0f0e_0d0c_0b0a_0908)

    @Test(
        arguments: [
            (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (7, 0xab02_00f5_8b01_d137), (8, 0x93f5_f579_9a93_2462),
            (15, 0xa129_ca61_49be_45e5),
        ] as [(Int, UInt64)])
    func `the published vectors come out`(byteCount: Int, expected: UInt64) {
        var hash = SipHash(key: key)
        let bytes = (0..<byteCount).map { UInt8($0) }
        hash.add(bytes.span)
        #expect(hash.value == expected)
    }

    @Test func `integers are their bytes, lowest first, at every alignment`() {
        for lead in 0..<8 {
            var bytes = SipHash(key: key)
            var integers = SipHash(key: key)
            for index in 0..<lead {
                bytes.add(UInt8(index))
                integers.add(UInt8(index))
            }
            bytes.add(([1, 2, 3, 4, 5, 6, 7, 0x88, 9, 10, 11, 12, 13, 14] as [UInt8]).span)
            integers.add(0x8807_0605_0403_0201 as UInt64)
            integers.add(0x0c0b_0a09 as UInt32)
            integers.add(0x0e0d as UInt16)
            #expect(bytes.value == integers.value, "after \(lead) bytes")
        }
    }

    @Test func `another key gives another value`() {
        var generator = SplitMix(state: 7)
        var first = SipHash(key: .init(using: &generator))
        var second = SipHash(key: .init(using: &generator))
        first.add(1 as UInt64)
        second.add(1 as UInt64)
        #expect(first.value != second.value)
    }
}

@Test func `a seed decides every number`() {
    var a = SplitMix(state: 1)
    var b = SplitMix(state: 1)
    for _ in 0..<100 { #expect(a.next() == b.next()) }
    var zero = SplitMix(state: 0)
    let first = zero.next()
    #expect(first == 0xe220_a839_7b1d_cdaf)
}

@Test func `a keyed generator repeats with its key and not with another`() {
    func numbers(_ low: UInt64) -> [UInt64] {
        var generator = KeyedGenerator(key: SipHash.Key(low: low, high: 0))
        return (0..<100).map { _ in generator.next() }
    }
    #expect(numbers(1) == numbers(1) && Set(numbers(1) + numbers(2)).count == 200)
}
