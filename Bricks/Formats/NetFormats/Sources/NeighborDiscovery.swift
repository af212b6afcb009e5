import Bytes

/// RFC 4861 §4.1.
public struct RouterSolicitation: Equatable, Sendable {
    public var sourceLinkLayer: MACAddress?

    public init(sourceLinkLayer: MACAddress? = nil) { self.sourceLinkLayer = sourceLinkLayer }

    var optionsByteCount: Int { sourceLinkLayer == nil ? 0 : 8 }

    init(parsing reader: inout ByteReader, source: IPv6Address) throws(FormatError) {
        try reader.skip(4)
        sourceLinkLayer = try NDPOptions(parsing: &reader).sourceLinkLayer
        // §6.1.1.
        guard sourceLinkLayer == nil || !source.isUnspecified else { throw .invalid }
    }

    func write(into writer: inout ByteWriter) throws(FormatError) {
        try writer.writeZeros(4)
        if let sourceLinkLayer { try NDPOptions.write(1, sourceLinkLayer, into: &writer) }
    }
}

/// RFC 4861 §4.3: who has `target`?
public struct NeighborSolicitation: Equatable, Sendable {
    static let fixedByteCount = 24

    public var target: IPv6Address
    public var sourceLinkLayer: MACAddress?

    public init(target: IPv6Address, sourceLinkLayer: MACAddress? = nil) {
        self.target = target
        self.sourceLinkLayer = sourceLinkLayer
    }

    var optionsByteCount: Int { sourceLinkLayer == nil ? 0 : 8 }

    init(parsing reader: inout ByteReader, of packet: IPv6Header) throws(FormatError) {
        try reader.skip(4)
        target = try IPv6Address(parsing: &reader)
        sourceLinkLayer = try NDPOptions(parsing: &reader).sourceLinkLayer
        // §7.1.1.
        guard !target.isMulticast else { throw .invalid }
        guard !packet.source.isUnspecified || packet.destination == target.solicitedNodeMulticast && sourceLinkLayer == nil else {
            throw .invalid
        }
    }

    func write(into writer: inout ByteWriter) throws(FormatError) {
        try writer.writeZeros(4)
        try target.write(into: &writer)
        if let sourceLinkLayer { try NDPOptions.write(1, sourceLinkLayer, into: &writer) }
    }
}

/// RFC 4861 §4.4: `target` is here.
public struct NeighborAdvertisement: Equatable, Sendable {
    static let fixedByteCount = 24

    public var isRouter = false
    public var isSolicited = false
    public var isOverride = false
    public var target: IPv6Address
    public var targetLinkLayer: MACAddress?

    public init(target: IPv6Address, targetLinkLayer: MACAddress? = nil) {
        self.target = target
        self.targetLinkLayer = targetLinkLayer
    }

    var optionsByteCount: Int { targetLinkLayer == nil ? 0 : 8 }

    init(parsing reader: inout ByteReader, destination: IPv6Address) throws(FormatError) {
        let flags = try reader.read(UInt32.self, .big)
        isRouter = flags >> 31 != 0
        isSolicited = flags >> 30 & 1 != 0
        isOverride = flags >> 29 & 1 != 0
        target = try IPv6Address(parsing: &reader)
        targetLinkLayer = try NDPOptions(parsing: &reader).targetLinkLayer
        // §7.1.2.
        guard !target.isMulticast, !isSolicited || !destination.isMulticast else { throw .invalid }
    }

    func write(into writer: inout ByteWriter) throws(FormatError) {
        try writer.write((isRouter ? 1 << 31 : 0) | (isSolicited ? 1 << 30 : 0) | (isOverride ? 1 << 29 : 0) as UInt32, .big)
        try target.write(into: &writer)
        if let targetLinkLayer { try NDPOptions.write(2, targetLinkLayer, into: &writer) }
    }
}
