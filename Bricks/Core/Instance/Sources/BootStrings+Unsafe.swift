import BootFormat

// SAFETY (all of this file): set once by the start of day, before any other code runs, and never changed.
nonisolated(unsafe) private var information: UnsafePointer<brique_boot_information>?

extension Instance {
    /// What the loader said, in memory that stays as it is. For the start of day alone.
    @unsafe public static func start(_ boot: UnsafePointer<brique_boot_information>) { unsafe information = boot }

    /// What the loader said, as it stands in BootFormat.h; zeros in an ordinary process. For platforms.
    public static var boot: brique_boot_information { unsafe information?.pointee ?? brique_boot_information() }

    static func layerBounds(_ index: Int) -> (start: UInt64, end: UInt64) {
        let boot = boot
        return index == 0 ? (boot.layer_start.0, boot.layer_end.0) : index == 1 ? (boot.layer_start.1, boot.layer_end.1) : (0, 0)
    }

    /// Arguments, then environment. A loader's counts that do not fit its bytes give fewer strings, never a trap.
    static var strings: [[UInt8]] {
        let boot = boot
        let expected = Int(boot.argument_count) + Int(boot.environment_count)
        var strings: [[UInt8]] = []
        // SAFETY: the loader states `strings_byte_count` bytes of guest memory that nothing else uses.
        guard let base = unsafe UnsafePointer<UInt8>(bitPattern: UInt(boot.strings)) else { return [] }
        let bytes = unsafe UnsafeBufferPointer(start: base, count: Int(clamping: boot.strings_byte_count))
        var start = 0, index = 0
        while index < bytes.count, strings.count < expected {
            if unsafe bytes[index] == 0 {
                strings.append(unsafe Array(bytes[start..<index]))
                start = index + 1
            }
            index += 1
        }
        return strings
    }

    /// The first `count` bytes of `entry` are `name`.
    static func isName(_ name: StaticString, _ entry: [UInt8], _ count: Int) -> Bool {
        guard name.utf8CodeUnitCount == count, entry.count >= count else { return false }
        // SAFETY: a static string's bytes live for ever, and there are as many as it says.
        for index in 0..<count where unsafe name.utf8Start[index] != entry[index] { return false }
        return true
    }
}
