import Bytes
import NetFormats
import Time

/// Puts fragments of IP packets together again (RFC 791 §3.2, RFC 8200 §4.5), within fixed bounds.
///
/// A fragment that overlaps another ends its whole packet (RFC 5722); an exact copy of one that is there does no harm.
public struct Reassembler {
    /// Packets that are incomplete at a time; the oldest goes first.
    public static let maximumPacketCount = 32
    /// Bytes of all incomplete packets together.
    public static let maximumByteCount = 256 << 10
    /// Pieces that one packet may be known in: fragments that join count as one.
    public static let maximumPieceCount = 64
    /// A whole payload: what the fields of length can say.
    public static let maximumPacketByteCount = 65_535
    /// RFC 8200 §4.5; Linux waits 30 s for IPv4, RFC 1122 §3.3.2 wants 60 to 120.
    public static let timeLimit = Duration.seconds(60)

    /// What the fragments of one packet have in common.
    public struct Key: Hashable, Sendable {
        public var source: IPAddress
        public var destination: IPAddress
        public var identification: UInt32
        /// Of IPv4; zero for IPv6, whose fragments may differ in it.
        public var transport: UInt8

        public init(source: IPAddress, destination: IPAddress, identification: UInt32, transport: UInt8) {
            self.source = source
            self.destination = destination
            self.identification = identification
            self.transport = transport
        }
    }

    public enum Outcome: Equatable {
        case incomplete
        /// All of the payload, and the protocol that the first fragment named.
        case complete([UInt8], transport: UInt8)
        /// The fragment was dropped, and with it perhaps the whole packet.
        case refused
    }

    private struct Packet {
        var bytes: [UInt8] = []
        /// What is there, sorted, without overlaps and without gaps of zero.
        var pieces: [Range<Int>] = []
        var byteCount: Int?
        var transport: UInt8 = 0
        var deadline: Instant

        var isComplete: Bool {
            guard let byteCount, pieces.count == 1 else { return byteCount == 0 }
            return pieces[0] == 0..<byteCount
        }
    }

    private var packets: [Key: Packet] = [:]
    private var byteCount = 0
    public private(set) var nextDeadline = Instant.distantFuture

    public init() {}

    public var packetCount: Int { packets.count }

    /// Adds the payload of one fragment, which begins at `offset` bytes of the packet's.
    public mutating func insert(
        _ bytes: RawSpan, at offset: Int, isLast: Bool, transport: UInt8, of key: Key, now: Instant
    ) -> Outcome {
        let end = offset + bytes.byteCount
        // All but the last hold a multiple of eight bytes (RFC 791 §3.1, RFC 8200 §4.5).
        guard offset >= 0, end <= Self.maximumPacketByteCount, isLast || (bytes.byteCount > 0 && bytes.byteCount % 8 == 0) else {
            return .refused
        }
        if packets[key] == nil { makeRoom() }
        let deadline = now.advanced(by: Self.timeLimit)
        var packet = packets.removeValue(forKey: key) ?? Packet(deadline: deadline)
        byteCount -= packet.bytes.count
        guard Self.add(bytes, offset..<end, isLast: isLast, to: &packet) else { return .refused }
        if offset == 0 { packet.transport = transport }
        if packet.isComplete { return .complete(packet.bytes, transport: packet.transport) }
        byteCount += packet.bytes.count
        if packet.deadline < nextDeadline { nextDeadline = packet.deadline }
        packets[key] = packet
        while byteCount > Self.maximumByteCount { dropOldest() }
        return .incomplete
    }

    /// False: the packet cannot be right any more.
    private static func add(_ bytes: RawSpan, _ range: Range<Int>, isLast: Bool, to packet: inout Packet) -> Bool {
        if isLast {
            if let known = packet.byteCount, known != range.upperBound { return false }
            if let last = packet.pieces.last, last.upperBound > range.upperBound { return false }
            packet.byteCount = range.upperBound
        } else if let known = packet.byteCount, range.upperBound > known {
            return false
        }
        if range.isEmpty { return true }
        var position = 0
        while position < packet.pieces.count, packet.pieces[position].lowerBound < range.lowerBound { position += 1 }
        for piece in packet.pieces where piece.overlaps(range) {
            return piece.lowerBound <= range.lowerBound && range.upperBound <= piece.upperBound
                && packet.bytes.hasSameBytes(as: bytes, from: range.lowerBound)
        }
        guard packet.pieces.count < maximumPieceCount else { return false }
        if packet.bytes.count < range.upperBound {
            packet.bytes.append(contentsOf: repeatElement(0, count: range.upperBound - packet.bytes.count))
        }
        packet.bytes.replace(from: range.lowerBound, with: bytes)
        packet.pieces.insert(range, at: position)
        join(&packet.pieces, at: position)
        return true
    }

    private static func join(_ pieces: inout [Range<Int>], at position: Int) {
        if position + 1 < pieces.count, pieces[position].upperBound == pieces[position + 1].lowerBound {
            pieces[position] = pieces[position].lowerBound..<pieces.remove(at: position + 1).upperBound
        }
        if position > 0, pieces[position - 1].upperBound == pieces[position].lowerBound {
            pieces[position - 1] = pieces[position - 1].lowerBound..<pieces.remove(at: position).upperBound
        }
    }

    private mutating func makeRoom() {
        while packets.count >= Self.maximumPacketCount { dropOldest() }
    }

    private mutating func dropOldest() {
        var oldest: (key: Key, deadline: Instant)?
        for (key, packet) in packets where oldest == nil || packet.deadline < oldest!.deadline { oldest = (key, packet.deadline) }
        guard let oldest, let packet = packets.removeValue(forKey: oldest.key) else { return }
        byteCount -= packet.bytes.count
    }

    /// Drops what has waited too long.
    public mutating func tick(now: Instant) {
        guard nextDeadline <= now else { return }
        nextDeadline = .distantFuture
        for (key, packet) in packets {
            if packet.deadline > now {
                if packet.deadline < nextDeadline { nextDeadline = packet.deadline }
                continue
            }
            packets[key] = nil
            byteCount -= packet.bytes.count
        }
    }
}
