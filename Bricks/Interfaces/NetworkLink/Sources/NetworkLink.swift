import NetFormats

/// Carries Ethernet frames between a network stack and the outside. Not thread-safe, never blocks.
public protocol NetworkLink: AnyObject {
    var macAddress: MACAddress { get }
    /// Of an IP packet, in bytes: 1,500 on Ethernet.
    var maximumTransmissionUnit: Int { get }
    var offloads: LinkOffloads { get }

    /// Sends one Ethernet frame: the three spans, one after another (headers, then up to two pieces of payload).
    ///
    /// The bytes are the caller's again on return; the frame may wait for `flush`. False if there is no room: the frame is dropped.
    func transmit(_ headers: RawSpan, _ payload: RawSpan, _ rest: RawSpan, _ offload: TransmitOffload) -> Bool

    /// Sends whatever `transmit` has gathered.
    func flush()

    /// Gives at most `limit` frames that have arrived to `body`, oldest first, and returns how many.
    ///
    /// A frame's bytes are good during its call only. `body` may transmit.
    func receive(limit: Int, _ body: (RawSpan, ReceiveOffload) -> Void) -> Int
}

/// What a link does in place of the stack (virtio 1.3 §5.1.3).
public struct LinkOffloads: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Completes the checksum of a frame that says where it belongs.
    public static let transmitChecksum = LinkOffloads(rawValue: 1)
    /// Cuts a TCP/IPv4 segment of up to 64 KiB into packets.
    public static let segmentation4 = LinkOffloads(rawValue: 2)
    public static let segmentation6 = LinkOffloads(rawValue: 4)
    /// Vouches for checksums of what arrives.
    public static let receiveChecksum = LinkOffloads(rawValue: 8)
    /// May give several TCP segments of a connection as one.
    public static let largeReceive = LinkOffloads(rawValue: 16)
}

/// What is left to the link for one frame that goes out (virtio 1.3 §5.1.6.2).
public struct TransmitOffload: Equatable, Sendable {
    /// Offset from the frame's start of the first byte that the checksum covers; 0: the frame is complete.
    ///
    /// The checksum's own field holds the sum of the pseudo-header, not complemented.
    public var checksumStart = 0
    /// Offset of the checksum's field from `checksumStart`.
    public var checksumOffset = 0
    /// Payload bytes of each segment that the frame is to be cut into; 0: it is sent as it is.
    public var segmentSize = 0
    /// Bytes before the payload, which each segment repeats; only with `segmentSize`.
    public var headerByteCount = 0
    public var isIPv6 = false

    public static let none = TransmitOffload()

    public init(checksumStart: Int = 0, checksumOffset: Int = 0, segmentSize: Int = 0, headerByteCount: Int = 0, isIPv6: Bool = false) {
        self.checksumStart = checksumStart
        self.checksumOffset = checksumOffset
        self.segmentSize = segmentSize
        self.headerByteCount = headerByteCount
        self.isIPv6 = isIPv6
    }
}

/// What the link says of one frame that arrived.
public struct ReceiveOffload: Equatable, Sendable {
    /// The transport checksum was verified, or the frame never left the machine: it needs no look.
    public var isChecksumValid = false
    /// The checksum field holds only the sum of the pseudo-header. Implies `isChecksumValid`.
    public var isChecksumPartial = false
    /// Payload bytes of the segments that were joined to this frame; 0: it is one segment.
    public var segmentSize = 0

    public static let none = ReceiveOffload()

    public init(isChecksumValid: Bool = false, isChecksumPartial: Bool = false, segmentSize: Int = 0) {
        self.isChecksumValid = isChecksumValid
        self.isChecksumPartial = isChecksumPartial
        self.segmentSize = segmentSize
    }
}
