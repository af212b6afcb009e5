import Bytes
import DNSFormat
import NetFormats

/// A stateless DHCPv6 exchange: RFC 8415 §6.1, configuration without addresses.
public struct DHCPv6Message: Equatable, Sendable {
    public static let clientPort: UInt16 = 546
    public static let serverPort: UInt16 = 547
    /// ff02::1:2, RFC 8415 §7.1.
    public static let servers = IPv6Address(high: 0xff02_0000_0000_0000, low: 0x1_0002)
    /// Options of a message; more are refused. Also addresses or names of one option; more of those are not read.
    public static let optionLimit = 64

    /// msg-type, RFC 8415 §7.3; others are refused.
    public enum Kind: UInt8, Sendable {
        case reply = 7
        case informationRequest = 11
    }

    public var kind: Kind
    /// 24 bits.
    public var transactionIdentifier: UInt32
    /// A DUID: option 1, RFC 8415 §21.2.
    public var clientIdentifier: [UInt8] = []
    /// Option 2, §21.3.
    public var serverIdentifier: [UInt8] = []
    /// Option 6, §21.7.
    public var optionRequests: [UInt16] = []
    /// Option 8, §21.9: hundredths of a second; nil: absent.
    public var elapsed: Duration?
    /// Option 13, §21.13: 0 is success, also if absent.
    public var status: UInt16 = 0
    /// Option 23, RFC 3646 §3.
    public var nameServers: [IPv6Address] = []
    /// Option 24, RFC 3646 §4.
    public var searchDomains: [DNSName] = []
    /// Option 32, §21.23.
    public var informationRefreshTime: Duration?

    public init(_ kind: Kind, transactionIdentifier: UInt32) {
        self.kind = kind
        self.transactionIdentifier = transactionIdentifier & 0xff_ffff
    }

    /// DUID-LL of an Ethernet address, RFC 8415 §11.4.
    public static func identifier(_ address: MACAddress) -> [UInt8] {
        [0, 3, 0, 1] + (0..<MACAddress.byteCount).map { address.octet($0) }
    }

    public init(parsing reader: inout ByteReader) throws(FormatError) {
        let first = try reader.read(UInt32.self, .big)
        guard let kind = Kind(rawValue: UInt8(first >> 24)) else { throw .invalid }
        self.init(kind, transactionIdentifier: first)
        var count = 0
        while reader.remainingByteCount > 0 {
            let code = try reader.read(UInt16.self, .big)
            let byteCount = Int(try reader.read(UInt16.self, .big))
            var option = ByteReader(try reader.read(byteCount: byteCount))
            count += 1
            guard count <= Self.optionLimit else { throw .invalid }
            try add(code, &option)
        }
    }

    private mutating func add(_ code: UInt16, _ option: inout ByteReader) throws(FormatError) {
        switch code {
        case 1: clientIdentifier = try Self.bytes(&option)
        case 2: serverIdentifier = try Self.bytes(&option)
        case 6:
            optionRequests = []
            while option.remainingByteCount > 0, optionRequests.count < Self.optionLimit {
                optionRequests.append(try option.read(UInt16.self, .big))
            }
        case 8: elapsed = .milliseconds(Int64(try option.read(UInt16.self, .big)) * 10)
        case 13: status = try option.read(UInt16.self, .big)
        case 23:
            guard option.remainingByteCount % IPv6Address.byteCount == 0 else { throw .invalid }
            nameServers = []
            while option.remainingByteCount > 0, nameServers.count < Self.optionLimit {
                nameServers.append(try IPv6Address(parsing: &option))
            }
        case 24: searchDomains = try DNSName.list(try Self.bytes(&option), limit: Self.optionLimit)
        case 32: informationRefreshTime = .seconds(Int64(try option.read(UInt32.self, .big)))
        default: break
        }
    }

    private static func bytes(_ reader: inout ByteReader) throws(FormatError) -> [UInt8] {
        var bytes: [UInt8] = []
        while reader.remainingByteCount > 0 { bytes.append(try reader.read(UInt8.self, .big)) }
        return bytes
    }

    /// The message as it is sent.
    public var bytes: [UInt8] {
        var out: [UInt8] = []
        Self.append(UInt32(kind.rawValue) << 24 | transactionIdentifier, to: &out)
        Self.append(1, clientIdentifier, to: &out)
        Self.append(2, serverIdentifier, to: &out)
        Self.append(6, optionRequests.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }, to: &out)
        if let elapsed {
            let (seconds, attoseconds) = elapsed.components
            let hundredths = UInt64(clamping: seconds).multipliedReportingOverflow(by: 100)
            let value =
                hundredths.overflow
                ? .max : UInt16(clamping: hundredths.partialValue &+ UInt64(clamping: attoseconds / 10_000_000_000_000_000))
            Self.append(8, [UInt8(value >> 8), UInt8(value & 0xff)], to: &out)
        }
        if status != 0 { Self.append(13, [UInt8(status >> 8), UInt8(status & 0xff)], to: &out) }
        Self.append(
            23, nameServers.flatMap { address in (0..<8).flatMap { [UInt8(address.group($0) >> 8), UInt8(address.group($0) & 0xff)] } },
            to: &out)
        Self.append(24, searchDomains.flatMap { $0.wire }, to: &out)
        if let informationRefreshTime {
            var value: [UInt8] = []
            Self.append(UInt32(clamping: informationRefreshTime.components.seconds), to: &value)
            Self.append(32, value, to: &out)
        }
        return out
    }

    /// Nothing if there are no bytes, or more than an option holds.
    private static func append(_ code: UInt16, _ value: [UInt8], to out: inout [UInt8]) {
        guard !value.isEmpty, value.count <= 0xffff else { return }
        append(UInt32(code) << 16 | UInt32(value.count), to: &out)
        out += value
    }

    private static func append(_ word: UInt32, to out: inout [UInt8]) {
        for shift in [24, 16, 8, 0] as [UInt32] { out.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
}
