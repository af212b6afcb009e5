import NetFormats
import Random
import Time

/// Where sequence numbers and timestamps begin: nobody without the key can tell (RFC 6528 §3, RFC 7323 §5.4).
public struct InitialSequenceNumbers: Sendable {
    private let key: SipHash.Key

    /// `key` must be random, and kept for as long as connections are remembered.
    public init(key: SipHash.Key) { self.key = key }

    /// ISN = M + F(localip, localport, remoteip, remoteport, secretkey), M a clock of 4 µs.
    public func initialSequenceNumber(local: SocketAddress, remote: SocketAddress, now: Instant) -> SequenceNumber {
        let clock = UInt32(truncatingIfNeeded: now.nanoseconds / 4_000)
        return SequenceNumber(rawValue: UInt32(truncatingIfNeeded: hash(local, remote)) &+ clock)
    }

    public func timestampOffset(local: SocketAddress, remote: SocketAddress) -> UInt32 {
        UInt32(truncatingIfNeeded: hash(local, remote) >> 32)
    }

    private func hash(_ local: SocketAddress, _ remote: SocketAddress) -> UInt64 {
        var hash = SipHash(key: key)
        hash.add(local)
        hash.add(remote)
        return hash.value
    }
}

extension SipHash {
    mutating func add(_ address: SocketAddress) {
        switch address.address {
        case .v4(let address): add(address.rawValue)
        case .v6(let address):
            add(address.high)
            add(address.low)
        }
        add(address.port)
        add(address.zone)
    }
}
