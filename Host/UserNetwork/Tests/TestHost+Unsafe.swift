import Bytes
import Glibc
import NetFormats
import Testing

@testable import UserNetwork

enum SocketPair {
    static func make(isSequenced: Bool) throws -> (HostSocket, HostSocket) {
        var ends: [Int32] = [-1, -1]
        let type = isSequenced ? Int32(SOCK_SEQPACKET.rawValue) : Int32(SOCK_DGRAM.rawValue)
        // SAFETY: socketpair writes exactly two descriptors.
        let result = unsafe socketpair(AF_UNIX, type | Int32(SOCK_CLOEXEC.rawValue), 0, &ends)
        try #require(result == 0)
        return (HostSocket(descriptor: ends[0]), HostSocket(descriptor: ends[1]))
    }
}

enum TestThread {
    static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
        // SAFETY: the box is retained for the thread, which releases it.
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, box)
        return result == 0 ? thread : nil
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

/// A server of the host, on a port of its own.
final class TestServer {
    let socket: HostSocket
    let port: UInt16
    var clients: [HostSocket] = []

    init(_ kind: HostSocket.Kind, isIPv6: Bool = false) throws {
        socket = try #require(HostSocket(kind, isIPv6: isIPv6))
        let address: IPAddress = isIPv6 ? .v6(.loopback) : .v4(.loopback)
        try #require(socket.bind(to: SocketAddress(address: address, port: 0)))
        if kind == .tcp { try #require(listen(socket.descriptor, 64) == 0) }
        port = try #require(socket.localAddress).port
    }

    deinit {
        socket.close()
        for client in clients { client.close() }
    }

    /// Takes who is waiting.
    func accept() {
        while let (client, _) = socket.accept() { clients.append(client) }
    }
}

extension HostSocket {
    /// All that is there. Nil: the end.
    func read(_ buffer: TransferBuffer) -> [UInt8]? {
        switch receive(into: buffer, limit: buffer.byteCount) {
        case .done(0): nil
        case .done(let count): buffer.withBytes(count) { TestInstance.copy($0) }
        case .wait: []
        case .failed: nil
        }
    }

    func write(_ bytes: ArraySlice<UInt8>) -> Int {
        let copy = Array(bytes)
        if case .done(let count) = send(ByteReader(copy.span).unread, ByteReader(copy.span).unread.extracting(first: 0)) { return count }
        return 0
    }
}
