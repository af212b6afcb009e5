import Bytes

/// What an echo request and its reply share: RFC 792, RFC 4443 §4.1.
public struct ICMPEcho: Equatable, Sendable {
    public var identifier: UInt16
    public var sequenceNumber: UInt16

    public init(identifier: UInt16, sequenceNumber: UInt16) {
        self.identifier = identifier
        self.sequenceNumber = sequenceNumber
    }
}

/// The first eight bytes of an ICMP message; what follows (echo data, the packet that is reported) is not part of it. RFC 792.
public enum ICMPv4Message: Equatable, Sendable {
    /// Codes of Destination Unreachable: RFC 792, RFC 1122 §3.2.2.1.
    public enum Unreachable: Equatable, Sendable {
        /// 0 and 6.
        case network
        /// 1 and 7.
        case host
        /// 2
        case `protocol`
        /// 3
        case port
        /// 4; the next hop's MTU, 0 from a router that does not tell (RFC 1191 §4).
        case fragmentationNeeded(nextHopMTU: UInt16)
        /// 9, 10, 13: forbidden by someone on the way.
        case prohibited
        /// Any other code.
        case other(UInt8)
    }

    public static let byteCount = 8

    case echoRequest(ICMPEcho)
    case echoReply(ICMPEcho)
    case destinationUnreachable(Unreachable)
    /// Code 0 in transit, 1 in reassembly.
    case timeExceeded(code: UInt8)
    case parameterProblem(pointer: UInt8)
    /// Redirects too: they are not followed.
    case other(type: UInt8, code: UInt8)

    /// All that is unread in `reader` is the message; its first eight bytes are consumed. Throws `invalid` if the checksum is
    /// wrong.
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        guard reader.remainingByteCount >= Self.byteCount else { throw .truncated }
        var checksum = InternetChecksum()
        checksum.add(reader.unread)
        guard checksum.value == 0 else { throw .invalid }
        let type = try reader.read(UInt8.self, .big)
        let code = try reader.read(UInt8.self, .big)
        try reader.skip(2)
        let first = try reader.read(UInt16.self, .big)
        let second = try reader.read(UInt16.self, .big)
        self =
            switch (type, code) {
            case (8, 0): .echoRequest(ICMPEcho(identifier: first, sequenceNumber: second))
            case (0, 0): .echoReply(ICMPEcho(identifier: first, sequenceNumber: second))
            case (3, _): .destinationUnreachable(Unreachable(code: code, nextHopMTU: second))
            case (11, _): .timeExceeded(code: code)
            case (12, 0): .parameterProblem(pointer: UInt8(first >> 8))
            default: .other(type: type, code: code)
            }
    }

    /// Writes eight bytes; the checksum covers them and `payload`, which the caller puts behind them.
    public func write(into writer: inout ByteWriter, followedBy payload: RawSpan) throws(FormatError) {
        guard writer.remainingByteCount >= Self.byteCount else { throw .full }
        let (typeAndCode, rest) = fields
        var checksum = InternetChecksum()
        checksum.add(typeAndCode)
        checksum.add(rest)
        checksum.add(payload)
        try writer.write(typeAndCode, .big)
        try writer.write(checksum.value, .big)
        try writer.write(rest, .big)
    }

    private var fields: (typeAndCode: UInt16, rest: UInt32) {
        switch self {
        case .echoRequest(let echo): (0x0800, UInt32(echo.identifier) << 16 | UInt32(echo.sequenceNumber))
        case .echoReply(let echo): (0x0000, UInt32(echo.identifier) << 16 | UInt32(echo.sequenceNumber))
        case .destinationUnreachable(.fragmentationNeeded(let mtu)): (0x0304, UInt32(mtu))
        case .destinationUnreachable(let reason): (0x0300 | UInt16(reason.code), 0)
        case .timeExceeded(let code): (0x0b00 | UInt16(code), 0)
        case .parameterProblem(let pointer): (0x0c00, UInt32(pointer) << 24)
        case .other(let type, let code): (UInt16(type) << 8 | UInt16(code), 0)
        }
    }
}

extension ICMPv4Message.Unreachable {
    init(code: UInt8, nextHopMTU: UInt16) {
        self =
            switch code {
            case 0, 6: .network
            case 1, 7: .host
            case 2: .protocol
            case 3: .port
            case 4: .fragmentationNeeded(nextHopMTU: nextHopMTU)
            case 9, 10, 13: .prohibited
            default: .other(code)
            }
    }

    var code: UInt8 {
        switch self {
        case .network: 0
        case .host: 1
        case .protocol: 2
        case .port: 3
        case .fragmentationNeeded: 4
        case .prohibited: 13
        case .other(let code): code
        }
    }
}
