import NetFormats

/// What an instance is connected to, and what it is told of it: the options of `brique run`, checked.
struct NetworkPlan: Equatable, Sendable {
    /// What is at the other end of a link.
    enum Attachment: Equatable, Sendable {
        /// This program itself: user-mode networking.
        case user
        /// A TAP of this machine.
        case tap(name: String)
        /// A TAP made for the instance, on a bridge of this machine.
        case bridge(name: String)
    }

    struct Link: Equatable, Sendable {
        var attachment: Attachment
        var macAddress: MACAddress
    }

    /// `BRIQUE_LINK_LIMIT`.
    static let linkLimit = 4

    var links: [Link] = []
    var publishedPorts: [PublishedPort] = []
    /// Where every frame is recorded, if anywhere.
    var capturePath: String?
    var hostname: String?
    /// `K=V` words for the instance: BRIQUE_IP and its kin, see docs/network.md.
    var variables: [String] = []

    static let none = NetworkPlan()
}

/// A port of this machine that leads to one of the instance: `[HOST_IP:]HOST:GUEST[/udp]`.
struct PublishedPort: Equatable, Sendable {
    enum Transport: String, Sendable { case tcp, udp }

    /// nil: all addresses of this machine.
    var hostAddress: IPAddress?
    var hostPort: UInt16
    var guestPort: UInt16
    var transport: Transport

    /// An IPv6 address stands in brackets.
    init?(_ text: String) {
        var rest = Substring(text)
        transport = .tcp
        if let slash = rest.lastIndex(of: "/") {
            guard let transport = Transport(rawValue: String(rest[rest.index(after: slash)...])) else { return nil }
            self.transport = transport
            rest = rest[..<slash]
        }
        guard let guest = Self.port(&rest), let host = Self.port(&rest, isLast: true) else { return nil }
        (hostPort, guestPort) = (host, guest)
        hostAddress = nil
        guard !rest.isEmpty else { return }
        let isBracketed = rest.hasPrefix("[") && rest.hasSuffix("]")
        guard let address = IPAddress(String(isBracketed ? rest.dropFirst().dropLast() : rest)), address.isIPv6 == isBracketed else {
            return nil
        }
        hostAddress = address
    }

    /// Takes a port and the colon before it off the end.
    private static func port(_ rest: inout Substring, isLast: Bool = false) -> UInt16? {
        let colon = rest.lastIndex(of: ":")
        guard colon != nil || isLast else { return nil }
        let digits = colon.map { rest[rest.index(after: $0)...] } ?? rest
        rest = colon.map { rest[..<$0] } ?? ""
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits), port > 0 else { return nil }
        // ":80:80" names no address.
        if colon != nil, rest.isEmpty { return nil }
        return port
    }
}
