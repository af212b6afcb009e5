/// What a terminal's line discipline makes of two bytes, so that input over a console can end (termios(3): VEOF, VLNEXT).
///
/// Ctrl-D (4) ends the input for good; Ctrl-V (22) makes the next byte, whatever it is, a byte of input.
struct InputFilter {
    private(set) var isEnded = false
    private var isQuoted = false

    /// The byte as input, or nil if it only means something.
    mutating func take(_ byte: UInt8) -> UInt8? {
        if isQuoted {
            isQuoted = false
            return byte
        }
        isQuoted = byte == 22
        isEnded = byte == 4
        return isQuoted || isEnded ? nil : byte
    }
}
