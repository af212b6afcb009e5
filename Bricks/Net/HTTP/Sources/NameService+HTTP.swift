import Hypercalls
import Names
import NetFormats
import Sockets
import Time

extension NameService: HTTPConnector {
    public var now: Instant { Instant(nanoseconds: Hypercalls.monotonicNanoseconds()) }

    /// Connects to a host by name, or by an address in words.
    public func connect(host: String, port: UInt16, deadline: Instant) async throws(HTTPClientError) -> any HTTPStream {
        do throws(NetworkError) {
            let connection = try await connect(host: Array(host.utf8), port: port, deadline: deadline)
            connection.isNoDelay = true
            return connection
        } catch {
            throw .network(error)
        }
    }
}
