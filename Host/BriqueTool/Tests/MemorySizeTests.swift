import Testing

@testable import BriqueTool

private let amounts: [(String, UInt64)] = [
    ("16M", 0x100_0000), ("1G", 0x4000_0000), ("1536K", 0x18_0000), ("4096", 0x1000), ("1m", 0x10_0000), ("2MiB", 0x20_0000),
    ("2mb", 0x20_0000), ("1T", 0x100_0000_0000), ("0032M", 0x200_0000), ("4096B", 0x1000),
]

@Test(arguments: amounts)
func `an amount of memory is read`(text: String, byteCount: UInt64) throws {
    #expect(try MemorySize(parsing: text).byteCount == byteCount)
}

private let refused: [(String, MemorySizeError)] = [
    ("", MemorySizeError.notANumber), ("M", .notANumber), ("-1M", .notANumber), ("+1M", .notANumber), ("x", .notANumber),
    (" 1M", .notANumber), ("0x10", .unknownUnit), ("1X", .unknownUnit), ("1 M", .unknownUnit), ("1.5G", .unknownUnit),
    ("1MM", .unknownUnit), ("18446744073709551616", .tooLarge), ("18446744073709551615T", .tooLarge), ("33T", .tooLarge),
    ("0", .notWholePages), ("0M", .notWholePages), ("4095", .notWholePages), ("1K", .notWholePages), ("１M", .notANumber),
]

@Test(arguments: refused)
func `an amount that is none is refused`(text: String, reason: MemorySizeError) {
    #expect(throws: reason) { try MemorySize(parsing: text) }
    #expect(MemorySize(argument: text) == nil)
}

@Test func `an amount is described by its largest whole unit`() {
    #expect(MemorySize.standard.defaultValueDescription == "16M")
    #expect(MemorySize.describe(1536 << 10) == "1536K")
    #expect(MemorySize.describe(4097) == "4097")
    #expect(MemorySize.describe(0) == "0")
}

@Test func `no text makes the reader of amounts trap`() {
    var state: UInt64 = 0x73_697a_65
    let letters = Array("0123456789KMGTBi -+x１é")
    for _ in 0..<20000 {
        var text = ""
        for _ in 0..<(state >> 60) {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text.append(letters[Int(state >> 33) % letters.count])
        }
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        guard let size = try? MemorySize(parsing: text) else { continue }
        #expect(size.byteCount % 4096 == 0 && size.byteCount > 0)
    }
}
