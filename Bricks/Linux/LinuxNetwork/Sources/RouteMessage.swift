import Bytes
import Errno
import NetFormats
import NetStack
import NetworkLink

/// Numbers of netlink(7) and rtnetlink(7).
enum RouteMessage {
    static var headerByteCount: Int { 16 }
    static var error: UInt16 { 2 }
    static var done: UInt16 { 3 }
    static var newLink: UInt16 { 16 }
    static var linkRequest: UInt16 { 18 }
    static var newAddress: UInt16 { 20 }
    static var addressRequest: UInt16 { 22 }
    static var newRoute: UInt16 { 24 }
    static var routeRequest: UInt16 { 26 }
    static var inet: UInt8 { 2 }
    static var inet6: UInt8 { 10 }
}

/// What answers one request: messages in datagrams.
struct RouteAnswer {
    private let sequence: UInt32
    private let portID: UInt32
    private(set) var datagrams: [[UInt8]] = []
    private var start = 0

    init(sequence: UInt32, portID: UInt32) {
        self.sequence = sequence
        self.portID = portID
    }

    var isEmpty: Bool { datagrams.isEmpty }

    // MARK: Pieces

    private mutating func begin(_ type: UInt16, flags: UInt16) {
        if datagrams.isEmpty || datagrams[datagrams.count - 1].count > NetlinkSocket.answerByteCount { datagrams.append([]) }
        start = datagrams[datagrams.count - 1].count
        put32(0)
        put16(type)
        put16(flags)
        put32(sequence)
        put32(portID)
    }

    private mutating func end() {
        let last = datagrams.count - 1
        let length = UInt32(datagrams[last].count - start)
        for index in 0..<4 { datagrams[last][start + index] = UInt8(truncatingIfNeeded: length >> UInt32(index * 8)) }
        while datagrams[last].count & 3 != 0 { datagrams[last].append(0) }
    }

    private mutating func put8(_ value: UInt8) { datagrams[datagrams.count - 1].append(value) }
    private mutating func put16(_ value: UInt16) {
        put8(UInt8(truncatingIfNeeded: value))
        put8(UInt8(value >> 8))
    }
    private mutating func put32(_ value: UInt32) {
        put16(UInt16(truncatingIfNeeded: value))
        put16(UInt16(value >> 16))
    }

    private mutating func attribute(_ type: UInt16, _ bytes: [UInt8]) {
        put16(UInt16(bytes.count + 4))
        put16(type)
        for byte in bytes { put8(byte) }
        while (datagrams[datagrams.count - 1].count - start) & 3 != 0 { put8(0) }
    }

    private mutating func attribute(_ type: UInt16, _ value: UInt32) {
        attribute(type, (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) })
    }

    private static func bytes(_ address: IPAddress) -> [UInt8] {
        switch address {
        case .v4(let v4): return (0..<4).map { UInt8(truncatingIfNeeded: v4.rawValue >> UInt32(24 - $0 * 8)) }
        case .v6(let v6):
            return (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? v6.high : v6.low) >> UInt64(56 - $0 % 8 * 8)) }
        }
    }

    // MARK: Messages

    mutating func finish() {
        begin(RouteMessage.done, flags: 2)
        put32(0)
        end()
    }

    /// NLMSG_ERROR with the header of the request; 0 is the acknowledgment.
    mutating func addError(_ error: Errno, _ request: RawSpan) {
        begin(RouteMessage.error, flags: 0)
        put32(UInt32(bitPattern: -error.rawValue))
        for offset in 0..<RouteMessage.headerByteCount { put8(request.byte(at: offset)) }
        end()
    }

    /// struct ifinfomsg and IFLA_…
    mutating func add(_ interface: NetworkInterface) {
        begin(RouteMessage.newLink, flags: 2)
        put8(0)
        put8(0)
        put16(interface.hardwareType)
        put32(interface.index)
        // IFF_LOWER_UP goes with it.
        put32(interface.interfaceFlags | 0x10000)
        put32(0)
        attribute(1, interface.hardwareAddressBytes)
        attribute(2, interface.isLoopback ? [0, 0, 0, 0, 0, 0] : [255, 255, 255, 255, 255, 255])
        attribute(3, interface.name + [0])
        attribute(4, UInt32(clamping: interface.maximumTransmissionUnit))
        attribute(13, 1000)
        // IFLA_OPERSTATE: up, or unknown for the loopback.
        attribute(16, [interface.isLoopback ? 0 : 6])
        end()
    }

    /// struct ifaddrmsg and IFA_…
    mutating func add(_ own: NetworkInterface.Address, of interface: NetworkInterface, family: UInt8) {
        let isIPv6 = own.address.isIPv6
        let kind = isIPv6 ? RouteMessage.inet6 : RouteMessage.inet
        guard family == 0 || family == kind else { return }
        begin(RouteMessage.newAddress, flags: 2)
        put8(kind)
        put8(UInt8(clamping: own.prefixLength))
        // IFA_F_PERMANENT
        put8(0x80)
        // RT_SCOPE_HOST, _LINK, _UNIVERSE
        put8(interface.isLoopback ? 254 : isIPv6 && own.address.isLinkLocal ? 253 : 0)
        put32(interface.index)
        attribute(1, Self.bytes(own.address))
        if case .v4(let address) = own.address {
            attribute(2, Self.bytes(own.address))
            if !interface.isLoopback {
                attribute(4, Self.bytes(.v4(IPv4Address(rawValue: address.rawValue | ~mask(own.prefixLength)))))
            }
            attribute(3, interface.name + [0])
        }
        attribute(8, 0x80)
        end()
    }

    /// struct rtmsg and RTA_…
    mutating func add(_ route: Route, family: UInt8) {
        let destination: IPAddress, length: Int
        switch route.prefix {
        case .v4(let prefix): (destination, length) = (.v4(prefix.address), prefix.length)
        case .v6(let prefix): (destination, length) = (.v6(prefix.address), prefix.length)
        }
        let kind = destination.isIPv6 ? RouteMessage.inet6 : RouteMessage.inet
        guard family == 0 || family == kind else { return }
        begin(RouteMessage.newRoute, flags: 2)
        put8(kind)
        put8(UInt8(length))
        put8(0)
        put8(0)
        // RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_LINK or _UNIVERSE, RTN_UNICAST
        put8(254)
        put8(3)
        put8(route.gateway == nil && !destination.isIPv6 ? 253 : 0)
        put8(1)
        put32(0)
        attribute(15, 254)
        if length > 0 { attribute(1, Self.bytes(destination)) }
        if let gateway = route.gateway { attribute(5, Self.bytes(gateway)) }
        attribute(4, route.interface.index)
        end()
    }
}
