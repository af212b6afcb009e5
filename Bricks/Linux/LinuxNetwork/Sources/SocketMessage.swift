import VFS

/// MSG_… of send(2) and recv(2).
public struct MessageFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static var outOfBand: MessageFlags { MessageFlags(rawValue: 1) }
    public static var peek: MessageFlags { MessageFlags(rawValue: 2) }
    public static var controlTruncated: MessageFlags { MessageFlags(rawValue: 8) }
    public static var truncated: MessageFlags { MessageFlags(rawValue: 0x20) }
    public static var dontWait: MessageFlags { MessageFlags(rawValue: 0x40) }
    public static var endOfRecord: MessageFlags { MessageFlags(rawValue: 0x80) }
    public static var waitAll: MessageFlags { MessageFlags(rawValue: 0x100) }
    public static var errorQueue: MessageFlags { MessageFlags(rawValue: 0x2000) }
    public static var noSignal: MessageFlags { MessageFlags(rawValue: 0x4000) }
    public static var waitForOne: MessageFlags { MessageFlags(rawValue: 0x1_0000) }
    public static var closeOnExec: MessageFlags { MessageFlags(rawValue: 0x4000_0000) }
}

/// struct ucred: who is at the other end.
public struct SocketCredentials: Equatable, Sendable {
    public var process: Int32
    public var user: UInt32
    public var group: UInt32

    public init(process: Int32, user: UInt32, group: UInt32) {
        self.process = process
        self.user = user
        self.group = group
    }

    /// What SO_PEERCRED tells where there is no peer.
    public static var nobody: SocketCredentials { SocketCredentials(process: 0, user: .max, group: .max) }
}

/// What goes with the bytes of a message.
public struct SentMessage {
    /// Where to; empty: to the peer.
    public var name = SocketName()
    /// SCM_RIGHTS; held open by whoever sends until `send` returns.
    public var files: [OpenFile] = []
    public var credentials: SocketCredentials?

    /// SCM_MAX_FD
    public static var fileLimit: Int { 253 }

    public init() {}
}

/// What comes with the bytes of a message.
public struct ReceivedMessage {
    public var name = SocketName()
    /// MSG_TRUNC, MSG_CTRUNC, MSG_EOR
    public var flags: MessageFlags = []
    /// Of the whole datagram, more than was taken if it was cut.
    public var byteCount = 0
    /// SCM_RIGHTS; retained for whoever receives.
    public var files: [OpenFile] = []
    public var credentials: SocketCredentials?
    /// Where a datagram of IP was sent to, and over which interface (IP_PKTINFO).
    public var packetInformation: PacketInformation?

    public init() {}
}
