import Bytes
import DNSFormat
import Glibc
import NetFormats
import Random
import Testing
import Time

@testable import UserNetwork

@Suite(.serialized) struct TCPFlowTests {
    /// Sends `up` to the host and `down` to the instance at once, and expects both whole.
    func exchange(_ instance: TestInstance, _ connection: TestInstance.Connection, _ client: () -> HostSocket?, up: [UInt8], down: [UInt8])
    {
        connection.unsent = up
        connection.finishes = true
        let buffer = TransferBuffer(byteCount: 1 << 20)
        var arrived: [UInt8] = []
        var sent = 0
        var hasEnded = false
        instance.wait(30) {
            guard let client = client() else { return false }
            while !hasEnded {
                guard let bytes = client.read(buffer) else {
                    hasEnded = true
                    break
                }
                if bytes.isEmpty { break }
                arrived += bytes
            }
            while sent < down.count {
                let count = client.write(down[sent..<min(down.count, sent + 100_000)])
                if count == 0 { break }
                sent += count
                if sent == down.count { client.shutdownWriting() }
            }
            return hasEnded && connection.block.isEndOfStream && connection.received.count >= down.count
        }
        #expect(arrived == up && connection.received == down)
    }

    @Test(arguments: [InstanceFraming.virtio, .plain])
    func `bytes reach the host's server and come back, with their ends`(framing: InstanceFraming) throws {
        var configuration = UserNetworkConfiguration()
        configuration.framing = framing
        let instance = try TestInstance(configuration)
        let server = try TestServer(.tcp)
        let connection = instance.connect(from: 40_000, to: SocketAddress(UserNetworkLayout.gateway, port: server.port))
        let accept = { () -> HostSocket? in
            server.accept()
            return server.clients.first
        }
        let count = framing == .virtio ? 8_000_000 : 1_000_000
        exchange(instance, connection, accept, up: noise(count, seed: 1), down: noise(count + 1, seed: 2))
        instance.wait { instance.network.connectionCount == 0 }
    }

    @Test func `bytes travel by IPv6 too`() throws {
        let instance = try TestInstance()
        let server = try TestServer(.tcp, isIPv6: true)
        let connection = instance.connect(from: 40_000, to: SocketAddress(UserNetworkLayout.gateway6, port: server.port), source: guest6)
        let accept = { () -> HostSocket? in
            server.accept()
            return server.clients.first
        }
        exchange(instance, connection, accept, up: noise(1_000_000, seed: 3), down: noise(1_000_001, seed: 4))
    }

    @Test func `many short connections leave nothing behind`() throws {
        let instance = try TestInstance()
        let server = try TestServer(.tcp)
        let buffer = TransferBuffer(byteCount: 4096)
        for index in 0..<200 as Range<UInt16> {
            let connection = instance.connect(from: 20_000 + index, to: SocketAddress(UserNetworkLayout.gateway, port: server.port))
            connection.unsent = [1, 2, 3]
            instance.wait {
                server.accept()
                guard let client = server.clients.last else { return false }
                guard client.read(buffer)?.count == 3 else { return false }
                _ = client.write([4, 5])
                client.close()
                server.clients = []
                return true
            }
            connection.finishes = true
            instance.wait { connection.block.isEndOfStream && connection.received == [4, 5] }
            instance.connections[20_000 + index] = nil
        }
        instance.wait { instance.network.connectionCount == 0 }
    }

    @Test func `a refused connection is refused, a reset one is reset`() throws {
        let instance = try TestInstance()
        let server = try TestServer(.tcp)
        let closed = try TestServer(.udp)
        let refused = instance.connect(from: 40_001, to: SocketAddress(UserNetworkLayout.gateway, port: closed.port))
        instance.wait { refused.block.failure == .refused }
        let reset = instance.connect(from: 40_002, to: SocketAddress(UserNetworkLayout.gateway, port: server.port))
        instance.wait {
            server.accept()
            return !server.clients.isEmpty && reset.block.state.isSynchronized
        }
        server.clients.removeLast().reset()
        instance.wait { reset.block.failure == .reset }
        let given = instance.connect(from: 40_003, to: SocketAddress(UserNetworkLayout.gateway, port: server.port))
        instance.wait {
            server.accept()
            return !server.clients.isEmpty && given.block.state.isSynchronized
        }
        given.block.abort()
        let buffer = TransferBuffer(byteCount: 16)
        instance.wait {
            if case .failed(ECONNRESET) = server.clients[0].receive(into: buffer, limit: 16) { true } else { false }
        }
    }

    @Test func `what is not there is unreachable`() throws {
        let instance = try TestInstance()
        _ = instance.connect(from: 40_000, to: SocketAddress(IPv4Address(10, 0, 2, 99), port: 80))
        instance.wait { instance.packets.contains { $0.transport == .icmp } }
        let packet = try #require(instance.packets.first { $0.transport == .icmp })
        var reader = ByteReader(packet.bytes.span)
        #expect(try ICMPv4Message(parsing: &reader) == .destinationUnreachable(.host))
        let quoted = try QuotedPacket(parsingIPv4: &reader)
        #expect(quoted.transport?.sourcePort == 40_000 && quoted.transport?.destinationPort == 80 && quoted.source == guest4)
    }

    @Test(arguments: [UserNetworkConfiguration.Reach.host, .nobody])
    func `an instance reaches no further than it may`(reach: UserNetworkConfiguration.Reach) throws {
        var configuration = UserNetworkConfiguration()
        configuration.reach = reach
        let instance = try TestInstance(configuration)
        let server = try TestServer(.tcp)
        let near = instance.connect(from: 40_000, to: SocketAddress(UserNetworkLayout.gateway, port: server.port))
        _ = instance.connect(from: 40_001, to: SocketAddress(IPv4Address(192, 0, 2, 1), port: 80))
        let reports = reach == .host ? 1 : 2
        instance.wait { instance.packets.filter { $0.transport == .icmp }.count == reports }
        if reach == .host { instance.wait { near.block.state.isSynchronized } }
    }

    @Test func `a host that does not read stops the instance, and it goes on later`() throws {
        let instance = try TestInstance()
        let server = try TestServer(.tcp)
        let connection = instance.connect(from: 40_000, to: SocketAddress(UserNetworkLayout.gateway, port: server.port))
        connection.unsent = Array(repeating: 5, count: 32 << 20)
        connection.finishes = true
        let end = HostClock.monotonic.advanced(by: .seconds(2))
        instance.wait {
            server.accept()
            return HostClock.monotonic > end
        }
        #expect(connection.sentCount < connection.unsent.count && !server.clients.isEmpty)
        let buffer = TransferBuffer(byteCount: 1 << 20)
        var count = 0
        instance.wait(30) {
            while let bytes = server.clients[0].read(buffer), !bytes.isEmpty { count += bytes.count }
            return count == connection.unsent.count
        }
    }

    @Test func `clients of a published port wait for the instance, then reach it`() throws {
        let free = try TestServer(.tcp)
        let port = free.port
        free.socket.close()
        let published = PublishedPort(hostPort: port, guestPort: 80)
        let instance = try TestInstance(publishing: [published])
        #expect(throws: UserNetworkError.cannotPublish(published, errno: EADDRINUSE)) { _ = try PublishedSockets([published]) }
        for isIPv6 in [false, true] {
            let client = try #require(HostSocket(.tcp, isIPv6: isIPv6))
            defer { client.close() }
            let loopback: IPAddress = isIPv6 ? .v6(.loopback) : .v4(.loopback)
            _ = client.connect(to: SocketAddress(address: loopback, port: port))
            if !isIPv6 {
                // It is asked for; it answers as a stack does.
                instance.wait { instance.packets.contains { $0.type == .arp } }
                let reply = ARPPacket(
                    operation: .reply, senderHardware: TestInstance.hardware, sender: UserNetworkLayout.instance,
                    targetHardware: UserNetworkLayout.gatewayHardware, target: UserNetworkLayout.gateway)
                instance.send(.arp, UserNetwork.written(28) { (writer) throws(FormatError) in try reply.write(into: &writer) })
            }
            instance.connections = [:]
            instance.listeningPort = 80
            instance.wait { instance.connections.values.first?.block.state.isSynchronized == true }
            let connection = try #require(instance.connections.values.first)
            exchange(instance, connection, { client }, up: noise(300_000, seed: 6), down: noise(300_001, seed: 7))
        }
    }
}

@Suite(.serialized) struct DatagramFlowTests {
    func payload(_ packet: TestInstance.Packet) -> [UInt8]? {
        guard packet.transport == .udp else { return nil }
        var reader = ByteReader(packet.bytes.span)
        guard (try? UDPHeader(parsing: &reader)) != nil else { return nil }
        return TestInstance.copy(reader.unread)
    }

    func parse(_ bytes: [UInt8]) throws -> DNSMessage {
        var reader = ByteReader(bytes.span)
        return try DNSMessage(parsing: &reader)
    }

    @Test func `datagrams reach the host and come back, large ones in fragments`() throws {
        let instance = try TestInstance()
        let server = try TestServer(.udp)
        let remote = SocketAddress(UserNetworkLayout.gateway, port: server.port)
        instance.sendUDP(SocketAddress(UserNetworkLayout.instance, port: 5000), remote, [1, 2, 3])
        let buffer = TransferBuffer(byteCount: 65_536)
        var client: SocketAddress?
        instance.wait {
            let (outcome, source) = server.socket.receive(into: buffer)
            client = source
            return outcome == .done(3)
        }
        let large = noise(4000, seed: 8)
        let peer = try #require(client)
        for bytes in [[4, 5], large] {
            _ = server.socket.send(ByteReader(bytes.span).unread, ByteReader(bytes.span).unread.extracting(first: 0), to: peer)
        }
        instance.wait { instance.packets.filter { $0.transport == .udp }.count == 4 }
        #expect(payload(instance.packets[0]) == [4, 5])
        let fragments = instance.packets.dropFirst().reduce(into: []) { $0 += $1.bytes }
        #expect(Array(fragments.dropFirst(8)) == large)
    }

    @Test func `a closed port is reported`() throws {
        let instance = try TestInstance()
        let server = try TestServer(.tcp)
        instance.sendUDP(
            SocketAddress(UserNetworkLayout.instance, port: 5000), SocketAddress(UserNetworkLayout.gateway, port: server.port), [1])
        instance.wait { instance.packets.contains { $0.transport == .icmp } }
        let bytes = instance.packets[0].bytes
        var reader = ByteReader(bytes.span)
        #expect(try ICMPv4Message(parsing: &reader) == .destinationUnreachable(.port))
    }

    @Test func `names are asked of the host's server, or known`() throws {
        let server = try TestServer(.udp)
        var configuration = UserNetworkConfiguration()
        configuration.nameServers = [SocketAddress(IPv4Address.loopback, port: server.port)]
        configuration.hosts = [(DNSName("host.internal")!, [.v4(UserNetworkLayout.gateway)])]
        let instance = try TestInstance(configuration)
        let resolver = SocketAddress(UserNetworkLayout.nameServer, port: 53)
        let own = SocketAddress(UserNetworkLayout.instance, port: 5000)
        instance.sendUDP(own, resolver, DNSMessage(identifier: 9, query: DNSQuestion(name: DNSName("Host.internal")!, type: .a)).bytes())
        instance.wait { instance.first(payload) != nil }
        let answer = try parse(try #require(instance.first(payload)))
        #expect(answer.answers.map(\.data) == [.a(UserNetworkLayout.gateway)])
        let query = DNSMessage(identifier: 10, query: DNSQuestion(name: DNSName("example.org")!, type: .a)).bytes()
        instance.packets = []
        instance.sendUDP(own, resolver, query)
        let buffer = TransferBuffer(byteCount: 2048)
        instance.wait {
            let (outcome, source) = server.socket.receive(into: buffer)
            guard outcome == .done(query.count), let source else { return false }
            _ = server.socket.send(ByteReader(query.span).unread, ByteReader(query.span).unread.extracting(first: 0), to: source)
            return true
        }
        instance.wait { instance.first(payload) == query && instance.packets.first?.source == resolver.address }
    }

    @Test func `a published port of UDP leads both ways`() throws {
        let free = try TestServer(.udp)
        let port = free.port
        free.socket.close()
        let published = PublishedPort(hostAddress: .v4(.loopback), hostPort: port, guestPort: 7, transport: .udp)
        let instance = try TestInstance(publishing: [published])
        let client = try TestServer(.udp)
        let target = SocketAddress(IPv4Address.loopback, port: port)
        instance.sendUDP(
            SocketAddress(UserNetworkLayout.instance, port: 1), SocketAddress(UserNetworkLayout.gateway, port: client.port), [0])
        let bytes: [UInt8] = [7, 8, 9]
        _ = client.socket.send(ByteReader(bytes.span).unread, ByteReader(bytes.span).unread.extracting(first: 0), to: target)
        instance.wait { instance.first(payload) == bytes }
        let packet = try #require(instance.packets.first { $0.transport == .udp })
        var reader = ByteReader(packet.bytes.span)
        let header = try UDPHeader(parsing: &reader)
        #expect(header.destinationPort == 7 && packet.source == gateway4)
        instance.sendUDP(
            SocketAddress(UserNetworkLayout.instance, port: 7), SocketAddress(UserNetworkLayout.gateway, port: header.sourcePort), [1])
        let buffer = TransferBuffer(byteCount: 64)
        instance.wait { if case (.done(1), target) = client.socket.receive(into: buffer) { true } else { false } }
    }

    @Test func `conversations are bounded, the oldest makes room`() throws {
        let instance = try TestInstance()
        let server = try TestServer(.udp)
        let remote = SocketAddress(UserNetworkLayout.gateway, port: server.port)
        for index in 0..<UserNetwork.datagramFlowLimit + 100 {
            instance.sendUDP(SocketAddress(UserNetworkLayout.instance, port: UInt16(10_000 + index)), remote, [1])
            instance.link.resume()
            if index % 8 == 0 { usleep(500) }
        }
        instance.wait { instance.network.conversationCount == UserNetwork.datagramFlowLimit }
    }
}

@Suite(.serialized) struct HostileInstanceTests {
    @Test func `no frames make it trap, and it serves on`() throws {
        // Damaged addresses lead to strangers.
        var configuration = UserNetworkConfiguration()
        configuration.reach = .host
        let instance = try TestInstance(configuration)
        var random = SplitMix(state: 0xf4a3)
        let tcp = UserNetwork.written(40) { (writer) throws(FormatError) in
            try IPv4Header(source: UserNetworkLayout.instance, destination: UserNetworkLayout.gateway, protocol: .tcp, payloadByteCount: 20)
                .write(into: &writer)
            try TCPHeader(sourcePort: 1, destinationPort: 1, sequenceNumber: SequenceNumber(rawValue: 1), flags: .syn).write(into: &writer)
        }
        let samples: [(EtherType, [UInt8])] = [
            (.ipv4, tcp), (.arp, noise(28, seed: 1)), (.ipv6, [0x60] + noise(80, seed: 2)), (.ipv4, [0x45] + noise(60, seed: 3)),
        ]
        let end = HostClock.monotonic.advanced(by: .seconds(1))
        while HostClock.monotonic < end {
            var (type, bytes) = samples.randomElement(using: &random)!
            for _ in 0..<Int(random.next() % 5) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 3 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            if type == .ipv4, bytes.count >= 20, random.next() % 4 > 0 { repair(&bytes) }
            if random.next() % 16 == 0 { type = EtherType(rawValue: UInt16(truncatingIfNeeded: random.next())) }
            instance.send(type, bytes, segmentSize: Int(random.next() % 3) * 1000, headers: 54)
            instance.link.resume()
            _ = instance.link.receive(at: WallTime(nanosecondsSince1970: 0)) { _, _ in }
        }
        let server = try TestServer(.tcp)
        instance.wait {
            instance.link.resume()
            return instance.link.receive(at: WallTime(nanosecondsSince1970: 0)) { _, _ in } == 0 && !instance.link.isFull
        }
        let connection = instance.connect(from: 40_000, to: SocketAddress(UserNetworkLayout.gateway, port: server.port))
        instance.wait { connection.block.state.isSynchronized }
    }

    /// A right length and checksum, so that more than the header is looked at.
    func repair(_ bytes: inout [UInt8]) {
        bytes[0] = 0x45
        bytes[2...3] = [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xff)]
        bytes[10...11] = [0, 0]
        var sum = InternetChecksum()
        sum.add(ByteReader(bytes.span).unread.extracting(first: 20))
        bytes[10...11] = [UInt8(sum.value >> 8), UInt8(sum.value & 0xff)]
    }

    @Test func `it ends with the instance`() throws {
        let (one, two) = try SocketPair.make(isSequenced: true)
        let network = try UserNetwork(instanceSocket: two.descriptor)
        let thread = try #require(TestThread.start { network.run() })
        one.close()
        pthread_join(thread, nil)
        two.close()
    }
}
