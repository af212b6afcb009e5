import Bytes

/// What stands before every Ethernet frame: `struct virtio_net_hdr` of a modern device, virtio 1.3 §5.1.6.
public struct VirtioNetHeader: Equatable, Sendable {
    public static let byteCount = 12

    /// What the receiver of the frame is to cut, or what it was joined from.
    public enum Segmentation: UInt8, Sendable {
        /// VIRTIO_NET_HDR_GSO_NONE, _TCPV4, _TCPV6
        case none = 0
        case tcp4 = 1
        case tcp6 = 4
    }

    /// VIRTIO_NET_HDR_F_NEEDS_CSUM: the checksum is to be completed, from `checksumStart` on.
    public var needsChecksum = false
    /// VIRTIO_NET_HDR_F_DATA_VALID: the checksum was verified.
    public var isChecksumValid = false
    public var segmentation = Segmentation.none
    /// VIRTIO_NET_HDR_GSO_ECN: the segments carry ECN marks.
    public var hasCongestionMarks = false
    /// `hdr_len`: bytes before the payload.
    public var headerByteCount: UInt16 = 0
    /// `gso_size`: payload bytes of each segment.
    public var segmentSize: UInt16 = 0
    public var checksumStart: UInt16 = 0
    /// From `checksumStart`.
    public var checksumOffset: UInt16 = 0
    /// `num_buffers`: how many buffers the frame takes.
    public var bufferCount: UInt16 = 0

    public init() {}

    /// Flags that nobody negotiated are ignored; a segmentation that nobody negotiated is `invalid`.
    @inlinable
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        let flags = try reader.read(UInt8.self, .little)
        needsChecksum = flags & 1 != 0
        isChecksumValid = flags & 2 != 0
        let type = try reader.read(UInt8.self, .little)
        guard let segmentation = Segmentation(rawValue: type & 0x7f) else { throw .invalid }
        self.segmentation = segmentation
        hasCongestionMarks = type & 0x80 != 0
        headerByteCount = try reader.read(UInt16.self, .little)
        segmentSize = try reader.read(UInt16.self, .little)
        checksumStart = try reader.read(UInt16.self, .little)
        checksumOffset = try reader.read(UInt16.self, .little)
        bufferCount = try reader.read(UInt16.self, .little)
    }

    @inlinable
    public func write(into writer: inout ByteWriter) throws(FormatError) {
        try writer.write((needsChecksum ? 1 : 0) | (isChecksumValid ? 2 : 0) as UInt8, .little)
        try writer.write(segmentation.rawValue | (hasCongestionMarks ? 0x80 : 0), .little)
        try writer.write(headerByteCount, .little)
        try writer.write(segmentSize, .little)
        try writer.write(checksumStart, .little)
        try writer.write(checksumOffset, .little)
        try writer.write(bufferCount, .little)
    }
}
