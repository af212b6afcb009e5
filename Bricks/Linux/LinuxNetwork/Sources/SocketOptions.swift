import NetFormats
import Time

/// What setsockopt(2) keeps of every socket (socket(7), tcp(7), ip(7), ipv6(7)).
public struct SocketOptions: Sendable {
    public var reusesAddress = false
    public var reusesPort = false
    public var keepsAlive = false
    public var broadcasts = false
    public var passesCredentials = false
    public var wantsPacketInformation = false
    public var isIPv6Only = false
    public var isNoDelay = false
    public var isCorked = false
    public var isQuickAck = true
    public var deferAccept: Int32 = 0
    public var trafficClass: Int32 = 0
    public var hopLimit: Int32 = 64
    public var multicastHopLimit: Int32 = 1
    public var multicastLoops = true
    public var mark: Int32 = 0
    public var priority: Int32 = 0
    /// As getsockopt(2) tells them: twice what was asked for.
    public var sendBuffer: Int32 = SocketOptions.defaultBuffer
    public var receiveBuffer: Int32 = SocketOptions.defaultBuffer
    /// nil: closing does not wait. Seconds.
    public var linger: Int32?
    public var receiveTimeout: Duration?
    public var sendTimeout: Duration?
    /// TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT
    public var keepAliveIdle: Int32 = 7200
    public var keepAliveInterval: Int32 = 75
    public var keepAliveCount: Int32 = 9
    public var userTimeout: Int32 = 0
    public var synCount: Int32 = 6

    /// /proc/sys/net/core/rmem_default and wmem_default.
    public static var defaultBuffer: Int32 { 212_992 }
    public static var leastSendBuffer: Int32 { 4608 }
    public static var leastReceiveBuffer: Int32 { 2304 }

    /// Options that are kept and told, and change nothing.
    private var others: [(level: Int32, name: Int32, value: Int32)] = []

    public init() {}

    func other(_ level: Int32, _ name: Int32) -> Int32 { others.first { $0.level == level && $0.name == name }?.value ?? 0 }

    mutating func setOther(_ level: Int32, _ name: Int32, to value: Int32) {
        if let index = others.firstIndex(where: { $0.level == level && $0.name == name }) {
            others[index].value = value
        } else {
            others.append((level, name, value))
        }
    }
}

/// struct in_pktinfo and in6_pktinfo.
public struct PacketInformation: Equatable, Sendable {
    public var interface: UInt32
    public var destination: IPAddress
}
