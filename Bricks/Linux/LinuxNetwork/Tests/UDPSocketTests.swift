import Bytes
import Errno
import LinuxNetwork
import Testing
import VFS

struct UDPSocketTests {
    let fixture = Fixture()

    @Test func `datagrams keep their borders and say where they come from`() throws {
        let server = try fixture.socket(.inet, .datagram), client = try fixture.socket(.inet, .datagram)
        try server.bind(to: ipv4(127, 0, 0, 1, 5300))
        #expect(client.trySend([1]) == .failure(.edestaddrreq))
        #expect(client.trySend([1, 2, 3], to: ipv4(127, 0, 0, 1, 5300)) == .success(3))
        try client.connect(to: ipv4(127, 0, 0, 1, 5300))
        #expect(client.trySend([4]) == .success(1))
        fixture.run()
        #expect(server.readableByteCount == 3)
        var message = ReceivedMessage()
        #expect(server.tryReceive(2, .peek, &message) == .success([1, 2]))
        #expect(message.flags == .truncated && message.byteCount == 3)
        #expect(server.tryReceive(2, [], &message) == .success([1, 2]))
        #expect(server.tryReceive() == .success([4]))
        #expect(message.name.content == (try client.localName()).content)
        #expect(server.trySend([7], to: message.name) == .success(1))
        fixture.run()
        #expect(client.tryReceive() == .success([7]))
        #expect(client.tryReceive() == .failure(.eagain))
        #expect(client.trySend([UInt8](repeating: 0, count: 66_000)) == .failure(.emsgsize))
    }

    @Test func `a connected socket hears that nobody is there`() throws {
        let client = try fixture.socket(.inet, .datagram)
        try client.connect(to: ipv4(127, 0, 0, 1, 9))
        _ = client.trySend([1])
        fixture.run()
        #expect(client.readiness.contains(.error))
        #expect(client.tryReceive() == .failure(.econnrefused))
        #expect(client.tryReceive() == .failure(.eagain))
    }

    @Test func `ports are shared by agreement only`() throws {
        let one = try fixture.socket(.inet, .datagram), two = try fixture.socket(.inet, .datagram)
        try one.bind(to: ipv4(0, 0, 0, 0, 5301))
        #expect(failure { () throws(Errno) in try two.bind(to: ipv4(0, 0, 0, 0, 5301)) } == .eaddrinuse)
        one.release()
        one.options.reusesAddress = true
        two.options.reusesAddress = true
        let three = try fixture.socket(.inet, .datagram)
        three.options.reusesAddress = true
        try two.bind(to: ipv4(0, 0, 0, 0, 5301))
        try three.bind(to: ipv4(0, 0, 0, 0, 5301))
    }

    /// The messages of an answer, by type.
    private func types(_ bytes: [UInt8]) -> [UInt16] {
        var found: [UInt16] = []
        var offset = 0
        while offset + 16 <= bytes.count {
            let length = Int(bytes[offset]) | Int(bytes[offset + 1]) << 8
            found.append(UInt16(bytes[offset + 4]) | UInt16(bytes[offset + 5]) << 8)
            offset += (length + 3) & ~3
            if length < 16 { break }
        }
        return found
    }

    @Test func `netlink lists links, addresses and routes`() throws {
        let socket = try fixture.socket(.netlink, .raw)
        for (request, answer) in [(18, 16), (22, 20)] as [(UInt8, UInt16)] {
            let bytes: [UInt8] = [20, 0, 0, 0, request, 0, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            #expect(socket.trySend(bytes) == .success(20))
            var found: [UInt16] = []
            while case .success(let part) = socket.tryReceive(8192) { found += types(part) }
            #expect(found.first == answer && found.last == 3)
        }
        #expect(socket.trySend([16, 0, 0, 0, 99, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]) == .success(16))
        #expect(types(try socket.tryReceive().get()) == [2])
        for length in 0..<40 { _ = socket.trySend([UInt8](repeating: UInt8(length), count: length)) }
    }

    @Test func `addresses of any length are refused or understood, never a trap`() throws {
        let socket = try fixture.socket(.inet6, .datagram), unix = try fixture.socket(.unix, .datagram)
        for family in [0, 1, 2, 10, 16] as [UInt8] {
            for length in 0...128 {
                var bytes = [UInt8](repeating: 0xff, count: length)
                if length > 1 { (bytes[0], bytes[1]) = (family, 0) }
                let name = try SocketName(bytes.raw)
                _ = failure { () throws(Errno) in try socket.connect(to: name) }
                _ = failure { () throws(Errno) in try socket.bind(to: name) }
                _ = failure { () throws(Errno) in try unix.connect(to: name) }
                _ = socket.trySend([1], to: name)
            }
        }
        #expect(failure { () throws(Errno) in _ = try SocketName([UInt8](repeating: 0, count: 129).raw) } == .einval)
    }
}
