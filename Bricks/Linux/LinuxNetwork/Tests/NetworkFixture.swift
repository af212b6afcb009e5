import Bytes
import Errno
import LinuxNetwork
import NetFormats
import NetStack
import Random
import Testing
import Time
import VFS

func failure(_ body: () throws(Errno) -> Void) -> Errno? {
    do throws(Errno) { try body() } catch { return error }
    return nil
}

final class Witness: Observer {
    var events: PollEvents = []
    override func notify(_ events: PollEvents) { self.events.formUnion(events) }
}

/// An instance's sockets, with nothing but the loopback.
final class Fixture {
    let network: SocketNetwork
    var time = Instant(nanoseconds: 1_000_000_000)
    static let me = SocketCredentials(process: 1, user: 0, group: 0)

    init(paths: PathContext? = nil) {
        network = SocketNetwork(NetStack(seed: SipHash.Key(low: 1, high: 2), now: time), paths: paths)
    }

    /// What the run loop does: everything that is on its way arrives.
    func run(_ duration: Duration = .zero) {
        time = time.advanced(by: duration)
        network.stack.advance(to: time)
        for _ in 0..<100 {
            network.stack.transmit()
            guard network.stack.isBusy else { return }
            network.stack.receive(limit: 256)
        }
    }

    func socket(_ family: SocketFamily, _ kind: SocketKind) throws -> Socket {
        let socket = try network.makeSocket(family, kind, 0, Self.me, .nonBlock)
        socket.retain()
        return socket
    }

    func accept(_ listener: Socket) throws -> Socket {
        let socket = try listener.accept(.nonBlock)
        socket.retain()
        return socket
    }

    /// A listener and both ends of a connection to it.
    func connection(_ address: SocketName, _ family: SocketFamily) throws -> (listener: Socket, client: Socket, server: Socket) {
        let listener = try socket(family, .stream), client = try socket(family, .stream)
        try listener.bind(to: address)
        try listener.listen(backlog: 5)
        let name = try listener.localName()
        let started = failure { () throws(Errno) in try client.connect(to: name) }
        #expect(started == .einprogress)
        run()
        #expect(client.readiness.contains(.output))
        #expect(listener.readiness == .input)
        return (listener, client, try accept(listener))
    }
}

func ipv4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, _ port: UInt16) -> SocketName {
    SocketName(SocketAddress(address: .v4(IPv4Address(a, b, c, d)), port: port), isIPv6: false)
}

func ipv6(_ low: UInt64, _ port: UInt16) -> SocketName {
    SocketName(SocketAddress(address: .v6(IPv6Address(high: 0, low: low)), port: port), isIPv6: true)
}

func abstract(_ name: String) -> SocketName { UnixName.abstract(Array(name.utf8)).socketName }

extension SocketName {
    var content: [UInt8] { [UInt8](copying: bytes) }
}

extension Socket {
    func trySend(_ data: [UInt8], to name: SocketName = SocketName(), files: [OpenFile] = []) -> Result<Int, Errno> {
        var message = SentMessage()
        message.name = name
        message.files = files
        do throws(Errno) { return .success(try send(data.raw, [], message)) } catch { return .failure(error) }
    }

    func tryReceive(_ limit: Int = 100, _ flags: MessageFlags = []) -> Result<[UInt8], Errno> {
        var message = ReceivedMessage()
        return tryReceive(limit, flags, &message)
    }

    func tryReceive(_ limit: Int, _ flags: MessageFlags, _ message: inout ReceivedMessage) -> Result<[UInt8], Errno> {
        var buffer = [UInt8](repeating: 0, count: limit)
        var span = buffer.mutableSpan
        var raw = span.raw
        do throws(Errno) {
            let count = try receive(into: &raw, flags, &message)
            return .success(Array(buffer[0..<count]))
        } catch {
            return .failure(error)
        }
    }
}
