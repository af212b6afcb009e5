import Brique
import BriqueNetwork

/// Sends back what it gets, over TCP and UDP (RFC 862). Argument: the port, 7 unless given.
@main struct EchoServer {
    /// A connection on which nothing comes for so long is closed.
    static let idleLimit = Duration.seconds(300)

    static func main() async {
        let port = Instance.arguments.first.flatMap { UInt16($0) } ?? 7
        do throws(NetworkError) {
            let listener = try TCPListener(port: port)
            let socket = try UDPSocket(port: port)
            print("echo-server: listening on port \(port)")
            Task { await echoDatagrams(socket) }
            while true {
                let connection = try await listener.accept()
                Task { await echo(connection) }
            }
        } catch {
            print("echo-server: cannot listen on port \(port)")
            Instance.exit(71)
        }
    }

    /// What is sent back takes room until the peer reads it; then no more is received.
    private static func echo(_ connection: TCPConnection) async {
        do throws(NetworkError) {
            while true {
                let bytes = try await connection.receive(deadline: Instant.now.advanced(by: idleLimit))
                if bytes.isEmpty { break }
                try await connection.send(bytes, deadline: Instant.now.advanced(by: idleLimit))
            }
            connection.finish()
        } catch {
            connection.abort()
        }
    }

    private static func echoDatagrams(_ socket: UDPSocket) async {
        while true {
            do throws(NetworkError) {
                let datagram = try await socket.receive()
                // From the address that it was sent to, or the client would not know the answer.
                try socket.send(datagram.bytes, to: datagram.source, from: datagram.destination)
            } catch {
                if error == .closed || error == .cancelled { return }
            }
        }
    }
}
