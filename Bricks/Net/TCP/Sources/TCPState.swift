import NetFormats
import Time

/// Why a connection is no more.
public enum TCPFailure: UInt8, Error, Equatable, Sendable {
    /// The peer has nobody listening there.
    case refused
    /// The peer gave the connection up.
    case reset
    /// No answer, after all retries.
    case timedOut
    /// Given up on this side.
    case aborted
    /// No way to the peer, says the network.
    case unreachable
}

/// What the owner of a control block may want to act on.
public struct TCPEvents: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The handshake is complete.
    public static var established: TCPEvents { TCPEvents(rawValue: 1) }
    /// There is more to read.
    public static var readable: TCPEvents { TCPEvents(rawValue: 2) }
    /// There is room to write again, after a `write` that took less than it was given.
    public static var writable: TCPEvents { TCPEvents(rawValue: 4) }
    /// The peer has sent all it will: what is readable is the rest.
    public static var endOfStream: TCPEvents { TCPEvents(rawValue: 8) }
    /// The connection has ended before its time: `failure` says why.
    public static var failed: TCPEvents { TCPEvents(rawValue: 16) }
    /// Nothing more will come or go: the control block may be dropped once what it still has to send is sent.
    public static var closed: TCPEvents { TCPEvents(rawValue: 32) }
    /// `nextTransmission` probably has something to send.
    public static var transmit: TCPEvents { TCPEvents(rawValue: 64) }
}

/// One segment to send, or a super-segment of `segmentSize` bytes each but for the last.
public struct TCPTransmission: Equatable, Sendable {
    public var header: TCPHeader
    /// How much payload: the bytes themselves are seen with `withPayload(of:_:)`, before anything else happens to the control block.
    public var byteCount: Int
    public var segmentSize: Int
}

extension TCPControlBlock {
    /// RFC 9293 §3.3.2. LISTEN is not the state of a connection: who listens makes a control block of each SYN.
    public enum State: Hashable, Sendable {
        case synSent(SynSent)
        case synReceived(SynReceived)
        case established
        case finWait1
        case finWait2
        case closeWait
        case closing
        case lastAck
        case timeWait(TimeWait)
        case closed(Closed)
    }

    public struct SynSent: Hashable, Sendable {
        /// `finish` came before the handshake: the FIN follows it.
        public var isFinishing = false
    }

    public struct SynReceived: Hashable, Sendable {
        /// By a peer's SYN alone, not by one that crossed ours.
        public var isPassive: Bool
        public var isFinishing = false
    }

    public struct TimeWait: Hashable, Sendable {
        public var until: Instant
    }

    public struct Closed: Hashable, Sendable {
        /// Nil after an end in order.
        public var failure: TCPFailure?
    }
}

extension TCPControlBlock.State {
    /// The peer's SYN has been acknowledged, and ours.
    public var isSynchronized: Bool {
        switch self {
        case .synSent, .synReceived, .closed: false
        case .established, .finWait1, .finWait2, .closeWait, .closing, .lastAck, .timeWait: true
        }
    }

    /// More may be written.
    public var canWrite: Bool {
        switch self {
        case .synSent(let opening): !opening.isFinishing
        case .synReceived(let opening): !opening.isFinishing
        case .established, .closeWait: true
        case .finWait1, .finWait2, .closing, .lastAck, .timeWait, .closed: false
        }
    }

    /// A FIN ends what is written, sent or not.
    var isFinQueued: Bool {
        switch self {
        case .synSent, .synReceived, .established, .closeWait, .closed: false
        case .finWait1, .finWait2, .closing, .lastAck, .timeWait: true
        }
    }

    /// The peer may still send data.
    var canReceive: Bool {
        switch self {
        case .synSent, .synReceived, .established, .finWait1, .finWait2: true
        case .closeWait, .closing, .lastAck, .timeWait, .closed: false
        }
    }
}
