import Random
import Time

/// One direction of a link: packets go in, and come out later, perhaps, and perhaps in another order.
public struct SimulatedLink: Sendable {
    public struct Statistics: Equatable, Sendable {
        public var sent = 0
        public var lost = 0
        /// For want of room in the queue.
        public var dropped = 0
        public var tooBig = 0
    }

    struct Arrival: Sendable {
        var time: Instant
        var number: UInt64
        var packet: [UInt8]

        static func < (a: Arrival, b: Arrival) -> Bool { a.time < b.time || a.time == b.time && a.number < b.number }
    }

    public var conditions: LinkConditions
    public private(set) var statistics = Statistics()
    /// A binary heap, the next one first.
    private var arrivals: [Arrival] = []
    private var random: SplitMix
    private var number: UInt64 = 0
    /// When the last bit of what has been sent is on its way.
    private var busyUntil = Instant.start
    private var isBad = false

    public init(_ conditions: LinkConditions, seed: UInt64) {
        self.conditions = conditions
        random = SplitMix(state: seed)
    }

    public var nextArrival: Instant? { arrivals.first?.time }

    /// False if the packet is too big for the link.
    public mutating func send(_ packet: [UInt8], now: Instant) -> Bool {
        statistics.sent += 1
        guard packet.count <= conditions.maximumPacketByteCount else {
            statistics.tooBig += 1
            return false
        }
        guard let departure = queue(packet.count, now: now) else {
            statistics.dropped += 1
            return true
        }
        if isBad ? random.happens(conditions.burstEnd) : random.happens(conditions.burstStart) { isBad.toggle() }
        if random.happens(conditions.loss) || isBad && random.happens(million / 2) {
            statistics.lost += 1
            return true
        }
        arrive(packet, departure)
        if random.happens(conditions.duplication) { arrive(packet, departure) }
        return true
    }

    /// When the packet has left, or nil if there is no room for it.
    private mutating func queue(_ byteCount: Int, now: Instant) -> Instant? {
        guard conditions.rate > 0 else { return now }
        let waiting = now.duration(to: busyUntil).nanosecondsRoundedUp
        let rate = UInt64(conditions.rate)
        guard waiting <= UInt64(conditions.queueByteCount) * 8_000_000_000 / rate else { return nil }
        busyUntil = max(busyUntil, now).advanced(by: .nanoseconds(Int64(UInt64(byteCount) * 8_000_000_000 / rate)))
        return busyUntil
    }

    private mutating func arrive(_ packet: [UInt8], _ departure: Instant) {
        var packet = packet
        var time = departure.advanced(by: conditions.delay)
        if random.happens(conditions.reordering) { time = time.advanced(by: conditions.reorderingDelay) }
        if random.happens(conditions.corruption), !packet.isEmpty {
            packet[random.number(in: 0...packet.count - 1)] ^= 1 << UInt8(random.number(in: 0...7))
        }
        number += 1
        push(Arrival(time: time, number: number, packet: packet))
    }

    /// The next packet that has arrived by `now`.
    public mutating func receive(now: Instant) -> [UInt8]? {
        guard let first = arrivals.first, first.time <= now else { return nil }
        let last = arrivals.removeLast()
        if !arrivals.isEmpty {
            arrivals[0] = last
            sink()
        }
        return first.packet
    }

    private mutating func push(_ arrival: Arrival) {
        arrivals.append(arrival)
        var index = arrivals.count - 1
        while index > 0, arrivals[index] < arrivals[(index - 1) / 2] {
            arrivals.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func sink() {
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < arrivals.count && arrivals[child] < arrivals[least] { least = child }
            guard least != index else { return }
            arrivals.swapAt(index, least)
            index = least
        }
    }
}
