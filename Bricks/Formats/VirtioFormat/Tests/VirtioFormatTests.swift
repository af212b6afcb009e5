import Testing
import VirtioFormat

struct MMIODeviceParameterTests {
    func parse(_ text: String) -> MMIODeviceParameter? {
        let bytes = Array(text.utf8)
        return MMIODeviceParameter(parsing: bytes.span, from: 0)
    }

    @Test(
        arguments: [
            ("512@0xfeb00e00:12", 0xfeb0_0e00, 12), ("4K@0xd0000000:5", 0xd000_0000, 5), ("0x200@4273995776:16:3", 0xfec0_0000, 16),
            ("1G@0XABC:0", 0xabc, 0),
        ] as [(String, UInt64, UInt32)])
    func `a hypervisor's form is understood`(text: String, base: UInt64, interrupt: UInt32) throws {
        let device = try #require(parse(text))
        #expect(device.base == base)
        #expect(device.interrupt == interrupt)
    }

    @Test(arguments: [
        "", "@", "512", "512@", "512@0x:1", "512@1", "512@1:", "512@1:x", "512@1:2x", "512@1:65536", "K@1:2", "5KK@1:2", "512@-1:2",
        "512@0x1ffffffffffffffff:1", "99999999999999999999@1:1", "512 @1:2", "0x@1:2",
    ])
    func `another form is refused`(text: String) { #expect(parse(text) == nil) }

    @Test func `every truncation of a good one is refused or says less`() {
        let whole = "512@0xfeb00e00:12"
        for count in 0..<whole.utf8.count {
            guard let device = parse(String(whole.prefix(count))) else { continue }
            #expect(device.base == 0xfeb0_0e00 && device.interrupt == 1)
        }
    }

    @Test func `hexadecimal digits are those sixteen`() {
        for byte in UInt8.min ... .max {
            #expect(hexadecimalDigit(byte).map(Int.init) == Character(Unicode.Scalar(byte)).hexDigitValue)
        }
    }
}
