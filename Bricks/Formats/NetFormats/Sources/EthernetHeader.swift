import Bytes

/// Ethernet II: IEEE 802.3 §3.2, RFC 894.
public struct EthernetHeader: Equatable, Sendable {
    public static let byteCount = 14

    public var destination: MACAddress
    public var source: MACAddress
    public var type: EtherType

    @inlinable
    public init(destination: MACAddress, source: MACAddress, type: EtherType) {
        self.destination = destination
        self.source = source
        self.type = type
    }

    @inlinable
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        guard reader.remainingByteCount >= Self.byteCount else { throw .truncated }
        destination = try MACAddress(parsing: &reader)
        source = try MACAddress(parsing: &reader)
        type = EtherType(rawValue: try reader.read(UInt16.self, .big))
    }

    @inlinable
    public func write(into writer: inout ByteWriter) throws(FormatError) {
        guard writer.remainingByteCount >= Self.byteCount else { throw .full }
        try destination.write(into: &writer)
        try source.write(into: &writer)
        try writer.write(type.rawValue, .big)
    }
}
