import NetFormats
import NetStack
import NetworkLink
import Random
import TCP
import Testing
import Time

struct NetStackTCPTests {
    static let addresses = [TestNetwork.b4, TestNetwork.b6]

    /// A connection from the first host to the second, both ends.
    func connect(_ network: TestNetwork, to address: IPAddress = TestNetwork.b4, port: UInt16 = 80) throws -> (TCPEndpoint, TCPEndpoint) {
        let listener = try network.b.listenTCP(port: port)
        let client = try network.a.connectTCP(to: SocketAddress(address: address, port: port))
        var server: TCPEndpoint?
        #expect(
            network.run {
                if server == nil { server = listener.accept() }
                return server != nil && client.control.state == .established
            })
        return (client, try #require(server))
    }

    @Test(arguments: addresses) func `bytes go both ways and the connection ends in order`(address: IPAddress) throws {
        let network = TestNetwork()
        let (client, server) = try connect(network, to: address)
        let request = [UInt8]("hello".utf8), answer = [UInt8](repeating: 7, count: 100_000)
        #expect(client.write(request) == request.count)
        client.finish()
        var received: [UInt8] = [], sent = 0, seen: [UInt8] = []
        let isDone = network.run {
            received += server.read()
            if received == request, sent < answer.count {
                sent += server.write(Array(answer[sent...]))
                if sent == answer.count { server.finish() }
            }
            seen += client.read()
            return seen.count == answer.count && client.control.isEndOfStream
        }
        #expect(isDone && seen == answer)
        client.close()
        server.close()
        network.run(for: .seconds(120))
        #expect(network.a.connectionCount == 0 && network.b.connectionCount == 0)
    }

    @Test(arguments: [LinkOffloads.transmitChecksum, [.transmitChecksum, .segmentation4, .segmentation6]])
    func `offloads change nothing but the frames`(offloads: LinkOffloads) throws {
        let network = TestNetwork(offloads: offloads)
        let (client, server) = try connect(network)
        var random = SplitMix(state: 3)
        let bytes = (0..<1_000_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        var sent = 0, received: [UInt8] = []
        received.reserveCapacity(bytes.count)
        let isDone = network.run(until: .seconds(60)) {
            if sent < bytes.count { sent += client.write(Array(bytes[sent..<min(sent + 65_536, bytes.count)])) }
            received += server.read()
            return received.count == bytes.count
        }
        #expect(isDone && received == bytes)
    }

    @Test func `nobody there is a refusal, no host there is unreachable`() throws {
        let network = TestNetwork()
        let refused = try network.a.connectTCP(to: SocketAddress(address: TestNetwork.b4, port: 81))
        #expect(network.run { refused.control.failure == .refused })
        let silent = try network.a.connectTCP(to: SocketAddress(address: .v4(IPv4Address(10, 0, 0, 9)), port: 80))
        #expect(network.run(until: .seconds(4)) { silent.control.failure == .unreachable })
        #expect(throws: TCPOpenFailure.unreachable) {
            try network.a.connectTCP(to: SocketAddress(address: .v4(IPv4Address(192, 0, 2, 1)), port: 80))
        }
        network.run(for: .seconds(1))
        #expect(network.a.connectionCount == 0)
    }

    @Test(arguments: [IPAddress.v4(.loopback), .v6(.loopback)]) func `the loopback carries connections`(address: IPAddress) throws {
        let network = TestNetwork()
        let listener = try network.a.listenTCP(port: 7)
        let client = try network.a.connectTCP(to: SocketAddress(address: address, port: 7))
        var server: TCPEndpoint?
        #expect(
            network.run {
                if server == nil { server = listener.accept() }
                return server != nil
            })
        #expect(client.write([1, 2, 3]) == 3)
        #expect(network.run { server?.read() == [1, 2, 3] })
    }

    @Test func `a flood of SYNs leaves what stands alone, and a true client gets in by a cookie`() throws {
        let network = TestNetwork()
        let (client, server) = try connect(network)
        var random = SplitMix(state: 9)
        for _ in 0..<2_000 {
            var header = TCPHeader(
                sourcePort: UInt16.random(in: 1024...65535, using: &random), destinationPort: 80,
                sequenceNumber: SequenceNumber(rawValue: UInt32.random(in: 0...(.max), using: &random)), flags: .syn, window: 1000)
            header.options.maximumSegmentSize = 1460
            network.inject(header, from: IPv4Address(rawValue: UInt32.random(in: 0x0a00_0003...0x0a00_00fe, using: &random)))
        }
        network.run(for: .milliseconds(10))
        #expect(network.b.counts.cookiesSent > 1_000 && network.b.connectionCount <= TCPListeningEndpoint.halfOpenLimit + 1)
        #expect(client.write([1]) == 1)
        #expect(network.run { server.read() == [1] })
        let late = try network.a.connectTCP(to: SocketAddress(address: TestNetwork.b4, port: 80))
        #expect(network.run { late.control.state == .established })
        #expect(late.write([5]) == 1)
        #expect(network.run { network.b.counts.cookiesAccepted == 1 })
    }

    @Test func `clients beyond the backlog wait for their turn and are not refused`() throws {
        let network = TestNetwork()
        let listener = try network.b.listenTCP(port: 80, backlog: 2)
        let clients = try (0..<8).map { _ in try network.a.connectTCP(to: SocketAddress(address: TestNetwork.b4, port: 80)) }
        network.run(for: .milliseconds(100))
        for (index, client) in clients.enumerated() {
            #expect(client.control.failure == nil)
            let written = client.write([UInt8(index)])
            #expect(written == 1)
        }
        var received: [UInt8] = []
        var servers: [TCPEndpoint] = []
        _ = network.run(until: .seconds(30)) {
            if let server = listener.accept() { servers.append(server) }
            for server in servers { received += server.read() }
            return received.count == clients.count
        }
        #expect(received.sorted() == [0, 1, 2, 3, 4, 5, 6, 7])
        #expect(clients.allSatisfy { $0.control.failure == nil } && network.b.counts.resetsSent == 0)
    }

    @Test func `ten thousand connections open and close and leave nothing`() throws {
        let network = TestNetwork()
        network.delay = .microseconds(1)
        let listener = try network.b.listenTCP(port: 80, backlog: 100)
        var opened = 0
        for _ in 0..<2_000 {
            let client = try network.a.connectTCP(to: SocketAddress(address: TestNetwork.b4, port: 80))
            var server: TCPEndpoint?
            _ = network.run {
                if server == nil { server = listener.accept() }
                return server != nil && client.control.state == .established
            }
            if server != nil { opened += 1 }
            client.close()
            server?.close()
            network.settle()
        }
        #expect(opened == 2_000)
        network.run(for: .seconds(130))
        #expect(network.a.connectionCount == 0 && network.b.connectionCount == 0)
    }
}
