import Bytes

/// Lines of text, built without String.
struct Text {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ text: StaticString) { text.append(to: &bytes) }
    mutating func add(_ text: [UInt8]) { bytes.append(contentsOf: text) }
    mutating func add(byte: UInt8) { bytes.append(byte) }

    mutating func add(_ number: some FixedWidthInteger, width: Int = 0) {
        add(magnitude: UInt64(number.magnitude), isNegative: number < 0, width: width)
    }
    private mutating func add(magnitude: UInt64, isNegative: Bool, width: Int) {
        var digits: [UInt8] = []
        var rest = magnitude
        repeat {
            digits.append(UInt8(0x30 + rest % 10))
            rest /= 10
        } while rest > 0
        if isNegative { digits.append(0x2d) }
        for _ in 0..<max(0, width - digits.count) { bytes.append(0x20) }
        bytes.append(contentsOf: digits.reversed())
    }

    /// At least `width` digits, zeros in front.
    mutating func add(hex number: UInt64, width: Int = 1) {
        var shift = 64
        while shift > 4 * width, number >> UInt64(shift - 4) == 0 { shift -= 4 }
        while shift > 0 {
            shift -= 4
            bytes.append(Self.digit(UInt8(number >> UInt64(shift) & 15)))
        }
    }
    mutating func add(octal number: UInt32, width: Int) {
        for index in (0..<width).reversed() { bytes.append(UInt8(0x30 + number >> UInt32(index * 3) & 7)) }
    }
    static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    /// Hundredths, as /proc/uptime has them.
    mutating func add(seconds nanoseconds: UInt64) {
        add(nanoseconds / 1_000_000_000)
        add(byte: 0x2e)
        let hundredths = nanoseconds / 10_000_000 % 100
        add(byte: UInt8(0x30 + hundredths / 10))
        add(byte: UInt8(0x30 + hundredths % 10))
    }

    /// Blanks until the line, which began at `start`, is `width` long.
    mutating func pad(from start: Int, to width: Int) {
        while bytes.count - start < width { bytes.append(0x20) }
    }

    /// "Name:        12 kB"
    mutating func addLine(_ name: [UInt8], kilobytes: UInt64) {
        add(name)
        add(":\t")
        add(kilobytes, width: 8)
        add(" kB\n")
    }
    /// A line for each line of `names`, as /proc/meminfo has them.
    mutating func addColumns(_ names: StaticString, kilobytes: [UInt64]) {
        var index = 0
        names.forEachLine { name in
            let begin = bytes.count
            add(name)
            add(byte: 0x3a)
            pad(from: begin, to: 16)
            add(index < kilobytes.count ? kilobytes[index] : 0, width: 8)
            add(" kB\n")
            index += 1
        }
    }
    mutating func addLine(_ name: StaticString, _ number: some FixedWidthInteger) {
        add(name)
        add(":\t")
        add(number)
        add("\n")
    }
    mutating func addLine(_ name: StaticString, hex number: UInt64) {
        add(name)
        add(":\t")
        add(hex: number, width: 16)
        add("\n")
    }

    static func line(_ number: some FixedWidthInteger) -> [UInt8] {
        var text = Text()
        text.add(number)
        text.add("\n")
        return text.bytes
    }
    static func line(_ content: [UInt8]) -> [UInt8] { content + [0x0a] }

    /// The number that a name is; nil: it is none.
    static func number(_ name: RawSpan) -> Int32? {
        guard name.byteCount > 0, name.byteCount < 10 else { return nil }
        var value: Int32 = 0
        for offset in 0..<name.byteCount {
            let digit = name.byte(at: offset)
            guard digit >= 0x30, digit <= 0x39, offset == 0 || value > 0 else { return nil }
            value = value * 10 + Int32(digit - 0x30)
        }
        return value
    }
    static func digits(_ number: Int32) -> [UInt8] {
        var text = Text()
        text.add(number)
        return text.bytes
    }
}
