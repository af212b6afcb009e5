import Bytes
import Glibc
import Time

/// Records Ethernet frames in libpcap's format with nanoseconds. Not thread-safe.
public final class PacketCapture {
    /// Bytes of a frame that are kept.
    public static let frameByteCountLimit = 262_144

    let descriptor: Int32
    /// `errno` of the write that failed; nothing is recorded after it.
    public internal(set) var failure: Int32?

    /// Begins a new file. Nil, with `errno`, if it cannot be made.
    public convenience init?(path: String) {
        let descriptor = Self.open(path)
        guard descriptor >= 0 else { return nil }
        self.init(descriptor: descriptor)
    }

    /// Begins a file behind what `descriptor` has, and owns it.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
        writeFileHeader()
    }

    deinit { close(descriptor) }

    /// One frame, its pieces one after another.
    public func record(_ first: RawSpan, _ second: RawSpan, _ third: RawSpan, at time: WallTime) {
        let byteCount = first.byteCount + second.byteCount + third.byteCount
        guard failure == nil, byteCount <= Self.frameByteCountLimit else { return }
        var header = InlineArray<16, UInt8>(repeating: 0)
        var bytes = header.mutableSpan
        var writer = ByteWriter(&bytes)
        let seconds = UInt32(truncatingIfNeeded: time.nanosecondsSince1970 / 1_000_000_000)
        try? writer.write(seconds, .little)
        try? writer.write(UInt32(time.nanosecondsSince1970 % 1_000_000_000), .little)
        try? writer.write(UInt32(byteCount), .little)
        try? writer.write(UInt32(byteCount), .little)
        write(ByteReader(bytes.span).unread, first, second, third)
    }

    public func record(_ frame: RawSpan, at time: WallTime) {
        record(frame, frame.extracting(first: 0), frame.extracting(first: 0), at: time)
    }

    private func writeFileHeader() {
        var header = InlineArray<24, UInt8>(repeating: 0)
        var bytes = header.mutableSpan
        var writer = ByteWriter(&bytes)
        try? writer.write(0xa1b2_3c4d as UInt32, .little)
        try? writer.write(2 as UInt16, .little)
        try? writer.write(4 as UInt16, .little)
        try? writer.writeZeros(8)
        try? writer.write(UInt32(Self.frameByteCountLimit), .little)
        // LINKTYPE_ETHERNET
        try? writer.write(1 as UInt32, .little)
        let header24 = ByteReader(bytes.span).unread
        write(header24, header24.extracting(first: 0), header24.extracting(first: 0), header24.extracting(first: 0))
    }
}
