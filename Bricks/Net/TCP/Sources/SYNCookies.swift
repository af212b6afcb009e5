import NetFormats
import Random
import Time

/// Answers SYNs without keeping anything: what must be known later is in the numbers that the peer sends back (RFC 4987 §3.6).
///
/// The cookie is the SYN-ACK's sequence number: 24 bits of a keyed hash over the addresses, the peer's number and the minute,
/// below them 5 bits of the minute and 3 of the segment size. Window scale and SACK are in the low bits of our timestamp.
public struct SYNCookies: Sendable {
    /// What a cookie keeps of a SYN.
    public struct Contents: Equatable, Sendable {
        public var maximumSegmentSize: UInt16
        public var windowScale: UInt8?
        public var isSACKPermitted: Bool
    }

    /// How long a cookie may be on its way: this period and the next.
    private static var period: Nanoseconds { .seconds(64) }
    /// The low bits of a timestamp that carry options: scale (15 for none), SACK.
    private static var optionMask: UInt32 { 0x1f }

    private let key: SipHash.Key

    public init(key: SipHash.Key) { self.key = key }

    /// The SYN-ACK to `syn`. `offset` is the connection's timestamp offset, `window` what is announced, not scaled.
    public func answer(
        to syn: TCPHeader, local: SocketAddress, remote: SocketAddress, timestampOffset: UInt32, window: UInt16, windowScale: UInt8,
        maximumSegmentSize: UInt16, now: Instant
    ) -> TCPHeader {
        let minute = Self.minute(now)
        let sizeIndex = Self.sizeIndex(syn.options.maximumSegmentSize ?? UInt16(TCPControlBlock.defaultSegmentSize))
        let number = cookie(local, remote, peerNumber: syn.sequenceNumber, minute: minute, sizeIndex: sizeIndex)
        var header = TCPHeader(
            sourcePort: local.port, destinationPort: remote.port, sequenceNumber: number, acknowledgmentNumber: syn.sequenceNumber + 1,
            flags: [.syn, .ack], window: window)
        header.options.maximumSegmentSize = maximumSegmentSize
        if let timestamps = syn.options.timestamps {
            let clock = timestampOffset &+ UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000)
            let scale = syn.options.windowScale.map { UInt32(min($0, TCPControlBlock.greatestScale)) } ?? 15
            var value = clock & ~Self.optionMask | scale | (syn.options.isSACKPermitted ? 16 : 0)
            // Never ahead of the clock: a later segment must not seem older.
            if Int32(bitPattern: value &- clock) > 0 { value &-= Self.optionMask + 1 }
            header.options.timestamps = TCPTimestamps(value: value, echo: timestamps.value)
            header.options.isSACKPermitted = syn.options.isSACKPermitted
            if syn.options.windowScale != nil { header.options.windowScale = windowScale }
        }
        return header
    }

    /// What the SYN said that `header` continues; nil if its acknowledgment number is not a cookie of the last two minutes.
    public func contents(of header: TCPHeader, local: SocketAddress, remote: SocketAddress, now: Instant) -> Contents? {
        guard header.flags.contains(.ack), header.flags.isDisjoint(with: [.syn, .rst]) else { return nil }
        let number = header.acknowledgmentNumber - 1
        let low = number.rawValue & 0xff
        let age = (Self.minute(now) &- (low >> 3)) & 31
        guard age <= 1 else { return nil }
        let expected = cookie(
            local, remote, peerNumber: header.sequenceNumber - 1, minute: Self.minute(now) &- age, sizeIndex: low & 7)
        guard expected == number else { return nil }
        var contents = Contents(maximumSegmentSize: Self.segmentSize(low & 7), windowScale: nil, isSACKPermitted: false)
        if let timestamps = header.options.timestamps {
            let scale = timestamps.echo & 15
            contents.windowScale = scale == 15 ? nil : UInt8(scale)
            contents.isSACKPermitted = timestamps.echo & 16 != 0
        }
        return contents
    }

    private func cookie(
        _ local: SocketAddress, _ remote: SocketAddress, peerNumber: SequenceNumber, minute: UInt32, sizeIndex: UInt32
    ) -> SequenceNumber {
        var hash = SipHash(key: key)
        hash.add(local)
        hash.add(remote)
        hash.add(peerNumber.rawValue)
        hash.add(minute)
        hash.add(sizeIndex)
        return SequenceNumber(rawValue: UInt32(truncatingIfNeeded: hash.value) << 8 | (minute & 31) << 3 | sizeIndex)
    }

    private static func minute(_ now: Instant) -> UInt32 { UInt32(truncatingIfNeeded: (now - .start).rawValue / period.rawValue) }

    /// Sizes that are common, rounded down to.
    private static func segmentSize(_ index: UInt32) -> UInt16 {
        switch index {
        case 0: 216
        case 1: 536
        case 2: 1_220
        case 3: 1_360
        case 4: 1_440
        case 5: 1_460
        case 6: 4_312
        default: 8_960
        }
    }

    private static func sizeIndex(_ size: UInt16) -> UInt32 {
        var index: UInt32 = 7
        while index > 0, segmentSize(index) > size { index -= 1 }
        return index
    }
}
