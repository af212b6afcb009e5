import BootFormat
import DMAMemory

/// Where the bytes of a control record go.
protocol RecordSink {
    func put(_ byte: UInt8)
}

// Not inlined: records are rare, and many.
extension RecordSink {
    @inline(never) func put(_ text: StaticString) {
        var index = 0
        while index < text.utf8CodeUnitCount {
            put(text.byte(index))
            index &+= 1
        }
    }

    /// In a base of at most 16, without leading zeros.
    @inline(never) func put(_ value: UInt64, base: UInt64) {
        if value >= base { put(value / base, base: base) }
        let digit = UInt8(truncatingIfNeeded: value % base)
        put(digit < 10 ? UInt8(ascii: "0") &+ digit : UInt8(ascii: "a") &- 10 &+ digit)
    }

    /// The record `crash-words …` of a `brique_crash`, with its newline: the host reads it, so that no image carries names.
    ///
    /// - Parameter faultAddress: CR2, which means something for a page fault only.
    func put(crash: SharedMemory, faultAddress: UInt64) {
        put("crash-words ")
        put(faultAddress, base: 16)
        var offset = 0
        while offset < MemoryLayout<brique_crash>.size {
            put(UInt8(ascii: " "))
            put(crash.load64(at: offset), base: 16)
            offset &+= 8
        }
        put(UInt8(ascii: "\n"))
    }
}
