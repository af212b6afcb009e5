import NetFormats
import NetworkLink
import Time

/// A stack's end of a link to a switch: frames that are sent wait for the switch, and those that have come wait for the stack.
final class SimulatedPort: NetworkLink {
    struct Frame {
        var bytes: [UInt8]
        var isPartial: Bool
    }

    let macAddress: MACAddress
    let maximumTransmissionUnit: Int
    let offloads: LinkOffloads
    var sent: [Frame] = []
    var arrived: [Frame] = []
    /// What the port takes before it must be emptied, as a ring of a device.
    let capacity: Int

    init(_ number: Int, maximumTransmissionUnit: Int, offloads: LinkOffloads, capacity: Int) {
        macAddress = MACAddress(rawValue: 0x0200_0000_0000 | UInt64(number + 1))
        self.maximumTransmissionUnit = maximumTransmissionUnit
        self.offloads = offloads
        self.capacity = capacity
    }

    func transmit(_ headers: RawSpan, _ payload: RawSpan, _ rest: RawSpan, _ offload: TransmitOffload) -> Bool {
        guard sent.count < capacity else { return false }
        var bytes = [UInt8](copying: headers)
        bytes.append(payload)
        bytes.append(rest)
        sent.append(Frame(bytes: bytes, isPartial: offload.checksumStart > 0))
        return true
    }

    func flush() {}

    func receive(limit: Int, _ body: (RawSpan, ReceiveOffload) -> Void) -> Int {
        let count = min(limit, arrived.count)
        for index in 0..<count {
            let frame = arrived[index]
            let isPartial = frame.isPartial, bytes = frame.bytes
            body(bytes.rawBytes, ReceiveOffload(isChecksumValid: isPartial, isChecksumPartial: isPartial))
        }
        arrived.removeFirst(count)
        return count
    }
}

/// Joins ports: a frame goes to the port that it names, or to all others. Each port's way to the switch is a link with its faults.
struct SimulatedSwitch {
    let ports: [SimulatedPort]
    var links: [SimulatedLink]

    /// Takes what the ports have sent. The first byte of what goes over a link says whether the checksum is complete.
    mutating func collect(now: Instant) {
        for index in ports.indices {
            let frames = ports[index].sent
            ports[index].sent = []
            for frame in frames {
                // A frame that is to be cut, or whose checksum is to be completed, stays within a machine: nothing damages it.
                let corruption = links[index].conditions.corruption
                if frame.isPartial || Self.isResolution(frame.bytes) { links[index].conditions.corruption = 0 }
                _ = links[index].send([frame.isPartial ? 1 : 0] + frame.bytes, now: now)
                links[index].conditions.corruption = corruption
            }
        }
    }

    /// ARP has no checksum of its own: that is Ethernet's.
    private static func isResolution(_ frame: [UInt8]) -> Bool { frame.count > 13 && frame[12] == 8 && frame[13] == 6 }

    /// Hands over what has arrived by now.
    mutating func deliver(now: Instant) {
        for index in ports.indices {
            while let packet = links[index].receive(now: now) {
                // Damage to the mark or to Ethernet's header would have been noticed on the way.
                guard packet.count > 15, packet[0] <= 1 else { continue }
                let frame = SimulatedPort.Frame(bytes: Array(packet[1...]), isPartial: packet[0] == 1)
                let destination = frame.bytes[0..<6].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
                let isGroup = frame.bytes[0] & 1 == 1
                for (other, port) in ports.enumerated() where other != index && (isGroup || port.macAddress.rawValue == destination) {
                    port.arrived.append(frame)
                }
            }
        }
    }

    var nextArrival: Instant { links.reduce(.distantFuture) { min($0, $1.nextArrival ?? .distantFuture) } }
}
