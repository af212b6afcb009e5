import Hypercalls
import NetFormats
import Sockets
import Time

extension TCPConnection: HTTPStream {
    public var wallTime: WallTime { Hypercalls.wallTime() }

    public var isReadable: Bool { receivableByteCount > 0 }

    public func receive(deadline: Instant, _ body: (RawSpan) -> Int) async throws(NetworkError) {
        try await withReceived(deadline: deadline) { bytes in (body(bytes), ()) }
    }
}
