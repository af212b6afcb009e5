import BootFormat

/// The line that a PC's image writes for `crash`: CR2 and every word of the structure.
func crashWordsLine(_ crash: brique_crash, faultAddress: UInt64 = 0) -> String {
    // SAFETY: the structure is a value of this function, and its words are read within it.
    let words = unsafe withUnsafeBytes(of: crash) { bytes in unsafe Array(bytes.bindMemory(to: UInt64.self)) }
    return "crash-words " + ([faultAddress] + words).map { String($0, radix: 16) }.joined(separator: " ")
}
