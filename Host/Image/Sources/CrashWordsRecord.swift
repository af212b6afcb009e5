import BootFormat

extension CrashRecord {
    /// The fields of `struct brique_crash`, as numbers of its 64-bit words.
    private enum Word {
        static let count = MemoryLayout<brique_crash>.size / 8
        /// Fifteen general registers lie below the vector, from the third word on.
        static let vector = 2 + 15
        static let frames = vector + 7
        static let message = frames + Int(BRIQUE_CRASH_FRAMES)
    }

    /// Reads what a PC's image writes after `crash-words`, in hexadecimal: CR2, then each word of its `struct brique_crash`.
    ///
    /// Counts beyond the structure are cut: what is there may still tell what happened.
    init(words texts: some Collection<some StringProtocol>) throws(RecordError) {
        guard texts.count == 1 + Word.count else { throw .malformed }
        var words: [UInt64] = []
        for text in texts {
            guard let word = RecordFields.number("0x\(text)") else { throw .malformed }
            words.append(word)
        }
        let pageFaultAddress = words.removeFirst()
        vector = words[Word.vector]
        kind = try Self.kind(UInt32(truncatingIfNeeded: words[0]), vector: vector)
        errorCode = words[Word.vector + 1]
        faultAddress = kind == .exception && vector == Vector.pageFault ? pageFaultAddress : 0
        instructionPointer = words[Word.vector + 2]
        stackPointer = words[Word.vector + 5]
        let frameCount = min(Int(words[0] >> 32), Int(BRIQUE_CRASH_FRAMES))
        frames = Array(words[Word.frames..<Word.frames + frameCount])
        message = Self.message(words[Word.message...])
        if frames.isEmpty && instructionPointer != 0 { frames = [instructionPointer] }
    }

    private static func kind(_ number: UInt32, vector: UInt64) throws(RecordError) -> Kind {
        switch Int32(truncatingIfNeeded: number) {
        // An NMI is how a user's Ctrl-C comes to a machine that does not listen.
        case BRIQUE_CRASH_EXCEPTION: vector == Vector.nonMaskable ? .interrupted : .exception
        case BRIQUE_CRASH_PANIC: .panic
        case BRIQUE_CRASH_OUT_OF_MEMORY: .outOfMemory
        case BRIQUE_CRASH_INTERRUPTED: .interrupted
        default: throw .malformed
        }
    }

    /// A count of 32 bits, then the bytes: both little-endian, made printable.
    private static func message(_ words: some Collection<UInt64>) -> String {
        let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        let count = min(Int(UInt32(truncatingIfNeeded: words.first ?? 0)), Int(BRIQUE_CRASH_MESSAGE_BYTES))
        return MonitorRecord.printable(String(decoding: bytes.dropFirst(4).prefix(count), as: UTF8.self))
    }
}
