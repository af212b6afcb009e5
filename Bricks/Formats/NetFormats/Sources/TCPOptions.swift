import Bytes

/// RFC 7323 §3.2.
public struct TCPTimestamps: Equatable, Sendable {
    /// TSval
    public var value: UInt32
    /// TSecr
    public var echo: UInt32

    @inlinable
    public init(value: UInt32, echo: UInt32) {
        self.value = value
        self.echo = echo
    }
}

/// Bytes that have arrived beyond a gap: `left` is the first, `right` is behind the last (RFC 2018 §3).
public struct SACKBlock: Equatable, Sendable {
    public var left: SequenceNumber
    public var right: SequenceNumber

    @inlinable
    public init(left: SequenceNumber, right: SequenceNumber) {
        self.left = left
        self.right = right
    }
}

/// Up to four blocks: more do not fit a header (RFC 2018 §3).
public struct SACKBlocks: Equatable, Sendable {
    public static let capacity = 4

    public private(set) var count = 0
    private var blocks = InlineArray<4, SACKBlock>(
        repeating: SACKBlock(left: SequenceNumber(rawValue: 0), right: SequenceNumber(rawValue: 0)))

    public init() {}

    public var isEmpty: Bool { count == 0 }

    public subscript(index: Int) -> SACKBlock {
        precondition(index >= 0 && index < count)
        return blocks[index]
    }

    /// False, and nothing added, if there are four already.
    @discardableResult
    public mutating func append(_ block: SACKBlock) -> Bool {
        guard count < Self.capacity else { return false }
        blocks[count] = block
        count += 1
        return true
    }

    public static func == (a: SACKBlocks, b: SACKBlocks) -> Bool {
        guard a.count == b.count else { return false }
        for index in 0..<a.count where a.blocks[index] != b.blocks[index] { return false }
        return true
    }
}

/// The options of TCP that are understood; others are skipped (RFC 9293 §3.2).
public struct TCPOptions: Equatable, Sendable {
    /// A header's options end here: 60 bytes in all (RFC 9293 §3.1, Data Offset).
    public static let byteCountLimit = 40

    /// Kind 2, RFC 9293 §3.2.
    public var maximumSegmentSize: UInt16?
    /// Kind 3, RFC 7323 §2.2: as received, which may be above 14.
    public var windowScale: UInt8?
    /// Kind 4, RFC 2018 §2.
    public var isSACKPermitted = false
    /// Kind 8, RFC 7323 §3.2.
    public var timestamps: TCPTimestamps?
    /// Kind 5, RFC 2018 §3. Those that do not fit behind the other options are not written.
    public var sackBlocks = SACKBlocks()

    public init() {}

    /// Bytes on the wire, a multiple of four.
    public var byteCount: Int { fixedByteCount + (writtenBlockCount == 0 ? 0 : 4 + writtenBlockCount * 8) }

    /// How many of `sackBlocks` are written.
    public var writtenBlockCount: Int { min(sackBlocks.count, max(0, (Self.byteCountLimit - fixedByteCount - 4) / 8)) }

    private var fixedByteCount: Int {
        (maximumSegmentSize == nil ? 0 : 4) + (windowScale == nil ? 0 : 4) + (timestamps != nil ? 12 : isSACKPermitted ? 4 : 0)
    }

    /// What is unread in `reader`, up to the end-of-options option. Throws `invalid` if an option's length is below two or beyond the end
    /// (RFC 9293 §3.1, MUST-7). A known kind with another length than its own is skipped.
    init(parsing reader: inout ByteReader) throws(FormatError) {
        while reader.remainingByteCount > 0 {
            let kind = try reader.read(UInt8.self, .big)
            if kind == 0 { break }
            if kind == 1 { continue }
            guard reader.remainingByteCount > 0 else { throw .invalid }
            let length = Int(try reader.read(UInt8.self, .big)) - 2
            guard length >= 0, length <= reader.remainingByteCount else { throw .invalid }
            switch (kind, length) {
            case (2, 2): maximumSegmentSize = try reader.read(UInt16.self, .big)
            case (3, 1): windowScale = try reader.read(UInt8.self, .big)
            case (4, 0): isSACKPermitted = true
            case (8, 8):
                let value = try reader.read(UInt32.self, .big)
                timestamps = TCPTimestamps(value: value, echo: try reader.read(UInt32.self, .big))
            case (5, 8), (5, 16), (5, 24), (5, 32):
                for _ in 0..<length / 8 {
                    let left = SequenceNumber(rawValue: try reader.read(UInt32.self, .big))
                    sackBlocks.append(SACKBlock(left: left, right: SequenceNumber(rawValue: try reader.read(UInt32.self, .big))))
                }
            default: try reader.skip(length)
            }
        }
    }

    /// Writes `byteCount` bytes; values begin at multiples of four (RFC 7323 appendix A).
    func write(into writer: inout ByteWriter) throws(FormatError) {
        guard writer.remainingByteCount >= byteCount else { throw .full }
        if let maximumSegmentSize { try writer.write(0x0204_0000 | UInt32(maximumSegmentSize), .big) }
        if let timestamps {
            try writer.write(isSACKPermitted ? 0x0402_080a as UInt32 : 0x0101_080a, .big)
            try writer.write(timestamps.value, .big)
            try writer.write(timestamps.echo, .big)
        } else if isSACKPermitted {
            try writer.write(0x0101_0402 as UInt32, .big)
        }
        if let windowScale { try writer.write(0x0103_0300 | UInt32(windowScale), .big) }
        let blockCount = writtenBlockCount
        guard blockCount > 0 else { return }
        try writer.write(0x0101_0502 + UInt32(blockCount * 8), .big)
        for index in 0..<blockCount {
            try writer.write(sackBlocks[index].left.rawValue, .big)
            try writer.write(sackBlocks[index].right.rawValue, .big)
        }
    }
}
