import Bytes
import NetFormats
import NetStack
import NetworkLink
import Random
import TCP
import Time

/// One end of a wire in memory: what is sent arrives at the other end, after `delay`.
final class WireLink: NetworkLink {
    struct Frame {
        var bytes: [UInt8]
        var offload: ReceiveOffload
        var due: Instant
    }

    let macAddress: MACAddress
    var maximumTransmissionUnit = 1500
    var offloads: LinkOffloads = []
    weak var peer: WireLink?
    weak var network: TestNetwork?
    var arrived: [Frame] = []
    /// Sees each frame that is sent; false drops it.
    var filter: ([UInt8]) -> Bool = { _ in true }

    init(_ address: UInt64) { macAddress = MACAddress(rawValue: address) }

    func transmit(_ headers: RawSpan, _ payload: RawSpan, _ rest: RawSpan, _ offload: TransmitOffload) -> Bool {
        var bytes = [UInt8](copying: headers)
        bytes.append(payload)
        bytes.append(rest)
        guard filter(bytes), let peer, let network else { return true }
        let isPartial = offload.checksumStart > 0
        peer.arrived.append(
            Frame(
                bytes: bytes, offload: ReceiveOffload(isChecksumValid: isPartial, isChecksumPartial: isPartial),
                due: network.now.advanced(by: network.delay)))
        return true
    }

    func flush() {}

    func receive(limit: Int, _ body: (RawSpan, ReceiveOffload) -> Void) -> Int {
        var count = 0
        while count < limit, let network, let frame = arrived.first, frame.due <= network.now {
            arrived.removeFirst()
            body(frame.bytes.raw, frame.offload)
            count += 1
        }
        return count
    }
}

/// Two hosts on one wire, in a time of their own.
final class TestNetwork {
    var now = Instant.start
    var delay = Duration.milliseconds(1)
    let links = [WireLink(0x0200_0000_0001), WireLink(0x0200_0000_0002)]
    let stacks: [NetStack]
    let interfaces: [NetworkInterface]
    static let a4 = IPAddress.v4(IPv4Address(10, 0, 0, 1)), b4 = IPAddress.v4(IPv4Address(10, 0, 0, 2))
    static let a6 = IPAddress.v6(IPv6Address(high: 0xfd00_0000_0000_0000, low: 1))
    static let b6 = IPAddress.v6(IPv6Address(high: 0xfd00_0000_0000_0000, low: 2))

    init(configuration: NetStack.Configuration = NetStack.Configuration(), offloads: LinkOffloads = [], seed: UInt64 = 1) {
        var random = SplitMix(state: seed)
        for link in links { link.offloads = offloads }
        stacks = links.map { _ in NetStack(configuration: configuration, seed: SipHash.Key(using: &random), now: .start) }
        interfaces = [stacks[0].add(links[0]), stacks[1].add(links[1])]
        links[0].peer = links[1]
        links[1].peer = links[0]
        for link in links { link.network = self }
        stacks[0].assign(Self.a4, prefixLength: 24, to: interfaces[0])
        stacks[1].assign(Self.b4, prefixLength: 24, to: interfaces[1])
        stacks[0].assign(Self.a6, prefixLength: 64, to: interfaces[0])
        stacks[1].assign(Self.b6, prefixLength: 64, to: interfaces[1])
    }

    var a: NetStack { stacks[0] }
    var b: NetStack { stacks[1] }

    /// Lets both hosts work at this moment until neither has anything to do.
    func settle() {
        for _ in 0..<1000 {
            var isIdle = true
            for stack in stacks {
                stack.advance(to: now)
                if stack.receive() > 0 { isIdle = false }
                if stack.isBusy { isIdle = false }
                stack.transmit()
            }
            if isIdle { return }
        }
        fatalError("the hosts do not come to rest")
    }

    /// Runs until `condition` holds or `limit` has passed; whether it held.
    func run(until limit: Duration = .seconds(10), _ condition: () -> Bool) -> Bool {
        let end = now.advanced(by: limit)
        while true {
            settle()
            if condition() { return true }
            var next = end
            for stack in stacks { next = min(next, max(stack.nextDeadline, now.advanced(by: .nanoseconds(1)))) }
            for link in links { if let frame = link.arrived.first { next = min(next, frame.due) } }
            guard next < end else {
                now = end
                settle()
                return condition()
            }
            now = next
        }
    }

    func run(for duration: Duration) { _ = run(until: duration) { false } }
}

extension TCPEndpoint {
    func write(_ bytes: [UInt8]) -> Int { write(bytes.raw) }

    func read() -> [UInt8] {
        let bytes = withReadable { first, rest in [UInt8](copying: first) + [UInt8](copying: rest) }
        if !bytes.isEmpty { consume(bytes.count) }
        return bytes
    }
}

extension TestNetwork {
    /// A segment that reaches the second host from a neighbor that is not there.
    func inject(_ header: TCPHeader, from source: IPv4Address, payload: [UInt8] = []) {
        guard case .v4(let destination) = Self.b4 else { return }
        var segment = bytes(header.byteCount) { writer throws(FormatError) in try header.write(into: &writer) } + payload
        var checksum = InternetChecksum.pseudoHeader(
            source: .v4(source), destination: .v4(destination), protocol: .tcp, byteCount: segment.count)
        checksum.add(segment.raw)
        segment[16] = UInt8(checksum.value >> 8)
        segment[17] = UInt8(truncatingIfNeeded: checksum.value)
        let headers = bytes(34) { writer throws(FormatError) in
            try EthernetHeader(destination: links[1].macAddress, source: MACAddress(rawValue: 0x0200_0000_0099), type: .ipv4)
                .write(into: &writer)
            try IPv4Header(source: source, destination: destination, protocol: .tcp, payloadByteCount: segment.count).write(into: &writer)
        }
        b.receive((headers + segment).raw, .none, from: interfaces[1])
    }

    func bytes(_ count: Int, _ body: (inout ByteWriter) throws(FormatError) -> Void) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        var writer = ByteWriter(&span)
        do throws(FormatError) { try body(&writer) } catch { fatalError("it does not fit") }
        return bytes
    }
}
