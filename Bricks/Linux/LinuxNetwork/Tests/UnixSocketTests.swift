import Errno
import LinuxNetwork
import LinuxPipes
import Testing
import VFS

struct UnixSocketTests {
    let fixture = Fixture()

    func pair(_ kind: SocketKind) throws -> (UnixSocket, UnixSocket) {
        let (one, other) = try UnixSocket.pair(fixture.network, kind, Fixture.me, .nonBlock)
        one.retain()
        other.retain()
        return (one, other)
    }

    @Test func `a stream joins what was written, and ends`() throws {
        let (one, other) = try pair(.stream)
        _ = one.trySend([1, 2])
        _ = one.trySend([3])
        #expect(other.tryReceive(3, .peek) == .success([1, 2, 3]))
        #expect(other.tryReceive() == .success([1, 2, 3]))
        try one.shutDown(1)
        #expect(other.tryReceive() == .success([]))
        #expect(other.readiness == [.input, .output, .readHangUp])
        #expect(other.trySend([5]) == .success(1))
        #expect(one.trySend([5]) == .failure(.epipe))
        other.release()
        #expect(one.tryReceive() == .success([5]))
        #expect(one.readiness.contains(.hangUp))
        let (a, b) = try pair(.stream)
        _ = a.trySend([1])
        b.release()
        #expect(a.tryReceive() == .failure(.econnreset))
        #expect(a.trySend([1]) == .failure(.epipe))
    }

    @Test func `a full stream blocks, and tells of room`() throws {
        let (one, other) = try pair(.stream)
        let piece = [UInt8](repeating: 1, count: 10_000)
        var sent = 0
        while case .success(let count) = one.trySend(piece) { sent += count }
        #expect(sent == 212_992)
        #expect(!one.readiness.contains(.output))
        let witness = Witness()
        one.observers.add(witness)
        _ = other.tryReceive(100_000)
        #expect(witness.events.contains(.output))
        #expect(one.readiness.contains(.output))
    }

    @Test func `descriptors travel with the first byte they were sent with`() throws {
        let (one, other) = try pair(.stream)
        let file = EventCounter(value: 1, isSemaphore: false, [])
        file.retain()
        _ = one.trySend([1, 2])
        _ = one.trySend([3, 4], files: [file])
        _ = one.trySend([5])
        #expect(file.descriptorCount == 2)
        var message = ReceivedMessage()
        #expect(other.tryReceive(100, [], &message) == .success([1, 2, 3, 4]))
        #expect(message.files.count == 1 && message.files[0] === file)
        #expect(other.tryReceive() == .success([5]))
        _ = one.trySend([3, 4], files: [file])
        #expect(file.descriptorCount == 3)
        other.release()
        #expect(file.descriptorCount == 2)
    }

    @Test func `packets and datagrams keep their borders`() throws {
        for kind in [SocketKind.datagram, .sequencedPacket] {
            let (one, other) = try pair(kind)
            _ = one.trySend([1, 2, 3])
            _ = one.trySend([])
            _ = one.trySend([4])
            var message = ReceivedMessage()
            #expect(other.tryReceive(2, [], &message) == .success([1, 2]))
            #expect(message.byteCount == 3 && message.flags.contains(.truncated))
            #expect(other.tryReceive() == .success([]))
            #expect(other.tryReceive() == .success([4]))
            #expect(other.tryReceive() == .failure(.eagain))
            var count = 0
            while case .success = one.trySend([UInt8](repeating: 0, count: 1000)) { count += 1 }
            #expect(count > 10 && count <= 512)
            other.release()
            #expect(one.trySend([1]) == .failure(kind == .datagram ? .econnrefused : .epipe))
        }
    }

    @Test func `abstract names, listening, and who is there`() throws {
        let server = try fixture.socket(.unix, .stream), client = try fixture.socket(.unix, .stream)
        #expect(client.readiness == [.output, .hangUp])
        #expect(failure { () throws(Errno) in try client.connect(to: abstract("x")) } == .econnrefused)
        try server.bind(to: abstract("x"))
        #expect(failure { () throws(Errno) in try client.connect(to: abstract("x")) } == .econnrefused)
        try server.listen(backlog: 0)
        try client.connect(to: abstract("x"))
        #expect(client.trySend([1]) == .success(1))
        let second = try fixture.socket(.unix, .stream)
        #expect(failure { () throws(Errno) in try second.connect(to: abstract("x")) } == .eagain)
        #expect(second.blockedOn != nil)
        let accepted = try fixture.accept(server)
        #expect(accepted.tryReceive() == .success([1]))
        #expect(try client.peerName().content == abstract("x").content)
        #expect(client.peerCredentials == Fixture.me)
        try second.connect(to: abstract("x"))
        server.release()
        #expect(second.tryReceive() == .failure(.econnreset))
        #expect(failure { () throws(Errno) in try second.connect(to: abstract("x")) } == .econnrefused)
        let datagram = try fixture.socket(.unix, .datagram)
        var empty = SocketName()
        empty.append(1)
        empty.append(0)
        try datagram.bind(to: empty)
        #expect(try datagram.localName().byteCount == 8)
    }
}
