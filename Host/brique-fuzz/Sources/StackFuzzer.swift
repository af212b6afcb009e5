import Bytes
import DNSFormat
import Foundation
import NetFormats
import NetStack
import NetworkLink
import Random
import TCP
import Time

/// Two hosts that talk, over a wire that damages what it carries: every frame may be changed, cut, repeated or made up, with checksums that
/// are right again half of the time.
func fuzzStack(seed: UInt64, seconds: Double) -> String {
    var random = SplitMix(state: seed)
    let end = Date.now.addingTimeInterval(seconds)
    var worlds = 0, frames = 0, damaged = 0, connections = 0
    repeat {
        let world = DamagedWorld(seed: random.next())
        world.run(steps: 400)
        worlds += 1
        frames += world.frameCount
        damaged += world.damagedCount
        connections += world.connectionCount
    } while Date.now < end
    return "\(worlds) pairs of hosts, \(frames) frames, \(damaged) damaged, \(connections) connections"
}

/// Keeps what is sent until the world delivers it.
private final class HeldLink: NetworkLink {
    let macAddress: MACAddress
    let maximumTransmissionUnit = 1500
    let offloads: LinkOffloads
    var sent: [[UInt8]] = []

    init(_ address: UInt64, _ offloads: LinkOffloads) {
        macAddress = MACAddress(rawValue: address)
        self.offloads = offloads
    }

    func transmit(_ headers: RawSpan, _ payload: RawSpan, _ rest: RawSpan, _ offload: TransmitOffload) -> Bool {
        guard sent.count < 256 else { return false }
        var bytes = [UInt8](copying: headers)
        bytes.append(payload)
        bytes.append(rest)
        sent.append(bytes)
        return true
    }

    func flush() {}
    func receive(limit: Int, _ body: (RawSpan, ReceiveOffload) -> Void) -> Int { 0 }
}

private final class DamagedWorld {
    private var random: SplitMix
    private var now = Instant.start
    private let links: [HeldLink]
    private let stacks: [NetStack]
    private let interfaces: [NetworkInterface]
    private var endpoints: [TCPEndpoint] = []
    private var listeners: [TCPListeningEndpoint] = []
    private var ports: [UDPEndpoint] = []
    /// Frames of the past, to be spliced into others.
    private var memory: [[UInt8]] = []
    private(set) var frameCount = 0
    private(set) var damagedCount = 0
    private(set) var connectionCount = 0

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        let offloads: LinkOffloads = random.next() % 2 == 0 ? [] : [.transmitChecksum, .segmentation4, .segmentation6]
        links = [HeldLink(0x0200_0000_0001, offloads), HeldLink(0x0200_0000_0002, offloads)]
        var configuration = NetStack.Configuration()
        configuration.maximumConnectionCount = 64
        configuration.maximumTimeWaitCount = 8
        configuration.bufferByteLimit = 1 << 20
        var keys = random
        stacks = links.map { _ in NetStack(configuration: configuration, seed: SipHash.Key(using: &keys), now: .start) }
        random = keys
        interfaces = zip(stacks, links).map { $0.add($1) }
        for (index, stack) in stacks.enumerated() {
            let interface = interfaces[index]
            let last = UInt8(index + 1)
            stack.assign(.v4(IPv4Address(10, 0, 0, last)), prefixLength: 24, to: interface)
            stack.assign(.v6(IPv6Address(high: 0xfd << 56, low: UInt64(last))), prefixLength: 64, to: interface, isUnique: false)
            stack.startIPv6(on: interface)
            if random.next() % 4 == 0 { stack.startDHCP(on: interface, hostName: [97, 98]) }
            if let listener = try? stack.listenTCP(port: 80, backlog: 8) { listeners.append(listener) }
            if let port = try? stack.bindUDP(port: 53) { ports.append(port) }
        }
    }

    func run(steps: Int) {
        for _ in 0..<steps {
            act()
            for stack in stacks {
                stack.advance(to: now)
                stack.receive()
                stack.transmit()
            }
            carry(from: 0, to: 1)
            carry(from: 1, to: 0)
            now = now.advanced(by: .microseconds(Int64(random.next() % (random.next() % 20 == 0 ? 2_000_000 : 5_000))))
        }
        for stack in stacks { precondition(stack.connectionCount <= 64) }
    }

    // MARK: What programs do

    private func act() {
        let index = Int(random.next() % 2)
        let peer = index == 0 ? UInt8(2) : 1
        let address: IPAddress =
            random.next() % 2 == 0 ? .v4(IPv4Address(10, 0, 0, peer)) : .v6(IPv6Address(high: 0xfd << 56, low: UInt64(peer)))
        switch random.next() % 8 {
        case 0 where endpoints.count < 40:
            if let endpoint = try? stacks[index].connectTCP(to: SocketAddress(address: address, port: random.next() % 8 == 0 ? 81 : 80)) {
                endpoints.append(endpoint)
                connectionCount += 1
            }
        case 1: for listener in listeners { while let endpoint = listener.accept() { endpoints.append(endpoint) } }
        case 2, 3: if let endpoint = pick() { _ = endpoint.write(bytes(upTo: 20_000).raw) }
        case 4, 5:
            if let endpoint = pick() {
                let count = endpoint.withReadable { first, _ in first.byteCount }
                endpoint.consume(count)
            }
        case 6:
            guard let endpoint = pick(), random.next() % 4 == 0 else { return }
            switch random.next() % 3 {
            case 0: endpoint.finish()
            case 1: endpoint.close()
            default: endpoint.abort()
            }
            if random.next() % 2 == 0 { endpoints.removeAll { $0 === endpoint } }
        default:
            try? stacks[index].send(bytes(upTo: 4_000).raw, from: ports[index], to: SocketAddress(address: address, port: 53))
            for port in ports { while port.receive({ bytes, _ in bytes.byteCount }) != nil {} }
        }
        endpoints.removeAll { $0.control.isClosed }
    }

    private func pick() -> TCPEndpoint? { endpoints.isEmpty ? nil : endpoints[Int(random.next() % UInt64(endpoints.count))] }

    private func bytes(upTo limit: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: Int(random.next() % UInt64(limit)))
    }

    // MARK: What the wire does

    private func carry(from: Int, to: Int) {
        let frames = links[from].sent
        links[from].sent = []
        for frame in frames {
            frameCount += 1
            if memory.count < 64 { memory.append(frame) } else { memory[Int(random.next() % 64)] = frame }
            if random.next() % 8 != 0 { deliver(frame, to: to, isTrusted: true) }
            guard random.next() % 4 == 0 else { continue }
            damagedCount += 1
            var damaged = damage(frame)
            if random.next() % 2 == 0 { mendChecksums(&damaged) }
            deliver(damaged, to: to, isTrusted: random.next() % 2 == 0)
        }
    }

    private func deliver(_ frame: [UInt8], to: Int, isTrusted: Bool) {
        stacks[to].receive(frame.raw, ReceiveOffload(isChecksumValid: isTrusted), from: interfaces[to])
    }

    private func damage(_ frame: [UInt8]) -> [UInt8] {
        var bytes = frame
        for _ in 0...Int(random.next() % 3) where !bytes.isEmpty {
            // Headers are where it hurts.
            let reach = random.next() % 4 == 0 ? bytes.count : min(bytes.count, 90)
            let position = Int(random.next() % UInt64(reach))
            switch random.next() % 6 {
            case 0: bytes[position] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes[position] ^= 1 << UInt8(random.next() % 8)
            case 2: bytes.removeLast(Int(random.next() % UInt64(bytes.count)))
            case 3: bytes[position] = random.next() % 2 == 0 ? 0 : 0xff
            case 4:
                guard let other = memory.randomElement(using: &random), position < other.count else { continue }
                bytes.replaceSubrange(position..., with: other[position...])
            default: bytes.insert(contentsOf: [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: 8), at: position)
            }
        }
        return bytes
    }

    /// Makes the checksums of IPv4 and ICMP right, so that damage gets further.
    private func mendChecksums(_ bytes: inout [UInt8]) {
        guard bytes.count >= 34 else { return }
        if bytes[12] == 8, bytes[13] == 0 {
            let headerCount = Int(bytes[14] & 15) * 4
            guard headerCount >= 20, bytes.count >= 14 + headerCount else { return }
            mend(&bytes, 14..<14 + headerCount, at: 24, InternetChecksum())
            let total = 14 + (Int(bytes[16]) << 8 | Int(bytes[17]))
            if bytes[23] == 1, total <= bytes.count, total >= 14 + headerCount + 8 {
                mend(&bytes, 14 + headerCount..<total, at: 14 + headerCount + 2, InternetChecksum())
            }
        } else if bytes[12] == 0x86, bytes.count >= 62, bytes[20] == 58 {
            let total = 54 + (Int(bytes[18]) << 8 | Int(bytes[19]))
            guard total <= bytes.count, total >= 62 else { return }
            var reader = ByteReader(bytes.span)
            guard (try? reader.skip(22)) != nil, let source = try? IPv6Address(parsing: &reader),
                let destination = try? IPv6Address(parsing: &reader)
            else { return }
            let pseudo = InternetChecksum.pseudoHeader(
                source: .v6(source), destination: .v6(destination), protocol: .icmpv6, byteCount: total - 54)
            mend(&bytes, 54..<total, at: 56, pseudo)
        }
    }

    private func mend(_ bytes: inout [UInt8], _ range: Range<Int>, at place: Int, _ start: InternetChecksum) {
        bytes[place] = 0
        bytes[place + 1] = 0
        var checksum = start
        checksum.add(bytes.raw.extracting(range))
        bytes[place] = UInt8(checksum.value >> 8)
        bytes[place + 1] = UInt8(truncatingIfNeeded: checksum.value)
    }
}
