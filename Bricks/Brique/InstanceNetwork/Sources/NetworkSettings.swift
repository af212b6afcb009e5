import DNSFormat
import NetFormats

/// What the user said of the network: variables of the instance's environment, see docs/network.md.
struct NetworkSettings: Equatable {
    /// What is wrong with a variable.
    struct Problem: Error, Equatable {
        var variable: StaticName
    }

    enum StaticName: Equatable {
        case addresses, gateways, nameServers, searchDomains, hostName

        var variable: StaticString {
            switch self {
            case .addresses: "BRIQUE_IP"
            case .gateways: "BRIQUE_GATEWAY"
            case .nameServers: "BRIQUE_DNS"
            case .searchDomains: "BRIQUE_SEARCH"
            case .hostName: "BRIQUE_HOSTNAME"
            }
        }
    }

    /// An address with the length of its network.
    enum Prefix: Equatable {
        case v4(IPv4Prefix)
        case v6(IPv6Prefix)
    }

    /// Of any list: what the stack would keep.
    static var listLimit: Int { 8 }

    var addresses: [Prefix] = []
    var gateways: [IPAddress] = []
    var nameServers: [IPAddress] = []
    var searchDomains: [DNSName] = []
    var hostName: [UInt8] = []

    var hasIPv4: Bool {
        for address in addresses { if case .v4 = address { return true } }
        return false
    }

    /// Takes the value of one variable.
    mutating func set(_ name: StaticName, to value: [UInt8]) throws(Problem) {
        guard !value.isEmpty else { return }
        guard Self.parts(value).count <= Self.listLimit else { throw Problem(variable: name) }
        switch name {
        case .hostName:
            guard Self.isHostLabel(value) else { throw Problem(variable: name) }
            hostName = value
        case .addresses:
            for part in Self.parts(value) {
                if let prefix = IPv4Prefix(parsing: part.span) {
                    addresses.append(.v4(prefix))
                } else if let prefix = IPv6Prefix(parsing: part.span) {
                    addresses.append(.v6(prefix))
                } else {
                    throw Problem(variable: name)
                }
            }
        case .gateways: gateways = try Self.addresses(value, name)
        case .nameServers: nameServers = try Self.addresses(value, name)
        case .searchDomains:
            for part in Self.parts(value) {
                guard let domain = DNSName(parsing: part.span) else { throw Problem(variable: name) }
                searchDomains.append(domain)
            }
        }
    }

    /// One label of letters, digits and hyphens (RFC 1123 §2.1).
    private static func isHostLabel(_ value: [UInt8]) -> Bool {
        guard value.count <= DNSName.labelByteCountLimit, value.first != UInt8(ascii: "-"), value.last != UInt8(ascii: "-") else {
            return false
        }
        for byte in value {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"):
                continue
            default: return false
            }
        }
        return true
    }

    private static func addresses(_ value: [UInt8], _ name: StaticName) throws(Problem) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for part in parts(value) {
            guard let address = IPAddress(parsing: part.span) else { throw Problem(variable: name) }
            addresses.append(address)
        }
        return addresses
    }

    private static func parts(_ value: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var part: [UInt8] = []
        for byte in value {
            if byte == UInt8(ascii: ",") {
                parts.append(part)
                part = []
            } else {
                part.append(byte)
            }
        }
        parts.append(part)
        return parts
    }
}
