import Bytes
import Errno
import VFS

/// `struct termios` of the kernel (termios(3), ioctl_tty(2)).
public struct TerminalSettings: Equatable, Sendable {
    public var input: UInt32 = Self.icrnl | Self.ixon
    public var output: UInt32 = Self.opost | Self.onlcr
    /// B38400, CS8, CREAD.
    public var control: UInt32 = 0xbf
    public var local: UInt32 =
        Self.isig | Self.icanon | Self.echo | Self.echoe | Self.echok | Self.echoctl | Self.echoke | Self.iexten
    public var line: UInt8 = 0
    /// INTR QUIT ERASE KILL EOF TIME MIN SWTC START STOP SUSP EOL REPRINT DISCARD WERASE LNEXT EOL2.
    public var characters: InlineArray<19, UInt8> = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0]
    public var inputSpeed: UInt32 = 38400
    public var outputSpeed: UInt32 = 38400

    public init() {}

    static var byteCount: Int { 36 }
    static var longByteCount: Int { 44 }

    static var istrip: UInt32 { 0x20 }
    static var inlcr: UInt32 { 0x40 }
    static var igncr: UInt32 { 0x80 }
    static var icrnl: UInt32 { 0x100 }
    static var ixon: UInt32 { 0x400 }
    static var opost: UInt32 { 1 }
    static var onlcr: UInt32 { 4 }
    static var ocrnl: UInt32 { 8 }
    static var isig: UInt32 { 1 }
    static var icanon: UInt32 { 2 }
    static var echo: UInt32 { 8 }
    static var echoe: UInt32 { 0x10 }
    static var echok: UInt32 { 0x20 }
    static var echonl: UInt32 { 0x40 }
    static var noflsh: UInt32 { 0x80 }
    static var tostop: UInt32 { 0x100 }
    static var echoctl: UInt32 { 0x200 }
    static var echoke: UInt32 { 0x800 }
    static var iexten: UInt32 { 0x8000 }

    public static func == (a: TerminalSettings, b: TerminalSettings) -> Bool { a.bytes(isLong: true) == b.bytes(isLong: true) }

    /// `isLong`: `struct termios2`.
    func bytes(isLong: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for word in [input, output, control, local] { Self.add(word, to: &bytes) }
        bytes.append(line)
        for index in 0..<19 { bytes.append(characters[index]) }
        if isLong { for word in [inputSpeed, outputSpeed] { Self.add(word, to: &bytes) } }
        return bytes
    }

    private static func add(_ word: UInt32, to bytes: inout [UInt8]) {
        for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift * 8))) }
    }

    mutating func set(_ bytes: [UInt8]) {
        func word(_ offset: Int) -> UInt32 {
            UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16 | UInt32(bytes[offset + 3]) << 24
        }
        input = word(0)
        output = word(4)
        control = word(8)
        local = word(12)
        line = bytes[16]
        for index in 0..<19 { characters[index] = bytes[17 + index] }
        if bytes.count >= Self.longByteCount {
            inputSpeed = word(36)
            outputSpeed = word(40)
        }
    }
}
