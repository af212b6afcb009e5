import Bytes
import DNSFormat
import Glibc
import NetFormats
import TCP
import Testing
import Time
import VirtioFormat

@testable import UserNetwork

/// An instance's side of the socket, with as much of a stack as the tests need.
final class TestInstance {
    static let hardware = MACAddress("02:00:00:00:00:15")!

    let link: InstanceLink
    let network: UserNetwork
    let framing: InstanceFraming
    private let socket: HostSocket
    private let other: HostSocket
    private var thread: pthread_t?
    /// What came that belongs to no connection.
    var packets: [Packet] = []
    var connections: [UInt16: Connection] = [:]
    /// A listening port's fresh connections.
    var listeningPort: UInt16?

    struct Packet {
        var type: EtherType
        var transport: IPProtocol
        var source: IPAddress?
        var destination: IPAddress?
        var bytes: [UInt8]
        var frame: [UInt8]
    }

    final class Connection {
        var block: TCPControlBlock
        var received: [UInt8] = []
        var unsent: [UInt8] = []
        var sentCount = 0
        var finishes = false
        init(_ block: TCPControlBlock) { self.block = block }
    }

    init(_ configuration: UserNetworkConfiguration = UserNetworkConfiguration(), publishing ports: [PublishedPort] = []) throws {
        let (one, two) = try SocketPair.make(isSequenced: configuration.framing == .virtio)
        socket = one
        other = two
        framing = configuration.framing
        link = InstanceLink(descriptor: one.descriptor, framing: configuration.framing)
        network = try UserNetwork(instanceSocket: two.descriptor, configuration: configuration, published: try PublishedSockets(ports))
        thread = TestThread.start { [network] in network.run() }
    }

    deinit {
        network.stop()
        if let thread { pthread_join(thread, nil) }
        socket.close()
        other.close()
    }

    // MARK: Out

    func send(
        _ type: EtherType, to destination: MACAddress = UserNetworkLayout.gatewayHardware, _ payload: [UInt8], segmentSize: Int = 0,
        headers: Int = 0
    ) {
        var header = VirtioNetHeader()
        header.bufferCount = 1
        if segmentSize > 0 {
            header.needsChecksum = true
            header.segmentation = type == .ipv6 ? .tcp6 : .tcp4
            header.segmentSize = UInt16(segmentSize)
            header.headerByteCount = UInt16(headers)
        }
        let frame = UserNetwork.written(26 + payload.count) { (writer) throws(FormatError) in
            if self.framing == .virtio { try header.write(into: &writer) }
            try EthernetHeader(destination: destination, source: Self.hardware, type: type).write(into: &writer)
            try writer.write(ByteReader(payload.span).unread)
        }
        let count = (framing == .virtio ? 26 : 14) + payload.count
        _ = link.send(
            ByteReader(frame.span).unread.extracting(first: count), ByteReader(frame.span).unread.extracting(first: 0),
            ByteReader(frame.span).unread.extracting(first: 0), at: WallTime(nanosecondsSince1970: 0))
        link.flush()
    }

    /// An IP packet around `transport`, which is complete.
    func send(
        _ source: IPAddress, _ destination: IPAddress, _ transport: IPProtocol, _ bytes: [UInt8], hopLimit: UInt8 = 64,
        segmentSize: Int = 0, headers: Int = 0
    ) {
        switch (source, destination) {
        case (.v4(let source), .v4(let destination)):
            let packet = UserNetwork.written(20 + bytes.count) { (writer) throws(FormatError) in
                try IPv4Header(source: source, destination: destination, protocol: transport, payloadByteCount: bytes.count).write(
                    into: &writer)
                try writer.write(ByteReader(bytes.span).unread)
            }
            send(.ipv4, packet, segmentSize: segmentSize, headers: headers + 34)
        case (.v6(let source), .v6(let destination)):
            let packet = UserNetwork.written(40 + bytes.count) { (writer) throws(FormatError) in
                var header = IPv6Header(source: source, destination: destination, nextHeader: transport, payloadByteCount: bytes.count)
                header.hopLimit = hopLimit
                try header.write(into: &writer)
                try writer.write(ByteReader(bytes.span).unread)
            }
            send(.ipv6, packet, segmentSize: segmentSize, headers: headers + 54)
        default: Issue.record("two families")
        }
    }

    func sendUDP(_ source: SocketAddress, _ destination: SocketAddress, _ payload: [UInt8]) {
        var sum = InternetChecksum.pseudoHeader(
            source: source.address, destination: destination.address, protocol: .udp, byteCount: 8 + payload.count)
        for word in [source.port, destination.port, UInt16(8 + payload.count)] { sum.add(word) }
        sum.add(ByteReader(payload.span).unread)
        let bytes = UserNetwork.written(8 + payload.count) { (writer) throws(FormatError) in
            try UDPHeader(
                sourcePort: source.port, destinationPort: destination.port, payloadByteCount: payload.count, checksum: sum.valueForUDP
            ).write(into: &writer)
            try writer.write(ByteReader(payload.span).unread)
        }
        send(source.address, destination.address, .udp, bytes)
    }

    // MARK: TCP

    func connect(from port: UInt16, to remote: SocketAddress, source: IPAddress = .v4(UserNetworkLayout.instance)) -> Connection {
        let local = SocketAddress(address: source, port: port)
        let block = TCPControlBlock(
            connectingFrom: local, to: remote, initialSequenceNumber: SequenceNumber(rawValue: UInt32(port) &* 77_777),
            configuration: blockConfiguration,
            now: HostClock.monotonic)
        let connection = Connection(block)
        connections[port] = connection
        serve()
        return connection
    }

    private var blockConfiguration: TCPControlBlock.Configuration {
        var configuration = TCPControlBlock.Configuration()
        configuration.maximumSegmentSize = 1440
        return configuration
    }

    private func serve() {
        for connection in connections.values { serve(connection) }
    }

    private func serve(_ connection: Connection) {
        let now = HostClock.monotonic
        _ = connection.block.tick(now: now)
        connection.block.withReadable { first, second in
            for span in [0, 1] {
                var reader = ByteReader(span == 0 ? first : second)
                while reader.remainingByteCount >= 8 {
                    let word = (try? reader.read(UInt64.self, .little)) ?? 0
                    for shift in 0..<8 { connection.received.append(UInt8(truncatingIfNeeded: word >> UInt64(shift * 8))) }
                }
                while let byte = try? reader.read(UInt8.self, .little) { connection.received.append(byte) }
            }
        }
        connection.block.consume(connection.block.readableByteCount)
        if connection.sentCount < connection.unsent.count, connection.block.state.isSynchronized {
            let rest = ByteReader(connection.unsent.span).unread.extracting(droppingFirst: connection.sentCount)
            connection.sentCount += connection.block.write(rest)
        }
        if connection.finishes, connection.sentCount == connection.unsent.count { connection.block.finish() }
        transmit(connection, now)
    }

    private func transmit(_ connection: Connection, _ now: Instant) {
        link.resume()
        while !link.isFull, let next = connection.block.nextTransmission(now: now, maximumByteCount: framing == .virtio ? 60_000 : 0) {
            var payload: [UInt8] = []
            connection.block.withPayload(of: next) { first, second in
                payload = UserNetwork.written(first.byteCount + second.byteCount) { (writer) throws(FormatError) in
                    try writer.write(first)
                    try writer.write(second)
                }
            }
            let local = connection.block.local.address
            let remote = connection.block.remote.address
            var sum = InternetChecksum.pseudoHeader(
                source: local, destination: remote, protocol: .tcp, byteCount: next.header.byteCount + payload.count)
            let bare = UserNetwork.written(next.header.byteCount) { (writer) throws(FormatError) in try next.header.write(into: &writer) }
            sum.add(ByteReader(bare.span).unread)
            sum.add(ByteReader(payload.span).unread)
            let header = UserNetwork.written(next.header.byteCount) { (writer) throws(FormatError) in
                try next.header.write(into: &writer, checksum: sum.value)
            }
            let isLong = payload.count > next.segmentSize
            send(local, remote, .tcp, header + payload, segmentSize: isLong ? next.segmentSize : 0, headers: header.count)
        }
    }

    // MARK: In

    /// Serves connections and collects packets until `condition` holds. Records an issue after `seconds`.
    func wait(_ seconds: Double = 10, sourceLocation: SourceLocation = #_sourceLocation, until condition: () throws -> Bool) rethrows {
        let end = HostClock.monotonic.advanced(by: .milliseconds(Int(seconds * 1000)))
        while try !condition() {
            guard HostClock.monotonic < end else {
                Issue.record("nothing came in \(seconds) s", sourceLocation: sourceLocation)
                return
            }
            let count = link.receive(at: WallTime(nanosecondsSince1970: 0)) { frame, header in handle(frame, header) }
            serve()
            if count == 0 { usleep(200) }
        }
    }

    private func handle(_ frame: RawSpan, _ offload: VirtioNetHeader) {
        var reader = ByteReader(frame)
        guard let ethernet = try? EthernetHeader(parsing: &reader) else { return }
        var packet = Packet(type: ethernet.type, transport: .noNextHeader, bytes: Self.copy(reader.unread), frame: Self.copy(frame))
        switch ethernet.type {
        case .ipv4:
            guard let header = try? IPv4Header(parsing: &reader) else { return }
            packet.transport = header.protocol
            (packet.source, packet.destination) = (.v4(header.source), .v4(header.destination))
            packet.bytes = Self.copy(reader.unread.extracting(first: header.payloadByteCount))
        case .ipv6:
            guard let header = try? IPv6Header(parsing: &reader) else { return }
            packet.transport = header.nextHeader
            (packet.source, packet.destination) = (.v6(header.source), .v6(header.destination))
            packet.bytes = Self.copy(reader.unread.extracting(first: header.payloadByteCount))
        default: break
        }
        if framing == .plain, let source = packet.source, let destination = packet.destination,
            packet.transport == .tcp || packet.transport == .udp
        {
            #expect(frame.byteCount <= 1514)
            var sum = InternetChecksum.pseudoHeader(
                source: source, destination: destination, protocol: packet.transport, byteCount: packet.bytes.count)
            sum.add(ByteReader(packet.bytes.span).unread)
            #expect(sum.value == 0)
        }
        guard packet.transport == .tcp, deliver(packet) else { return packets.append(packet) }
    }

    private func deliver(_ packet: Packet) -> Bool {
        var reader = ByteReader(packet.bytes.span)
        guard let header = try? TCPHeader(parsing: &reader), let source = packet.source, let destination = packet.destination else {
            return false
        }
        if header.destinationPort == listeningPort, header.flags == .syn {
            let connection = Connection(
                TCPControlBlock(
                    accepting: header, local: SocketAddress(address: destination, port: header.destinationPort),
                    remote: SocketAddress(address: source, port: header.sourcePort), initialSequenceNumber: SequenceNumber(rawValue: 5),
                    configuration: blockConfiguration, now: HostClock.monotonic))
            connections[header.sourcePort] = connection
            return true
        }
        guard let connection = connections[header.destinationPort] ?? connections[header.sourcePort] else { return false }
        _ = connection.block.handle(header, reader.unread, now: HostClock.monotonic)
        return true
    }

    static func copy(_ span: RawSpan) -> [UInt8] {
        UserNetwork.written(span.byteCount) { (writer) throws(FormatError) in try writer.write(span) }
    }

    /// The first packet that `body` makes something of.
    func first<Value>(_ body: (Packet) -> Value?) -> Value? {
        for packet in packets { if let value = body(packet) { return value } }
        return nil
    }
}
