/// One line that a monitor writes on its control channel.
public enum MonitorRecord: Equatable, Sendable {
    /// The monitor refuses to start the instance and exits with `status`.
    case refusal(status: Int32, text: String)
    /// The instance ended by itself; our own monitors say so by their own status.
    case exit(status: Int32)
    case crash(CrashRecord)
    /// The process monitor's filter refused a system call and ended the instance.
    case refusedCall(RefusedCall)

    /// Longest line that is read; a monitor's longest one is about half of this.
    public static let lineByteLimit = 8192

    /// Reads one line without its newline.
    public init(parsing line: some StringProtocol) throws(RecordError) {
        guard line.utf8.count <= Self.lineByteLimit else { throw .tooLong }
        let words = line.split(separator: " ", omittingEmptySubsequences: true)
        switch words.first {
        case "error":
            guard words.count >= 2, let status = Int32(words[1]), (1...255).contains(status) else { throw .malformed }
            self = .refusal(status: status, text: Self.printable(words.dropFirst(2).joined(separator: " ")))
        case "exit":
            guard words.count == 2, let status = UInt8(words[1]) else { throw .malformed }
            self = .exit(status: Int32(status))
        case "crash": self = .crash(try CrashRecord(fields: try RecordFields(words.dropFirst())))
        case "crash-words": self = .crash(try CrashRecord(words: words.dropFirst()))
        case "refused": self = .refusedCall(try RefusedCall(fields: try RecordFields(words.dropFirst())))
        default: throw .unknownRecord
        }
    }

    /// The text with control characters replaced, so that an instance cannot drive the user's terminal.
    public static func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            let isReordering = (0x202a...0x202e).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
            result.unicodeScalars.append(isControl || isReordering ? "\u{fffd}" : scalar)
        }
        return result
    }
}

/// How an instance died, with the registers at that moment.
public struct CrashRecord: Equatable, Sendable {
    public enum Kind: String, Sendable {
        case exception, panic
        case outOfMemory = "out-of-memory"
        case interrupted
    }

    public var kind: Kind
    /// Processor vector, Intel SDM volume 3, 6.3.1; meaningful for `exception` only.
    public var vector: UInt64
    public var errorCode: UInt64
    /// CR2 of a page fault.
    public var faultAddress: UInt64
    public var instructionPointer: UInt64
    public var stackPointer: UInt64
    /// Innermost first; the first is where it stopped, the others are return addresses.
    public var frames: [UInt64]
    /// What the instance said, already made printable; empty when it said nothing.
    public var message: String

    /// The status that a monitor exits with: 128 and the signal that a process would die of.
    public var status: Int32 {
        switch kind {
        case .panic, .outOfMemory: 134
        case .interrupted: 130
        case .exception:
            switch vector {
            case Vector.invalidOpcode: 132
            case Vector.divide: 136
            case Vector.alignment: 135
            default: 139
            }
        }
    }

    /// How many of the first frames are instructions themselves and not return addresses: a panic is a call.
    public var exactCount: Int {
        switch kind {
        case .exception, .interrupted: 1
        case .panic, .outOfMemory: 0
        }
    }

    init(fields: RecordFields) throws(RecordError) {
        guard let kind = Kind(rawValue: fields.values["kind"] ?? "") else { throw .malformed }
        self.kind = kind
        vector = try fields.number("vector") ?? 0
        errorCode = try fields.number("error") ?? 0
        faultAddress = try fields.number("address") ?? 0
        instructionPointer = try fields.number("rip") ?? 0
        stackPointer = try fields.number("rsp") ?? 0
        frames = try fields.addresses("frames")
        message = MonitorRecord.printable(try fields.text("message"))
        if frames.isEmpty && instructionPointer != 0 { frames = [instructionPointer] }
    }
}

/// A system call that the process monitor's filter refused.
public struct RefusedCall: Equatable, Sendable {
    /// Linux x86-64 system call number.
    public var number: UInt64
    public var frames: [UInt64]

    init(fields: RecordFields) throws(RecordError) {
        guard let number = try fields.number("call") else { throw .malformed }
        self.number = number
        frames = try fields.addresses("frames")
        if frames.isEmpty, let pointer = try fields.number("rip"), pointer != 0 { frames = [pointer] }
    }
}

/// Why a record was refused.
public enum RecordError: Error, Equatable {
    case tooLong, unknownRecord, malformed, duplicateField, tooManyFrames
}

/// The `key=value` words of a record; a key that is not known is left alone.
struct RecordFields {
    static let frameLimit = 64
    private(set) var values: [String: String] = [:]

    init(_ words: some Sequence<some StringProtocol>) throws(RecordError) {
        for word in words {
            guard let equals = word.firstIndex(of: "="), equals != word.startIndex else { throw .malformed }
            let key = String(word[..<equals])
            let value = String(word[word.index(after: equals)...])
            // Said twice is no harm, said in two ways is.
            guard values.updateValue(value, forKey: key) ?? value == value else { throw .duplicateField }
        }
    }

    func number(_ key: String) throws(RecordError) -> UInt64? {
        guard let text = values[key] else { return nil }
        guard let number = Self.number(text) else { throw .malformed }
        return number
    }

    func addresses(_ key: String) throws(RecordError) -> [UInt64] {
        guard let text = values[key], !text.isEmpty else { return [] }
        let words = text.split(separator: ",", maxSplits: Self.frameLimit, omittingEmptySubsequences: false)
        guard words.count <= Self.frameLimit else { throw .tooManyFrames }
        var addresses: [UInt64] = []
        for word in words {
            guard let address = Self.number(String(word)) else { throw .malformed }
            addresses.append(address)
        }
        return addresses
    }

    /// Percent-encoded UTF-8, RFC 3986 §2.1; bytes that are no UTF-8 become U+FFFD.
    func text(_ key: String) throws(RecordError) -> String {
        guard let encoded = values[key] else { return "" }
        var bytes: [UInt8] = []
        var rest = encoded.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next(), let low = rest.next(), let h = Self.hexDigit(high), let l = Self.hexDigit(low) else {
                throw .malformed
            }
            bytes.append(h << 4 | l)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Decimal, or hexadecimal with `0x`; neither a sign nor anything else.
    static func number(_ text: String) -> UInt64? {
        let digits = text.hasPrefix("0x") ? text.dropFirst(2) : text[...]
        guard let first = digits.utf8.first, hexDigit(first) != nil else { return nil }
        return UInt64(digits, radix: text.hasPrefix("0x") ? 16 : 10)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
