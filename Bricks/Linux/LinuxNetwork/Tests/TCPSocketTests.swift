import Errno
import LinuxNetwork
import Testing
import VFS

struct TCPSocketTests {
    let fixture = Fixture()

    @Test func `bytes go both ways, and the end is seen`() throws {
        let (_, client, server) = try fixture.connection(ipv4(127, 0, 0, 1, 0), .inet)
        let witness = Witness()
        server.observers.add(witness)
        #expect(server.tryReceive() == .failure(.eagain))
        #expect(client.trySend([1, 2, 3]) == .success(3))
        fixture.run()
        #expect(witness.events.contains(.input))
        #expect(server.readableByteCount == 3)
        #expect(server.tryReceive(2, .peek) == .success([1, 2]))
        #expect(server.tryReceive(2) == .success([1, 2]))
        #expect(server.tryReceive() == .success([3]))
        #expect(server.trySend([9]) == .success(1))
        try client.shutDown(1)
        #expect(client.trySend([4]) == .failure(.epipe))
        fixture.run()
        #expect(client.tryReceive() == .success([9]))
        #expect(server.readiness.contains([.input, .readHangUp]))
        #expect(server.tryReceive() == .success([]))
        server.release()
        fixture.run()
        #expect(client.tryReceive() == .success([]))
        #expect(client.readiness.contains(.hangUp))
    }

    @Test func `nobody there, an unread end, and a connection that is given up`() throws {
        let client = try fixture.socket(.inet, .stream)
        #expect(failure { () throws(Errno) in try client.connect(to: ipv4(127, 0, 0, 1, 9)) } == .einprogress)
        #expect(failure { () throws(Errno) in try client.connect(to: ipv4(127, 0, 0, 1, 9)) } == .ealready)
        fixture.run()
        #expect(client.readiness.contains([.error, .hangUp]))
        #expect(client.takeError() == .econnrefused)
        #expect(client.takeError() == nil)
        let (_, one, other) = try fixture.connection(ipv4(127, 0, 0, 1, 8080), .inet)
        #expect(failure { () throws(Errno) in try one.connect(to: ipv4(127, 0, 0, 1, 8080)) } == nil)
        #expect(failure { () throws(Errno) in try one.connect(to: ipv4(127, 0, 0, 1, 8080)) } == .eisconn)
        _ = one.trySend([1])
        fixture.run()
        other.release()
        fixture.run()
        #expect(one.tryReceive() == .failure(.econnreset))
        #expect(one.tryReceive() == .success([]))
        #expect(one.trySend([1]) == .failure(.epipe))
        let away = try fixture.socket(.inet, .stream)
        #expect(failure { () throws(Errno) in try away.connect(to: ipv4(192, 0, 2, 1, 9)) } == .enetunreach)
        #expect(away.tryReceive() == .failure(.enotconn))
    }

    @Test func `ports are taken once, unless both sides agree`() throws {
        let one = try fixture.socket(.inet, .stream), two = try fixture.socket(.inet, .stream)
        try one.bind(to: ipv4(0, 0, 0, 0, 80))
        #expect(failure { () throws(Errno) in try one.bind(to: ipv4(0, 0, 0, 0, 81)) } == .einval)
        #expect(failure { () throws(Errno) in try two.bind(to: ipv4(127, 0, 0, 1, 80)) } == .eaddrinuse)
        #expect(failure { () throws(Errno) in try two.bind(to: ipv4(10, 9, 8, 7, 80)) } == .eaddrnotavail)
        try one.listen(backlog: 1)
        two.options.reusesAddress = true
        #expect(failure { () throws(Errno) in try two.bind(to: ipv4(0, 0, 0, 0, 80)) } == .eaddrinuse)
        one.release()
        try two.bind(to: ipv4(0, 0, 0, 0, 80))
        let shared = try (0..<2).map { _ in try fixture.socket(.inet, .stream) }
        for socket in shared {
            socket.options.reusesPort = true
            try socket.bind(to: ipv4(0, 0, 0, 0, 90))
            try socket.listen(backlog: 1)
        }
    }

    @Test func `an IPv6 socket takes IPv4 unless it is told not to`() throws {
        let both = try fixture.socket(.inet6, .stream)
        try both.bind(to: ipv6(0, 7000))
        try both.listen(backlog: 3)
        let client = try fixture.socket(.inet, .stream)
        _ = failure { () throws(Errno) in try client.connect(to: ipv4(127, 0, 0, 1, 7000)) }
        fixture.run()
        let server = try fixture.accept(both)
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1]
        #expect(Array(try server.peerName().content[8..<24]) == mapped)
        let four = try fixture.socket(.inet, .stream)
        #expect(failure { () throws(Errno) in try four.bind(to: ipv4(0, 0, 0, 0, 7000)) } == .eaddrinuse)
        let six = try fixture.socket(.inet6, .stream)
        six.options.isIPv6Only = true
        try six.bind(to: ipv6(0, 7001))
        try four.bind(to: ipv4(0, 0, 0, 0, 7001))
        try six.listen(backlog: 1)
        try four.listen(backlog: 1)
    }

    @Test func `a writer who fills the connection is told when there is room`() throws {
        let (_, client, server) = try fixture.connection(ipv6(1, 0), .inet6)
        let witness = Witness()
        client.observers.add(witness)
        let piece = [UInt8](repeating: 5, count: 60_000)
        var sent = 0
        while case .success(let count) = client.trySend(piece) {
            sent += count
            if sent > 64 << 20 { break }
        }
        #expect(client.trySend(piece) == .failure(.eagain))
        #expect(!client.readiness.contains(.output))
        witness.events = []
        var received = 0
        for _ in 0..<10_000 {
            fixture.run(.milliseconds(1))
            while case .success(let bytes) = server.tryReceive(100_000), !bytes.isEmpty { received += bytes.count }
            if received >= sent { break }
        }
        #expect(received == sent)
        #expect(witness.events.contains(.output))
        #expect(client.readiness == .output)
    }

    @Test func `copies between a program and a connection are quick`() throws {
        let (_, client, server) = try fixture.connection(ipv4(127, 0, 0, 1, 0), .inet)
        // Otherwise each would wait for the acknowledgment of the one before it.
        client.options.isNoDelay = true
        client.optionsChanged()
        let request = [UInt8](repeating: 5, count: 100)
        let time = ContinuousClock().measure {
            for _ in 0..<2_000 {
                _ = client.trySend(request)
                fixture.run()
                #expect(server.tryReceive() == .success(request))
            }
        }
        #expect(time < .seconds(10))
    }
}
