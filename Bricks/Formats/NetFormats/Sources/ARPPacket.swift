import Bytes

/// RFC 826, for IPv4 over Ethernet: other hardware and protocols are refused.
public struct ARPPacket: Equatable, Sendable {
    public enum Operation: UInt16, Sendable {
        case request = 1
        case reply = 2
    }

    public static let byteCount = 28

    public var operation: Operation
    public var senderHardware: MACAddress
    public var sender: IPv4Address
    /// Of no meaning in a request.
    public var targetHardware: MACAddress
    public var target: IPv4Address

    public init(
        operation: Operation, senderHardware: MACAddress, sender: IPv4Address, targetHardware: MACAddress, target: IPv4Address
    ) {
        self.operation = operation
        self.senderHardware = senderHardware
        self.sender = sender
        self.targetHardware = targetHardware
        self.target = target
    }

    /// Ethernet, IPv4 and the lengths of their addresses.
    private static let kinds: (UInt32, UInt16) = (0x0001_0800, 0x0604)

    public init(parsing reader: inout ByteReader) throws(FormatError) {
        guard reader.remainingByteCount >= Self.byteCount else { throw .truncated }
        guard try reader.read(UInt32.self, .big) == Self.kinds.0, try reader.read(UInt16.self, .big) == Self.kinds.1,
            let operation = Operation(rawValue: try reader.read(UInt16.self, .big))
        else { throw .invalid }
        self.operation = operation
        senderHardware = try MACAddress(parsing: &reader)
        sender = try IPv4Address(parsing: &reader)
        targetHardware = try MACAddress(parsing: &reader)
        target = try IPv4Address(parsing: &reader)
    }

    public func write(into writer: inout ByteWriter) throws(FormatError) {
        guard writer.remainingByteCount >= Self.byteCount else { throw .full }
        try writer.write(Self.kinds.0, .big)
        try writer.write(Self.kinds.1, .big)
        try writer.write(operation.rawValue, .big)
        try senderHardware.write(into: &writer)
        try sender.write(into: &writer)
        try targetHardware.write(into: &writer)
        try target.write(into: &writer)
    }
}
