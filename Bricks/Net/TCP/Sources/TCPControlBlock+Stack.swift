import NetFormats

extension TCPControlBlock {
    /// Whether a segment with `sequence` may be on its way: what an ICMP message must quote to be believed (RFC 5927 §4.1).
    public func isInFlight(_ sequence: SequenceNumber) -> Bool { sequence >= sendUnacknowledged && sequence < sendNext }
}

extension TCPControlBlock.Configuration {
    /// The window shift that lets the whole receive limit be announced (RFC 7323 §2.3).
    public var receiveScale: UInt8 {
        guard offersWindowScale else { return 0 }
        var scale: UInt8 = 0
        while scale < TCPControlBlock.greatestScale, receiveBufferLimit >> Int(scale) > 0xffff { scale += 1 }
        return scale
    }
}

extension TCPControlBlock {
    /// Nothing more will become readable: the peer's FIN is here, or the connection is over.
    public var hasReceivedAll: Bool { hasReceivedFin || isClosed }
}
