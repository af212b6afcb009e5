import Bytes

extension TCPControlBlock {
    /// What an application, or the stack for it, may choose.
    public struct Configuration: Equatable, Sendable {
        /// What is announced, and the most that is sent: of the link, without IP's and TCP's headers.
        public var maximumSegmentSize: Int = 1_460
        /// Bytes that may wait to be read. The window begins with a part of it and grows as it is used.
        public var receiveBufferLimit: Int = 4 << 20
        /// Bytes that may wait to be sent or acknowledged.
        public var sendBufferLimit: Int = 4 << 20
        /// Nothing is held back to be sent together with what follows (TCP_NODELAY).
        public var isNoDelay = false
        public var keepAlive: KeepAlive?
        /// Options of the handshake: SACK, timestamps and the window scale are for all but the oddest peers.
        public var offersSACK = true
        public var offersTimestamps = true
        public var offersWindowScale = true
        /// How often a segment is sent again; with back-off 15 are about a quarter of an hour (RFC 9293 §3.8.3, R2).
        public var retransmissionLimit: UInt8 = 15
        /// How often a SYN is sent again: 6 are 127 s.
        public var synRetransmissionLimit: UInt8 = 6
        fileprivate var userTimeoutMilliseconds: UInt32 = 0
        fileprivate var timeWaitMilliseconds: UInt32 = 60_000
        fileprivate var finWait2Milliseconds: UInt32 = 60_000
        fileprivate var delayMilliseconds: UInt16 = 40

        public init() {}

        /// How long bytes may stay unacknowledged before the connection fails; nil: as long as the retries take (RFC 5482).
        public var userTimeout: Duration? {
            get { userTimeoutMilliseconds == 0 ? nil : .milliseconds(userTimeoutMilliseconds) }
            set { userTimeoutMilliseconds = newValue.map { max(1, UInt32(wholeMilliseconds: $0)) } ?? 0 }
        }

        /// 2 MSL, RFC 9293 §3.4.2 and §3.6.1.
        public var timeWaitDuration: Duration {
            get { .milliseconds(timeWaitMilliseconds) }
            set { timeWaitMilliseconds = UInt32(wholeMilliseconds: newValue) }
        }

        /// How long a connection that nobody reads any more waits for the peer's FIN.
        public var finWait2Timeout: Duration {
            get { .milliseconds(finWait2Milliseconds) }
            set { finWait2Milliseconds = UInt32(wholeMilliseconds: newValue) }
        }

        /// How long an acknowledgment may wait for company; at most 500 ms (RFC 9293 §3.8.6.3).
        public var acknowledgmentDelay: Duration {
            get { .milliseconds(delayMilliseconds) }
            set { delayMilliseconds = UInt16(clamping: min(500, UInt32(wholeMilliseconds: newValue))) }
        }
    }

    /// Probes of an idle connection (RFC 9293 §3.8.4).
    public struct KeepAlive: Equatable, Sendable {
        fileprivate var idleMilliseconds: UInt32
        fileprivate var intervalMilliseconds: UInt32
        public var probeCount: UInt8

        public init(idle: Duration = .seconds(7_200), interval: Duration = .seconds(75), probeCount: UInt8 = 9) {
            idleMilliseconds = max(1, UInt32(wholeMilliseconds: idle))
            intervalMilliseconds = max(1, UInt32(wholeMilliseconds: interval))
            self.probeCount = probeCount
        }

        public var idle: Duration { .milliseconds(idleMilliseconds) }
        public var interval: Duration { .milliseconds(intervalMilliseconds) }
    }
}

extension TCPControlBlock.Configuration {
    var userTime: Nanoseconds? { userTimeoutMilliseconds == 0 ? nil : .milliseconds(Int64(userTimeoutMilliseconds)) }
    var timeWaitTime: Nanoseconds { .milliseconds(Int64(timeWaitMilliseconds)) }
    var finWait2Time: Nanoseconds { .milliseconds(Int64(finWait2Milliseconds)) }
    var delayTime: Nanoseconds { .milliseconds(Int64(delayMilliseconds)) }
}

extension TCPControlBlock.KeepAlive {
    var idleTime: Nanoseconds { .milliseconds(Int64(idleMilliseconds)) }
    var intervalTime: Nanoseconds { .milliseconds(Int64(intervalMilliseconds)) }
}

extension TCPControlBlock.Configuration {
    mutating func codeTimes(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&userTimeoutMilliseconds)
        try coder.code(&timeWaitMilliseconds)
        try coder.code(&finWait2Milliseconds)
        try coder.code(&delayMilliseconds)
    }
}

extension TCPControlBlock.KeepAlive {
    mutating func code(with coder: inout StateCoder) throws(FormatError) {
        try coder.code(&idleMilliseconds)
        try coder.code(&intervalMilliseconds)
        try coder.code(&probeCount)
    }
}

extension UInt32 {
    /// Whole milliseconds of `duration`; below zero is zero, too many is the most.
    fileprivate init(wholeMilliseconds duration: Duration) {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else {
            self = 0
            return
        }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        self = overflow ? .max : UInt32(clamping: whole &+ attoseconds / 1_000_000_000_000_000)
    }
}

extension TCPControlBlock.Configuration {
    var features: TCPControlBlock.Features {
        var features: TCPControlBlock.Features = []
        if offersSACK { features.insert(.sack) }
        if offersTimestamps { features.insert(.timestamps) }
        if offersWindowScale { features.insert(.windowScale) }
        return features
    }
}
