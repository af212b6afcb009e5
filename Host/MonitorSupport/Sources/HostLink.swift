import BootFormat

/// A link to a network: a descriptor with message boundaries, one frame each (a TAP with vnet headers, or a socket of SOCK_SEQPACKET).
public struct HostLink: Equatable, Sendable {
    public var descriptor: FileDescriptor
    /// The MAC address: low 48 bits, the first octet highest.
    public var address: UInt64
    public var maximumTransmissionUnit: UInt16
    /// BRIQUE_OFFLOAD_…
    public var offloads: UInt32

    public init(descriptor: FileDescriptor, address: UInt64, maximumTransmissionUnit: UInt16, offloads: UInt32) {
        self.descriptor = descriptor
        self.address = address
        self.maximumTransmissionUnit = maximumTransmissionUnit
        self.offloads = offloads
    }

    /// The largest frame that can arrive: an Ethernet header, perhaps with a VLAN tag, before the packet.
    public var frameByteCount: Int {
        guard offloads & UInt32(BRIQUE_OFFLOAD_LARGE_RECEIVE) == 0 else { return Int(BRIQUE_FRAME_BYTES) }
        return Int(BRIQUE_LINK_HEADER_BYTES) + 18 + Int(maximumTransmissionUnit)
    }
}

/// The links of one instance, in their order.
public struct HostLinks: Sendable {
    public static let limit = Int(BRIQUE_LINK_LIMIT)
    private var links: InlineArray<4, HostLink>
    public private(set) var count = 0

    public init() {
        links = InlineArray(
            repeating: HostLink(descriptor: .standardInput, address: 0, maximumTransmissionUnit: 0, offloads: 0))
    }

    public subscript(index: Int) -> HostLink {
        precondition(index >= 0 && index < count)
        return links[index]
    }

    /// False if there are as many as there can be.
    public mutating func append(_ link: HostLink) -> Bool {
        guard count < Self.limit else { return false }
        links[count] = link
        count += 1
        return true
    }

    /// Every BRIQUE_EVENT_… that an instance with these links may wait for.
    var events: UInt64 {
        UInt64(BRIQUE_EVENT_CONSOLE_INPUT) | ((1 << UInt64(count)) - 1) * UInt64(BRIQUE_EVENT_LINK)
    }

    static func event(_ index: Int) -> UInt64 { UInt64(BRIQUE_EVENT_LINK) << UInt64(index) }
}

/// The pieces of one frame in guest memory.
public struct FrameBuffers {
    public static let limit = Int(BRIQUE_FRAME_BUFFER_LIMIT)
    private var ranges = InlineArray<8, GuestRange>(repeating: GuestRange(offset: 0, byteCount: 0))
    public private(set) var count = 0
    public private(set) var byteCount = 0

    public subscript(index: Int) -> GuestRange {
        precondition(index >= 0 && index < count)
        return ranges[index]
    }

    /// False if the frame would have too many pieces, or be too large.
    mutating func append(_ range: GuestRange) -> Bool {
        guard count < Self.limit, range.byteCount <= Int(BRIQUE_FRAME_BYTES) - byteCount else { return false }
        ranges[count] = range
        count += 1
        byteCount += range.byteCount
        return true
    }
}
